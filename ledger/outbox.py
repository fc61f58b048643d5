"""The ledger as the relay and the embedded consumer see it: positions, what is unsent, statements.

One relay works at a time: on PostgreSQL by an advisory lock, which ends with its connection; on SQLite by a lock on a
file beside the database, which ends with its process. Besides, each turn has a number, and every transaction of a
turn checks it: a relay that was frozen and wakes up after another took over can do nothing any more.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, case, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import Unavailable
from inspection.events import Event, now, timestamp, uuid7
from inspection.outbox import Backlog, Carried, JournalCount
from ledger.database import unavailable, writing
from ledger.numbering import Journal, open_journal, store
from ledger.tables import events, journals, relay

SETTLED_AFTER = timedelta(days=7)
_RELAY_LOCK = 0x6361737402  # any constant: "cast", 2
_CARRIED = (
    events.c.position,
    events.c.positioned_at,
    events.c.journal,
    events.c.number,
    events.c.partition,
    events.c.event_id,
    events.c.kind,
    events.c.payload,
)


def _carried(row: Any) -> Carried:
    return Carried(
        row.position,
        datetime.fromisoformat(row.positioned_at),
        row.journal,
        row.number,
        row.partition,
        row.event_id,
        row.kind,
        row.payload,
    )


class Turn:
    """What only the working relay may do; implements ``inspection.outbox.Turn``."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self._number = number

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with writing(self._engine) as connection:
                mine = update(relay).where(relay.c.turn == self._number).values(turn=self._number)
                if connection.execute(mine).rowcount != 1:
                    raise Unavailable("turn_over", "Another relay has taken over.")
                yield connection
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def position(self, line: str, limit: int, sent: bool = False) -> int:
        with self._writing() as connection:
            base = connection.scalar(select(relay.c.next_position)) or 0
            chosen = (
                select(events.c.id, (func.row_number().over(order_by=events.c.id) - 1).label("place"))
                .where(events.c.position.is_(None))
                .order_by(events.c.id)
                .limit(limit)
                .subquery()
            )
            given = connection.execute(
                update(events)
                .where(events.c.id == chosen.c.id)
                .values(position=base + chosen.c.place, positioned_at=now(), line_id=line, sent=sent)
            ).rowcount
            if given:
                connection.execute(update(relay).values(next_position=base + given))
            return given

    def unsent(self, line: str, limit: int, after: int = -1) -> Sequence[Carried]:
        query = (
            select(*_CARRIED)
            .where(~events.c.sent, events.c.position > after, events.c.line_id == line)
            .order_by(events.c.position)
            .limit(limit)
        )
        with self._writing() as connection:
            return [_carried(row) for row in connection.execute(query)]

    def mark_sent(self, line: str, positions: Sequence[int]) -> None:
        with self._writing() as connection:
            for start in range(0, len(positions), 500):
                some = positions[start : start + 500]
                connection.execute(
                    update(events).where(events.c.position.in_(some), events.c.line_id == line).values(sent=True)
                )

    def acknowledged(self, line: str) -> Sequence[JournalCount]:
        first_unsent = (
            select(func.min(events.c.number))
            .where(events.c.journal == journals.c.id, ~events.c.sent)
            .correlate(journals)
            .scalar_subquery()
        )
        on_line = select(events.c.id).where(events.c.journal == journals.c.id, events.c.line_id == line)
        acknowledged = func.coalesce(first_unsent - 1, journals.c.issued)
        recent = journals.c.settled_at.is_(None) | (
            journals.c.settled_at > timestamp(datetime.now(UTC) - SETTLED_AFTER)
        )
        stated = case((journals.c.remembered > acknowledged, journals.c.remembered), else_=acknowledged)
        query = select(journals.c.id, journals.c.partition, stated.label("stated")).where(
            recent, on_line.correlate(journals).exists() | (journals.c.remembered > 0)
        )
        with self._writing() as connection:
            return [JournalCount(row.id, row.partition, row.stated) for row in connection.execute(query)]

    def state(self, partition: int, counts: Sequence[JournalCount]) -> None:
        named = {c.journal: {"partition": c.partition, "issued": c.acknowledged} for c in counts}
        draft = Event(kind="statement", event_id=uuid7(), occurred_at=now(), journals=named)
        with self._writing() as connection:
            row = connection.execute(
                select(journals.c.id, journals.c.issued).where(
                    journals.c.kind == "statement", journals.c.partition == partition, journals.c.closed_at.is_(None)
                )
            ).first()
            journal = (
                Journal(row.id, partition, row.issued) if row else open_journal(connection, "statement", partition)
            )
            store(connection, journal, [draft])

    def partitions(self, count: int) -> None:
        with self._writing() as connection:
            connection.execute(update(relay).values(partitions=count))


class Outbox:
    """Implements ``inspection.outbox.Outbox`` and ``inspection.outbox.Positioned``."""

    def __init__(self, engine: Engine, ledger_id: str) -> None:
        self._engine = engine
        self._ledger_id = ledger_id

    @property
    def ledger_id(self) -> str:
        return self._ledger_id

    @contextmanager
    def turn(self) -> Iterator[Turn | None]:
        with self._lock() as held:
            if not held:
                yield None
                return
            with writing(self._engine) as connection:
                connection.execute(update(relay).values(turn=relay.c.turn + 1))
                number = connection.scalar(select(relay.c.turn)) or 0
            yield Turn(self._engine, number)

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        if self._engine.dialect.name == "sqlite":
            with Path(f"{self._engine.url.database}.relay-lock").open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield False
                else:
                    yield True
        else:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                held = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RELAY_LOCK}))
                try:
                    yield held
                finally:
                    connection.invalidate()  # a session's locks end with it

    def backlog(self) -> Backlog:
        query = select(func.count(), func.min(events.c.occurred_at)).where(~events.c.sent)
        with self._engine.connect() as connection:
            count, oldest = connection.execute(query).one()
        return Backlog(count, datetime.fromisoformat(oldest) if oldest else None)

    def from_position(self, position: int, limit: int, line: str | None = None) -> Sequence[Carried]:
        query = select(*_CARRIED).where(events.c.position >= position).order_by(events.c.position).limit(limit)
        if line is not None:
            query = query.where(events.c.line_id == line)
        with self._engine.connect() as connection:
            return [_carried(row) for row in connection.execute(query)]

    def next_position(self) -> int:
        with self._engine.connect() as connection:
            return connection.scalar(select(relay.c.next_position)) or 0
