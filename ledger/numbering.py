"""Journals and how events are numbered and stored: 1, 2, 3 ... in the transaction that stores them."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from inspection.events import Event, to_json
from ledger.instants import parsed, present
from ledger.tables import events, journals, relay

#: Bytes of an event's JSON, well below the 1 MiB that a topic takes.
MAX_PAYLOAD = 512 * 1024
#: Characters of a field that are searched; the payload keeps all of it.
MAX_SEARCHED = 128
_TEXTS = (
    *("verdict", "prediction", "model_version", "origin", "filename", "image_sha256"),
    *("part_id", "lot", "line", "camera", "shift", "operator", "inspection_id"),
)
# Built once: on the way of every answer, building a statement costs more than running it.
_STORE = insert(events)
_COUNT_ON = (
    update(journals)
    .where(journals.c.key == bindparam("row"), journals.c.id == bindparam("journal"))
    .where(journals.c.issued == bindparam("before"), journals.c.closed_at.is_(None))
    .values(issued=bindparam("after"))
)


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal and how many numbers this process knows it to have issued. ``key`` is its row's."""

    key: int
    id: str
    partition: int
    issued: int


class LostJournal(Exception):
    """The database no longer holds the journal as this process remembers it: a restore or a fail-over."""


def open_journal(connection: Connection, kind: str = "writer", partition: int | None = None) -> Journal:
    """Open a journal with an id never used before, in the given partition or one at random."""
    if partition is None:
        partition = random.randrange(connection.scalar(select(relay.c.partitions)) or 1)  # noqa: S311  spreads load
    return _insert(connection, uuid.uuid4().hex, kind, partition)


def close_journal(connection: Connection, journal: Journal) -> None:
    """Leave a journal for ever. Where the database holds fewer numbers of it than its writer answered (a restore, a
    fail-over), the greater count is remembered, so that the loss is stated."""
    held = connection.scalar(select(journals.c.issued).where(journals.c.id == journal.id))
    if held is None:
        _insert(connection, journal.id, "writer", journal.partition)
    values = {"closed_at": present()} | ({"remembered": journal.issued} if (held or 0) < journal.issued else {})
    connection.execute(update(journals).where(journals.c.id == journal.id).values(**values))


def store(connection: Connection, journal: Journal, drafts: Sequence[Event]) -> tuple[Journal, list[Event]]:
    """Number and insert ``drafts``; returns the journal as it is after the commit, and the numbered events.

    Raises:
        LostJournal: the database holds another count than this process remembers, or has closed the journal.
        ValueError: an event can't be written as JSON, or is too large.
    """
    after = replace(journal, issued=journal.issued + len(drafts))
    numbered = [
        replace(draft, journal=journal.id, number=number) for number, draft in enumerate(drafts, journal.issued + 1)
    ]
    remembered = {"row": journal.key, "journal": journal.id, "before": journal.issued, "after": after.issued}
    if connection.execute(_COUNT_ON, remembered).rowcount != 1:
        raise LostJournal(journal.id)
    if numbered:
        connection.execute(_STORE, [_row(event, journal.key) for event in numbered])
    return after, numbered


def _insert(connection: Connection, journal_id: str, kind: str, partition: int) -> Journal:
    row = {"id": journal_id, "kind": kind, "partition": partition, "issued": 0, "remembered": 0}
    opened = insert(journals).values(**row, opened_at=present()).returning(journals.c.key)
    return Journal(connection.execute(opened).scalar_one(), journal_id, partition, 0)


def _row(event: Event, journal: int) -> dict[str, Any]:
    payload = to_json(event)
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"an event of {len(payload)} bytes is too large")
    row: dict[str, Any] = {
        "journal": journal,
        "number": event.number,
        "event_id": event.event_id,
        "kind": event.kind,
        "occurred_at": parsed(event.occurred_at),
        "payload": payload,
        "p_defect": event.p_defect,
        "latency_ms": event.latency_ms,
    }
    for name in _TEXTS:
        value = getattr(event, name)
        row[name] = value[:MAX_SEARCHED].replace("\0", "") if value else None  # PostgreSQL takes no NUL
    return row
