"""Entries as the application submits them, short to write in tests."""

import hashlib
from typing import Any

from inspection.events import Event, now, uuid7
from inspection.record import Draft, Entry, IdempotencyKey


def inspected(**given: Any) -> Event:
    values: dict[str, Any] = {
        "image_sha256": "0" * 64,
        "model_version": "m1",
        "prediction": "ok_front",
        "verdict": "ok",
        "p_defect": 0.01,
        "latency_ms": 5.0,
        "origin": "api",
    }
    return Event(kind="inspection", event_id=uuid7(), occurred_at=given.pop("occurred_at", now()), **(values | given))


def audited(inspection: Event, auditor: str = "kim", **given: Any) -> Event:
    given = {"true_label": "def_front"} | given
    return Event(
        kind="audit",
        event_id=uuid7(),
        occurred_at=now(),
        inspection_id=inspection.event_id,
        auditor=auditor,
        **given,
    )


def entry(*events: Event, key: str | None = None, content: str = "a", pictures: tuple[bytes, ...] = ()) -> Entry:
    """One call; without events: one inspection. The body names what was numbered."""
    drafts = tuple(
        Draft(event, pictures[place] if place < len(pictures) else None)
        for place, event in enumerate(events or (inspected(),))
    )
    claimed = IdempotencyKey(key, hashlib.sha256(content.encode()).hexdigest()) if key else None
    return Entry(drafts, lambda made: b";".join(f"{e.journal}:{e.number}".encode() for e in made), claimed)
