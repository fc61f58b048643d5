"""Events with their positions, as both sides of the outbox read them."""

from typing import Any

from sqlalchemy import ColumnElement, and_, select

from inspection.outbox import Carried
from ledger.instants import moment
from ledger.tables import events, journals, lines, positions

#: Add conditions, an order by position and a limit; read the rows with :func:`carried`.
CARRIED = (
    select(
        positions.c.position,
        positions.c.positioned_at,
        journals.c.id.label("journal"),
        positions.c.number,
        journals.c.partition,
        events.c.event_id,
        events.c.kind,
        events.c.payload,
    )
    .join(events, and_(events.c.journal == positions.c.journal, events.c.number == positions.c.number))
    .join(journals, journals.c.key == positions.c.journal)
)


def on_line(line: str) -> ColumnElement[bool]:
    """Only what this line carries. A scalar and no join: the rows still come by position and need no sort."""
    return positions.c.line == select(lines.c.key).where(lines.c.id == line).scalar_subquery()


def carried(row: Any) -> Carried:
    return Carried(
        row.position,
        moment(row.positioned_at),
        row.journal,
        row.number,
        row.partition,
        row.event_id,
        row.kind,
        bytes(row.payload),
    )
