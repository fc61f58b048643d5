"""Alerts: every defect stays open until somebody acknowledges it."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, func, insert, select, update

from inspection.errors import NotFound
from inspection.events import Event, from_json, timestamp
from inspection.record import Acknowledged
from ledger.database import reading, writing
from ledger.instants import moment, present
from ledger.tables import alerts, events

MOST = 500


def raise_alerts(connection: Connection, numbered: Sequence[Event]) -> None:
    """In the recording transaction: an alert for each defect."""
    defects = [{"event_id": e.event_id} for e in numbered if e.kind == "inspection" and e.verdict == "defect"]
    if defects:
        connection.execute(insert(alerts), defects)


class Alerts:
    """The alerts as the page uses them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_alerts(self) -> Sequence[Event]:
        """The newest 500 defects that nobody has acknowledged, oldest first."""
        newest = select(alerts.c.event_id).where(alerts.c.acknowledged_by.is_(None))
        chosen = newest.order_by(alerts.c.event_id.desc()).limit(MOST)
        query = select(events.c.payload).where(events.c.event_id.in_(chosen)).order_by(events.c.event_id)
        with reading(self._engine) as connection:
            return [from_json(payload) for payload in connection.scalars(query)]

    def acknowledged_alerts(self, limit: int = 50) -> Sequence[Acknowledged]:
        """What was acknowledged last, newest first, by whom and when."""
        query = (
            select(events.c.payload, alerts.c.acknowledged_by, alerts.c.acknowledged_at)
            .join(alerts, alerts.c.event_id == events.c.event_id)
            .where(alerts.c.acknowledged_at.is_not(None))
            .order_by(alerts.c.acknowledged_at.desc())
            .limit(max(1, min(limit, MOST)))
        )
        with reading(self._engine) as connection:
            return [Acknowledged(from_json(p), by, timestamp(moment(at))) for p, by, at in connection.execute(query)]

    def acknowledgement(self, event_id: str) -> tuple[str, str] | None:
        """By whom and when (RFC 3339, UTC) this alert was acknowledged; None: not yet, or there is none."""
        query = select(alerts.c.acknowledged_by, alerts.c.acknowledged_at).where(
            alerts.c.event_id == event_id, alerts.c.acknowledged_at.is_not(None)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.acknowledged_by, timestamp(moment(row.acknowledged_at)))

    def acknowledge(self, event_ids: Sequence[str], by: str) -> None:
        """Acknowledge alerts, all or none; the first to do so is kept. Raises NotFound (``no_such_alert``)."""
        named = alerts.c.event_id.in_(event_ids)
        with writing(self._engine) as connection:
            is_open = (named, alerts.c.acknowledged_by.is_(None))
            connection.execute(update(alerts).where(*is_open).values(acknowledged_by=by, acknowledged_at=present()))
            known = connection.scalar(select(func.count()).select_from(alerts).where(named))
            if known != len(set(event_ids)):
                raise NotFound("no_such_alert", "There is no alert for this inspection.")
