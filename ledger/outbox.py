"""The ledger as the relay and the embedded consumer see it: whose turn it is, what waits, events by position.

One relay works at a time. On PostgreSQL that is a session's advisory lock, which ends with its connection; the server
ends the connection of a holder that is frozen or cut off. On SQLite it is a lock on a file beside the database, which
the system gives back when its process ends, however it ends.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import Unavailable
from inspection.outbox import EMBEDDED, Backlog, Carried
from ledger.carried import CARRIED, carried, on_line
from ledger.database import reading, transaction, unavailable, writing
from ledger.instants import moment
from ledger.tables import events, is_unsent, journals, lines, positions, relay, routes
from ledger.turn import Turn

_RELAY_LOCK = 0x6361737402  # any constant: "cast", 2
#: Seconds without a word after which PostgreSQL ends the holder's connection, and with it the lock.
SILENCE_SECONDS = 60


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
        lock = _locked_file if self._engine.dialect.name == "sqlite" else _locked_session
        with lock(self._engine) as begin:
            yield None if begin is None else Turn(begin, _take(begin))

    def backlog(self) -> Backlog:
        """What is committed and not acknowledged, or not in an embedded line's lake; ``oldest``: when that occurred."""
        placed = select(routes.c.journal, func.max(routes.c.positioned).label("up_to")).group_by(routes.c.journal)
        up_to = placed.subquery()
        behind = (
            select(journals.c.key, journals.c.issued, func.coalesce(up_to.c.up_to, 0).label("up_to"))
            .outerjoin(up_to, up_to.c.journal == journals.c.key)
            .where(journals.c.issued > func.coalesce(up_to.c.up_to, 0))
        )
        oldest = select(func.min(positions.c.position)).where(is_unsent).group_by(positions.c.line)
        unsent = select(positions.c.journal, positions.c.number).where(positions.c.position.in_(oldest))
        embedded = select(lines.c.key, func.coalesce(lines.c.stored, 0)).where(lines.c.id.startswith(EMBEDDED))
        with reading(self._engine) as connection:
            waiting = connection.execute(behind).all()
            count = connection.scalar(select(func.count()).select_from(positions).where(is_unsent)) or 0
            unstored = [_unstored(connection, key, stored) for key, stored in connection.execute(embedded)]
            first = [(row.key, row.up_to + 1) for row in waiting]
            first += [(j, n) for j, n in connection.execute(unsent)]
            first += [place for _, places in unstored for place in places]
            times = [_occurred(connection, journal, number) for journal, number in first]
        count += sum(row.issued - row.up_to for row in waiting) + sum(number for number, _ in unstored)
        return Backlog(count, moment(min(times)) if times else None)

    def from_position(self, position: int, limit: int, line: str | None = None) -> Sequence[Carried]:
        query = CARRIED.where(positions.c.position >= position).order_by(positions.c.position).limit(limit)
        if line is not None:
            query = query.where(on_line(line))
        with reading(self._engine) as connection:
            return [carried(row) for row in connection.execute(query)]

    def numbered(self, journal: str, first: int, last: int) -> Sequence[Carried]:
        query = CARRIED.where(journals.c.id == journal, positions.c.number.between(first, last))
        with reading(self._engine) as connection:
            return [carried(row) for row in connection.execute(query.order_by(positions.c.number))]

    def note_stored(self, line: str, before: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(lines).where(lines.c.id == line).values(stored=before))

    def lines(self) -> Sequence[str]:
        with reading(self._engine) as connection:
            return list(connection.scalars(select(lines.c.id).order_by(lines.c.key)))

    def next_position(self) -> int:
        with reading(self._engine) as connection:
            return connection.scalar(select(relay.c.next_position)) or 0


def _unstored(connection: Connection, line: int, stored: int) -> tuple[int, list[tuple[int, int]]]:
    """How many events of an embedded line its lake lacks, and the first of them as (journal, number)."""
    later = (positions.c.line == line, positions.c.position >= stored)
    count = connection.scalar(select(func.count()).select_from(positions).where(*later)) or 0
    first = select(positions.c.journal, positions.c.number).where(*later).order_by(positions.c.position).limit(1)
    return count, [(journal, number) for journal, number in connection.execute(first)]


def _occurred(connection: Connection, journal: int, number: int) -> int:
    query = select(events.c.occurred_at).where(events.c.journal == journal, events.c.number == number)
    occurred: int = connection.execute(query).scalar_one()
    return occurred


def _take(begin: "_Begin") -> int:
    """Begin a new turn, which ends all earlier ones."""
    try:
        with begin(True) as connection:
            next_turn = update(relay).values(turn=relay.c.turn + 1).returning(relay.c.turn)
            turn: int = connection.execute(next_turn).scalar_one()
            return turn
    except SQLAlchemyError as error:
        raise unavailable(error) from error


class _Begin:
    """Opens the transactions of a turn: on a held connection, or on one of the engine's."""

    def __init__(self, engine: Engine, held: Connection | None = None) -> None:
        self._engine = engine
        self._held = held

    def __call__(self, writes: bool) -> AbstractContextManager[Connection]:
        if self._held is not None:
            return _on(self._held)
        return transaction(self._engine) if writes else self._engine.connect()


@contextmanager
def _on(connection: Connection) -> Iterator[Connection]:
    if connection.invalidated:  # it would be opened again silently, without the lock
        raise Unavailable("turn_over", "The connection that held the relay's lock was lost.")
    with connection.begin():
        yield connection


@contextmanager
def _locked_file(engine: Engine) -> Iterator[_Begin | None]:
    with Path(f"{engine.url.database}.relay-lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield _Begin(engine)


@contextmanager
def _locked_session(engine: Engine) -> Iterator[_Begin | None]:
    with reading(engine) as connection:
        try:
            with connection.begin():
                connection.execute(text(f"SET idle_session_timeout = '{SILENCE_SECONDS}s'"))
                held = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RELAY_LOCK})
            yield _Begin(engine, connection) if held else None
        finally:
            connection.invalidate()  # a session's locks and settings end with it
