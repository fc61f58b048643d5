"""What people have to decide and to acknowledge: the review queue and the open alerts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from inspection.errors import NotFound
from inspection.events import Event, from_json, now, timestamp
from inspection.record import Held
from ledger.database import writing
from ledger.tables import alerts, events, reviews

HOLD = timedelta(minutes=2)


def follow_up(connection: Connection, numbered: Sequence[Event]) -> None:
    """In the recording transaction: queue what people must look at, raise alerts, settle what was audited."""
    due = [_review(event) for event in numbered if event.kind == "inspection" and event.audit_probability]
    if due:
        connection.execute(insert(reviews), due)
    defects = [{"event_id": e.event_id} for e in numbered if e.kind == "inspection" and e.verdict == "defect"]
    if defects:
        connection.execute(insert(alerts), defects)
    for event in numbered:
        if event.kind == "audit":
            connection.execute(
                update(reviews)
                .where(reviews.c.inspection_id == event.inspection_id)
                .values(done=reviews.c.done + 1, holder=None, held_until=None)
            )


def _review(event: Event) -> dict[str, object]:
    return {"inspection_id": event.event_id, "wanted": 1, "done": 0, "blind": event.verdict == "ok"}


class Reviews:
    """The queue and the alerts as the page uses them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next_to_review(self, auditor: str) -> Held | None:
        """Hold the oldest waiting part for ``auditor`` for two minutes; the one already held by them first."""
        with writing(self._engine) as connection:
            free = or_(reviews.c.holder.is_(None), reviews.c.holder == auditor, reviews.c.held_until < now())
            row = connection.execute(
                select(reviews.c.inspection_id, reviews.c.blind)
                .where(reviews.c.done < reviews.c.wanted, free)
                .order_by(reviews.c.inspection_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            until = timestamp(datetime.now(UTC) + HOLD)
            connection.execute(
                update(reviews)
                .where(reviews.c.inspection_id == row.inspection_id)
                .values(holder=auditor, held_until=until)
            )
            payload = connection.scalar(select(events.c.payload).where(events.c.event_id == row.inspection_id))
            return Held(from_json(payload or b""), row.blind, waiting(connection))

    def release(self, inspection_id: str, auditor: str) -> None:
        """Give a held part back to the queue."""
        with writing(self._engine) as connection:
            connection.execute(
                update(reviews)
                .where(reviews.c.inspection_id == inspection_id, reviews.c.holder == auditor)
                .values(holder=None, held_until=None)
            )

    def open_alerts(self) -> Sequence[Event]:
        """Defects that nobody has acknowledged, oldest first, at most 500."""
        query = (
            select(events.c.payload)
            .join(alerts, alerts.c.event_id == events.c.event_id)
            .where(alerts.c.acknowledged_by.is_(None))
            .order_by(alerts.c.event_id)
            .limit(500)
        )
        with self._engine.connect() as connection:
            return [from_json(payload) for payload in connection.scalars(query)]

    def acknowledge(self, event_id: str, by: str) -> None:
        """Acknowledge an alert; a second time changes nothing. Raises NotFound."""
        with writing(self._engine) as connection:
            connection.execute(
                update(alerts)
                .where(alerts.c.event_id == event_id, alerts.c.acknowledged_by.is_(None))
                .values(acknowledged_by=by, acknowledged_at=now())
            )
            if connection.scalar(select(alerts.c.event_id).where(alerts.c.event_id == event_id)) is None:
                raise NotFound("no_such_alert", "There is no alert for this inspection.")


def waiting(connection: Connection) -> int:
    """How many parts wait for a decision."""
    return connection.scalar(select(func.count()).select_from(reviews).where(reviews.c.done < reviews.c.wanted)) or 0
