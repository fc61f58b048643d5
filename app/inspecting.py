"""One call's pictures to one durable answer: decode and judge each, record all, answer once."""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any

from app import metrics
from app.batcher import MicroBatcher
from app.body import Intake, Upload
from app.errors import body_of
from app.ports import Services
from inspection.batch import Judged
from inspection.errors import BadPicture, Unavailable
from inspection.events import Event, now, to_dict, uuid7
from inspection.judgement import Thresholds
from inspection.part import Part
from inspection.record import Draft, Entry, IdempotencyKey, Receipt


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call besides its pictures. ``received``: time.perf_counter() at its last byte."""

    request_id: str
    origin: str
    part: Part
    received: float
    key: str | None
    single: bool


@dataclass(frozen=True, slots=True)
class _Seen:
    draft: Draft
    thresholds: Thresholds


_Result = _Seen | BadPicture


class Inspector:
    """Inspects on one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.batcher = MicroBatcher(services.judge, services.limits)
        self.intake = Intake(services.limits)

    def refuse_if_full(self) -> None:
        """Raises Unavailable (``full``) while as many pictures wait as may."""
        if self.batcher.waiting >= self._services.limits.max_waiting:
            raise Unavailable("full", "Too many pictures are waiting; try again in a moment.")

    async def inspect(self, call: Call, uploads: Sequence[Upload]) -> bytes:
        """The answer's body, durable when returned.

        Raises:
            BadPicture: the one picture of a single call can't be decoded.
            Conflict: the idempotency key was used with other pictures.
            Unavailable: nothing is known to be recorded; the same call may be repeated.
        """
        self.refuse_if_full()
        key = None
        if call.key is not None:
            key = IdempotencyKey(call.key, await asyncio.to_thread(_fingerprint, uploads))
            earlier = await asyncio.to_thread(self._services.recorder.answer, key)
            if earlier is not None:
                return earlier
        results = await self._look(call, uploads)
        if call.single and isinstance(results[0], BadPicture):
            raise results[0]
        drafts = tuple(result.draft for result in results if isinstance(result, _Seen))
        if not drafts:
            return _render(call, results, ())
        entry = Entry(drafts, lambda events: _render(call, results, events), key)
        with metrics.COMMIT.time():
            recorded = self._services.recorder.submit(entry)
            recorded.add_done_callback(_counted)
            return (await asyncio.wrap_future(recorded)).body

    async def _look(self, call: Call, uploads: Sequence[Upload]) -> list[_Result]:
        answers = [self.batcher.judge(upload.data) for upload in uploads]
        try:
            results = await asyncio.gather(*answers)
        finally:  # when one fails the call can't be answered: what still waits is of no more use
            for answer in answers:
                self.batcher.cancel(answer)
        latency = (time.perf_counter() - call.received) * 1000
        return [
            result if isinstance(result, BadPicture) else self._seen(call, upload, result, latency)
            for upload, result in zip(uploads, results, strict=True)
        ]

    def _seen(self, call: Call, upload: Upload, judged: Judged, latency: float) -> _Seen:
        event = _event(call, upload.filename, judged, latency, self._services.limits.audit_sample)
        kept = upload.data if event.audit_probability is not None else None
        return _Seen(Draft(event, kept), judged.judgement.thresholds)


def _counted(recorded: Future[Receipt]) -> None:
    """Count what was recorded, also where nobody waits for the answer any more."""
    if not recorded.cancelled() and recorded.exception() is None:
        metrics.count(recorded.result().events)


def _fingerprint(uploads: Sequence[Upload]) -> str:
    """SHA-256 over the pictures' own hashes, in order."""
    whole = hashlib.sha256()
    for upload in uploads:
        whole.update(hashlib.sha256(upload.data).digest())
    return whole.hexdigest()


def _event(call: Call, filename: str | None, judged: Judged, latency: float, audit_sample: float) -> Event:
    judgement = judged.judgement
    return Event(
        kind="inspection",
        event_id=uuid7(),
        occurred_at=now(),
        request_id=call.request_id,
        origin=call.origin,
        filename=filename,
        image_sha256=judged.sha256,
        image_width=judged.width,
        image_height=judged.height,
        model_version=judgement.model_version,
        prediction=judgement.prediction,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        p_defect=round(judgement.p_defect, 6),
        latency_ms=round(latency, 3),
        audit_probability=_chosen(judgement.verdict, audit_sample),
        brightness=round(judged.brightness, 3),
        sharpness=round(judged.sharpness, 3),
        part_id=call.part.part_id,
        lot=call.part.lot,
        line=call.part.line,
        camera=call.part.camera,
        shift=call.part.shift,
        operator=call.part.operator,
    )


def _chosen(verdict: str, audit_sample: float) -> float | None:
    """With which probability the part was chosen for re-inspection; None when it was not.

    All but ``ok`` are; of ``ok`` a random share, so that escapes can be measured.
    """
    if verdict != "ok":
        return 1.0
    return audit_sample if random.random() < audit_sample else None  # noqa: S311  sampling, not secrecy


def _render(call: Call, results: Sequence[_Result], events: Sequence[Event]) -> bytes:
    numbered = iter(events)
    objects: list[Mapping[str, Any]] = []
    for result in results:
        if isinstance(result, _Seen):
            objects.append({**to_dict(next(numbered)), "thresholds": asdict(result.thresholds)})
        else:
            objects.append(body_of(result, call.request_id))
    answer: Any = objects[0] if call.single else {"results": objects}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
