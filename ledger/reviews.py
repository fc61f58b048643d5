"""The review queue: what people have to look at, who holds what, and when it is settled."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, func, insert, or_, select, update

from inspection.errors import Conflict, InspectorError, NotFound
from inspection.events import Event, from_json
from inspection.record import Entry, Held
from ledger.alerts import raise_alerts
from ledger.database import reading, writing
from ledger.instants import parsed, present
from ledger.tables import events, reviews

HOLD = timedelta(minutes=2)
_HOLD_MICROS = HOLD // timedelta(microseconds=1)


def refused(connection: Connection, entries: Sequence[Entry]) -> dict[int, InspectorError]:
    """Which entries (by ``id()``) may not settle what they name: it does not exist, or another holds it."""
    audits = [(entry, draft.event) for entry in entries for draft in entry.drafts if draft.event.kind == "audit"]
    if not audits:
        return {}
    names = sorted({event.inspection_id or "" for _, event in audits})
    known = set(
        connection.scalars(select(events.c.event_id).where(events.c.event_id.in_(names), events.c.kind == "inspection"))
    )
    # Locked in one order, so that two writers that settle the same parts never wait for each other in a circle.
    held = select(reviews.c.inspection_id, reviews.c.holder).where(
        reviews.c.inspection_id.in_(names), reviews.c.held_until > present()
    )
    locked = held.order_by(reviews.c.inspection_id).with_for_update()
    holders = {row.inspection_id: row.holder for row in connection.execute(locked)}
    found: dict[int, InspectorError] = {}
    for entry, event in audits:
        if event.inspection_id not in known:
            found[id(entry)] = NotFound("no_such_inspection", "There is no inspection with this id.")
        elif holders.get(event.inspection_id, event.auditor) != event.auditor:
            found[id(entry)] = Conflict("held_by_another", "Somebody else is looking at this part just now.")
    return found


def follow_up(connection: Connection, numbered: Sequence[Event], second_look: float) -> None:
    """In the recording transaction: queue what people must look at, raise alerts, settle what was audited."""
    due = [
        _review(event, random.random() < second_look)  # noqa: S311  a sample, not a secret
        for event in numbered
        if event.kind == "inspection" and event.audit_probability
    ]
    if due:
        connection.execute(insert(reviews), due)
    raise_alerts(connection, numbered)
    for event in numbered:
        if event.kind == "audit":
            _settle(connection, event)


def _review(event: Event, double: bool) -> dict[str, object]:
    return {
        "inspection_id": event.event_id,
        "queued_at": parsed(event.occurred_at),
        "wanted": 2 if double else 1,
        "done": 0,
        # What is to measure the model, or one inspector against another, is decided without seeing the verdict.
        "blind": double or event.verdict == "ok",
    }


def _settle(connection: Connection, audit: Event) -> None:
    """Count a decision; a second one of the same person corrects the first and counts no more."""
    done = case((reviews.c.settled_by == audit.auditor, reviews.c.done), else_=reviews.c.done + 1)
    connection.execute(
        update(reviews)
        .where(reviews.c.inspection_id == audit.inspection_id)
        .values(
            done=done,
            queued_at=case((done >= reviews.c.wanted, None), else_=reviews.c.queued_at),
            settled_by=func.coalesce(reviews.c.settled_by, audit.auditor),
            holder=None,
            held_until=None,
        )
    )


def _waits_for(auditor: str | None) -> ColumnElement[bool]:
    """Undecided, and by somebody else than who decided first."""
    undecided = reviews.c.queued_at.is_not(None)
    if auditor is None:
        return undecided
    return and_(undecided, or_(reviews.c.settled_by.is_(None), reviews.c.settled_by != auditor))


def waiting(connection: Connection, auditor: str | None = None) -> int:
    """How many parts wait for a decision (of this auditor, where one is named)."""
    return connection.scalar(select(func.count()).select_from(reviews).where(_waits_for(auditor))) or 0


def _first(connection: Connection, query: Select[Any]) -> Any:
    """The first row that nobody else is just taking, locked."""
    return connection.execute(query.limit(1).with_for_update(skip_locked=True)).one_or_none()


class Reviews:
    """The queue as the page uses it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next_to_review(self, auditor: str) -> Held | None:
        """Hold the oldest waiting part for ``auditor`` for two minutes; what they hold already comes first."""
        with writing(self._engine) as connection:
            at = present()
            waits = select(reviews.c.inspection_id, reviews.c.blind).where(_waits_for(auditor))
            mine = waits.where(reviews.c.holder == auditor, reviews.c.held_until > at)
            free = waits.where(or_(reviews.c.holder.is_(None), reviews.c.held_until <= at))
            oldest = free.order_by(reviews.c.queued_at, reviews.c.inspection_id)
            row = _first(connection, mine) or _first(connection, oldest)
            if row is None:
                return None
            held = update(reviews).where(reviews.c.inspection_id == row.inspection_id)
            connection.execute(held.values(holder=auditor, held_until=at + _HOLD_MICROS))
            payload = connection.scalar(select(events.c.payload).where(events.c.event_id == row.inspection_id))
            return Held(from_json(payload or b""), row.blind, waiting(connection, auditor))

    def release(self, inspection_id: str, auditor: str, skipped: bool = True) -> None:
        """Give a held part back: skipped, it goes to the end of the queue, so that the same person gets another one."""
        values: dict[str, object] = {"holder": None, "held_until": None}
        if skipped:
            values["queued_at"] = present()
        mine = (reviews.c.inspection_id == inspection_id, reviews.c.holder == auditor)
        with writing(self._engine) as connection:
            connection.execute(update(reviews).where(*mine).values(values))

    def waiting(self, auditor: str | None = None) -> int:
        """How many parts wait for a decision."""
        with reading(self._engine) as connection:
            return waiting(connection, auditor)
