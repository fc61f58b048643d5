"""What people decide about a part: the queue of doubtful ones, and audits."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app.access import Reader
from app.plain import Plain
from app.ports import Services
from inspection.events import Event, now, to_dict, uuid7
from inspection.record import Draft, Entry

router = APIRouter(tags=["review"])
_HIDDEN_WHEN_BLIND = ("verdict", "prediction", "p_defect", "reasons", "audit_probability")


class Decision(BaseModel):
    """What an inspector decided about a part."""

    true_label: str = Field(pattern="^(ok_front|def_front|unclear)$")
    auditor: Plain
    defect_type: Plain | None = None
    note: str | None = Field(None, max_length=2000)
    blind: bool = False


@router.post("/inspections/{event_id}/audit", summary="Settle a part")
async def audit(request: Request, caller: Reader, event_id: str, decision: Decision) -> dict[str, Any]:
    """Record what a person found; the inspection itself is never changed."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(services.records.inspection, event_id)
    event = Event(
        kind="audit",
        event_id=uuid7(),
        occurred_at=now(),
        request_id=request.state.request_id,
        inspection_id=found.event_id,
        true_label=decision.true_label,
        auditor=decision.auditor,
        defect_type=decision.defect_type,
        note=decision.note,
        blind=decision.blind,
        extra={"key_name": caller.name} if caller.name else {},
    )
    done = services.recorder.submit(Entry((Draft(event),), lambda _: b""))
    receipt = await run_in_threadpool(done.result)
    return to_dict(receipt.events[0])


@router.get("/review", summary="The next part to settle", responses={204: {"description": "Nothing waits."}})
async def review(request: Request, _caller: Reader, auditor: Annotated[Plain, Query()]) -> Any:
    """The oldest waiting part, held for this auditor for two minutes."""
    services: Services = request.app.state.services
    held = await run_in_threadpool(services.records.next_to_review, auditor)
    if held is None:
        return Response(status_code=204)
    shown = to_dict(held.inspection)
    if held.blind:
        shown = {name: value for name, value in shown.items() if name not in _HIDDEN_WHEN_BLIND}
    return {"inspection": shown, "blind": held.blind, "waiting": held.waiting}


@router.post("/review/{event_id}/release", status_code=204, summary="Give a held part back")
async def release(
    request: Request,
    _caller: Reader,
    event_id: str,
    auditor: Annotated[Plain, Query()],
    skipped: bool = True,
) -> None:
    """Skipped, it goes to the end of the queue; otherwise it keeps its place."""
    services: Services = request.app.state.services
    await run_in_threadpool(services.records.release, event_id, auditor, skipped)
