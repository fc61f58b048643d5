"""A turn at the outbox: what only the one working relay may do. Each call is one transaction.

Each turn has a number, and every transaction of a turn checks it while it holds the row that it stands in: a relay
that was frozen and wakes up after another took over can do nothing any more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import Unavailable
from inspection.outbox import Carried, JournalCount
from ledger.carried import CARRIED, carried, on_line
from ledger.changeover import rearrange, take_over
from ledger.database import insert_new, unavailable, upsert
from ledger.instants import present
from ledger.numbering import Journal, LostJournal
from ledger.statements import close_stale, counts_of, note_last_numbers, settle, write
from ledger.tables import events, is_unsent, journals, lines, positions, relay, routes

#: Events that change their line in one transaction.
BITE = 5_000
_Begin = Callable[[bool], AbstractContextManager[Connection]]

# Built once: the relay looks ten times a second, and building a statement costs more than running it.
_SEEN = select(relay.c.turn)
_HELD = _SEEN.with_for_update()
_NEXT = select(relay.c.next_position)
_GO_ON = update(relay).values(next_position=bindparam("after"))
_PLACED = select(routes.c.journal, func.max(routes.c.positioned).label("up_to")).group_by(routes.c.journal).subquery()
_UP_TO = func.coalesce(_PLACED.c.up_to, 0)
_BEHIND = (
    select(journals.c.key, _UP_TO + 1, journals.c.issued)
    .outerjoin(_PLACED, _PLACED.c.journal == journals.c.key)
    .where(journals.c.issued > _UP_TO)
    .order_by(journals.c.key)
)
_PLACE = (
    insert(positions)
    .from_select(
        ["position", "journal", "number", "line", "positioned_at", "sent"],
        select(
            bindparam("offset", type_=BigInteger) + events.c.number,
            events.c.journal,
            events.c.number,
            bindparam("the_line", type_=positions.c.line.type),
            bindparam("at", type_=positions.c.positioned_at.type),
            bindparam("is_sent", type_=positions.c.sent.type),
        ).where(
            events.c.journal == bindparam("the_journal"),
            events.c.number.between(bindparam("first"), bindparam("last")),
        ),
    )
    .execution_options(preserve_rowcount=True)
)


class Turn:
    """Implements ``inspection.outbox.Turn``. ``begin(writes)`` opens a transaction on the lock's connection."""

    def __init__(self, begin: _Begin, number: int) -> None:
        self._begin = begin
        self._number = number
        self._line = ""
        self._statements: dict[tuple[str, int], Journal] = {}  # this turn's own, by line and partition

    def work_on(self, line: str, partitions: int, sent: bool = False) -> None:
        self._line = line
        self._statements = {at: journal for at, journal in self._statements.items() if at[0] == line}
        more = True
        while more:  # in bites: who records meanwhile waits for no longer than one takes
            with self._transaction() as connection:
                more = take_over(connection, _line(connection, line), sent, BITE)
        with self._transaction() as connection:
            own = [journal.key for journal in self._statements.values()]
            rearrange(connection, _line(connection, line), partitions, own)

    def position(self, line: str, limit: int, sent: bool = False) -> int:
        self._line = line
        with self._transaction(writes=False) as connection:
            behind = _behind(connection)
        if not behind:
            return 0  # the usual case on a quiet line costs no write
        with self._transaction() as connection:
            key = _line(connection, line)
            base: int = connection.execute(_NEXT).scalar_one()
            given = 0
            for left, (journal, first, last) in enumerate(behind, start=-len(behind)):
                share = max(1, (limit - given) // -left)  # a busy journal must not starve the others
                last = min(last, first + share - 1)
                if given < limit:
                    _place(connection, journal, first, last, base + given, key, sent)
                    given += last - first + 1
            connection.execute(_GO_ON, {"after": base + given})
            return given

    def unsent(self, line: str, limit: int, after: int = -1) -> Sequence[Carried]:
        found = CARRIED.where(on_line(line), is_unsent, positions.c.position > after)
        with self._transaction(writes=False) as connection:
            return [carried(row) for row in connection.execute(found.order_by(positions.c.position).limit(limit))]

    def mark_sent(self, line: str, positions: Sequence[int]) -> None:
        with self._transaction() as connection:
            key = _line(connection, line)
            for first, last in _ranges(positions):
                connection.execute(_marked(key, first, last))

    def acknowledged(self, line: str) -> Sequence[JournalCount]:
        self._line = line
        with self._transaction() as connection:
            key = _line(connection, line)
            close_stale(connection)
            settle(connection, key)
            return counts_of(connection, key)

    def state(self, partition: int, counts: Sequence[JournalCount]) -> None:
        with self._transaction() as connection:
            journal = write(connection, self._statements.get((self._line, partition)), partition, counts)
            note_last_numbers(connection, _line(connection, self._line), journal, counts)
        self._statements[self._line, partition] = journal

    @contextmanager
    def _transaction(self, writes: bool = True) -> Iterator[Connection]:
        try:
            with self._begin(writes) as connection:
                if connection.scalar(_HELD if writes else _SEEN) != self._number:
                    raise Unavailable("turn_over", "Another relay has taken over.")
                yield connection
        except LostJournal as error:
            raise Unavailable("turn_over", "The database was put back while this turn was at work.") from error
        except SQLAlchemyError as error:
            raise unavailable(error) from error


def _behind(connection: Connection) -> list[tuple[int, int, int]]:
    """Journals with events that have no position: (journal, first such number, last). All of these are committed,
    since a journal's count is updated in the transaction that stores its events."""
    return [(journal, first, last) for journal, first, last in connection.execute(_BEHIND)]


def _place(connection: Connection, journal: int, first: int, last: int, position: int, line: int, sent: bool) -> None:
    """Give numbers ``first`` to ``last`` of ``journal`` the positions from ``position`` on."""
    numbers = {"the_journal": journal, "first": first, "last": last}
    given = {"offset": position - first, "the_line": line, "at": present(), "is_sent": sent}
    if connection.execute(_PLACE, numbers | given).rowcount != last - first + 1:
        raise Unavailable("ledger_damaged", f"Journal {journal} lacks events between {first} and {last}.")
    route = upsert(connection, routes).values(journal=journal, line=line, positioned=last)
    connection.execute(route.on_conflict_do_update(index_elements=["journal", "line"], set_={"positioned": last}))


def _line(connection: Connection, line: str) -> int:
    key = connection.scalar(select(lines.c.key).where(lines.c.id == line))
    if key is None:
        connection.execute(insert_new(connection, lines).values(id=line))
        key = connection.execute(select(lines.c.key).where(lines.c.id == line)).scalar_one()
    return int(key)


def _marked(line: int, first: int, last: int) -> Any:
    return (
        update(positions)
        .where(positions.c.line == line, positions.c.position.between(first, last), is_unsent)
        .values(sent=True)
    )


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Inclusive runs of consecutive numbers; what the broker acknowledges mostly is one."""
    ordered = sorted(set(numbers))
    first = 0
    for place, number in enumerate(ordered):
        if place + 1 == len(ordered) or ordered[place + 1] != number + 1:
            yield ordered[first], number
            first = place + 1
