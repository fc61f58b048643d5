"""What statements name, where they are written, and when a journal needs no more of them. Part of a relay's turn."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, update

from inspection.events import Event, now, uuid7
from inspection.outbox import JournalCount
from ledger.changeover import route_lost
from ledger.instants import ago, present
from ledger.numbering import Journal, open_journal, store
from ledger.tables import is_unsent, journals, positions, routes

SETTLED_AFTER = timedelta(days=7)
#: A writer leaves its journal after 30 days. One a day older belongs to a process that died: it is closed here, and a
#: writer that should wake up after all finds it closed and opens another.
STALE_AFTER = timedelta(days=31)
#: Journals a statement: about 75 bytes each, so that the event stays far below the size that a topic takes.
MOST_NAMED = 2_000


def close_stale(connection: Connection) -> None:
    """Close the journals of writers that died."""
    stale = (journals.c.kind == "writer", journals.c.closed_at.is_(None), journals.c.opened_at < ago(STALE_AFTER))
    connection.execute(update(journals).where(*stale).values(closed_at=present()))


def counts_of(connection: Connection, line: int) -> list[JournalCount]:
    """Every journal with an event on ``line`` and how far the line acknowledged it, settled ones left out."""
    route_lost(connection, line)
    acknowledged = _acknowledged(line)
    # A loss is named once the line has all that is left: before that, what is only on its way would look lost too.
    lost = and_(journals.c.remembered > journals.c.issued, acknowledged >= journals.c.issued)
    stated = case((lost, journals.c.remembered), else_=acknowledged)
    query = (
        select(journals.c.id, journals.c.partition, stated)
        .join(routes, routes.c.journal == journals.c.key)
        .where(routes.c.line == line, routes.c.settled_at.is_(None) | (routes.c.settled_at > ago(SETTLED_AFTER)))
        .order_by(journals.c.key)
    )
    return [JournalCount(*row) for row in connection.execute(query)]


def write(connection: Connection, journal: Journal | None, partition: int, counts: Sequence[JournalCount]) -> Journal:
    """Store statements naming ``counts`` in ``journal``, or in a new one of ``partition``; returns it as it is then."""
    chunks = [counts[at : at + MOST_NAMED] for at in range(0, len(counts), MOST_NAMED)] or [()]
    drafts = [
        Event(
            kind="statement",
            event_id=uuid7(),
            occurred_at=now(),
            journals={c.journal: {"partition": c.partition, "issued": c.acknowledged} for c in chunk},
        )
        for chunk in chunks
    ]
    journal, _ = store(connection, journal or open_journal(connection, "statement", partition), drafts)
    return journal


def note_last_numbers(connection: Connection, line: int, stated_in: Journal, counts: Sequence[JournalCount]) -> None:
    """Note which closed journals of its partition have now been named with their last number by ``stated_in``'s."""
    final = {c.journal: c.acknowledged for c in counts if c.partition == stated_in.partition}
    last = case((journals.c.remembered > journals.c.issued, journals.c.remembered), else_=journals.c.issued)
    closed = (
        select(journals.c.key, journals.c.id, last.label("last"))
        .join(routes, routes.c.journal == journals.c.key)
        .where(journals.c.closed_at.is_not(None), routes.c.line == line, routes.c.stated_in.is_(None))
    )
    done = [row.key for row in connection.execute(closed) if final.get(row.id) == row.last]
    for key in done:
        noted = update(routes).where(routes.c.journal == key, routes.c.line == line)
        connection.execute(noted.values(stated_in=stated_in.key, stated_as=stated_in.issued))


def settle(connection: Connection, line: int) -> None:
    """Note since when the line has the statement that named a closed journal's last number."""
    named = select(routes.c.journal, routes.c.stated_in, routes.c.stated_as).where(
        routes.c.line == line, routes.c.stated_in.is_not(None), routes.c.settled_at.is_(None)
    )
    for journal, stated_in, stated_as in connection.execute(named).all():
        reached: Select[Any] = select(_acknowledged(line)).select_from(routes)
        reached = reached.where(routes.c.journal == stated_in, routes.c.line == line)
        if (connection.scalar(reached) or 0) >= stated_as:
            settled = update(routes).where(routes.c.journal == journal, routes.c.line == line)
            connection.execute(settled.values(settled_at=present()))


def _acknowledged(line: int) -> ColumnElement[int]:
    """SQL over ``routes``: every number up to this one is acknowledged by the line."""
    first_unsent = (
        select(func.min(positions.c.number))
        .where(positions.c.line == line, positions.c.journal == routes.c.journal, is_unsent)
        .correlate(routes)
        .scalar_subquery()
    )
    return func.coalesce(first_unsent - 1, routes.c.positioned)
