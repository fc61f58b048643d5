"""Journals and how events are numbered and stored: 1, 2, 3 ... in the transaction that stores them."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from inspection.events import Event, now, to_json
from ledger.tables import events, journals, relay

_COLUMNS = tuple(
    column.name
    for column in events.columns
    if column.name not in ("id", "partition", "payload", "position", "positioned_at", "line_id", "sent")
)


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal and how many numbers this process knows it to have issued."""

    id: str
    partition: int
    issued: int


class LostJournal(Exception):
    """The database no longer holds the journal as this process remembers it: a restore or a fail-over."""


def open_journal(connection: Connection, kind: str = "writer", partition: int | None = None) -> Journal:
    """Open a journal with an id never used before, in the given partition or one at random."""
    if partition is None:
        partition = random.randrange(connection.scalar(select(relay.c.partitions)) or 1)  # noqa: S311  spreads load
    journal = Journal(uuid.uuid4().hex, partition, 0)
    connection.execute(
        insert(journals).values(id=journal.id, kind=kind, partition=partition, issued=0, opened_at=now())
    )
    return journal


def close_journal(connection: Connection, journal: Journal, lost: bool = False) -> None:
    """Leave a journal for ever; a lost one is remembered with the greater count, so that its loss is stated."""
    known = connection.scalar(select(journals.c.issued).where(journals.c.id == journal.id))
    if known is None:
        connection.execute(
            insert(journals).values(
                id=journal.id, kind="writer", partition=journal.partition, issued=0, opened_at=now()
            )
        )
    values: dict[str, Any] = {"closed_at": now()}
    if lost:
        values["remembered"] = journal.issued
    connection.execute(update(journals).where(journals.c.id == journal.id).values(**values))


def store(connection: Connection, journal: Journal, drafts: Sequence[Event]) -> tuple[Journal, list[Event]]:
    """Number and insert ``drafts``; returns the journal as it is after the commit, and the numbered events.

    Raises:
        LostJournal: the database holds another count than this process remembers.
    """
    issued = journal.issued + len(drafts)
    taken = connection.execute(
        update(journals).where(journals.c.id == journal.id, journals.c.issued == journal.issued).values(issued=issued)
    )
    if taken.rowcount != 1:
        raise LostJournal(journal.id)
    numbered = [
        replace(draft, journal=journal.id, number=journal.issued + place) for place, draft in enumerate(drafts, start=1)
    ]
    if numbered:
        connection.execute(insert(events), [_row(event, journal.partition) for event in numbered])
    return replace(journal, issued=issued), numbered


def _row(event: Event, partition: int) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in _COLUMNS}
    row["partition"] = partition
    row["payload"] = to_json(event)
    return row
