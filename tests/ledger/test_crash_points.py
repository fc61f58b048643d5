"""Hypothesis drives writers, relays and failures in any order; after each step the promise must hold.

Failures are put where the driver commits: nothing reached the database, or all did and the answer was lost.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from inspection.errors import Conflict, Unavailable
from inspection.outbox import Carried
from inspection.record import Entry, Receipt
from ledger import Ledger
from ledger.commit import Writer
from ledger.database import transaction
from ledger.tables import events, identity, journals, metadata, relay
from ledger.turn import Turn
from tests.ledger.drafts import entry, inspected

KEYS = st.sampled_from([None, None, "k1", "k2", "k3"])
CALLS = st.lists(st.tuples(KEYS, st.sampled_from("ab"), st.integers(1, 3)), min_size=1, max_size=4)
LINES = ("one", "two")


@contextmanager
def failing(ledger: Ledger, stored: bool) -> Iterator[None]:
    """The next commits fail as a lost connection does: with the data ``stored`` or not."""
    dialect: Any = ledger._engine.dialect
    real: Callable[[Any], None] = dialect.do_commit
    error = sqlite3.OperationalError if dialect.name == "sqlite" else psycopg.OperationalError

    def fail(connection: Any) -> None:
        if stored:
            real(connection)
        raise error("the connection was lost")

    dialect.do_commit = fail
    try:
        yield
    finally:
        dialect.do_commit = real


class Machine(RuleBasedStateMachine):
    """Two writers and a relay over one ledger; what was answered is remembered here."""

    ledger: Ledger

    @initialize()
    def begin(self) -> None:
        with transaction(self.ledger._engine) as connection:
            for table in metadata.sorted_tables:
                if table not in (relay, identity):
                    connection.execute(table.delete())
            connection.execute(update(relay).values(next_position=0))
        self.writers = [Writer(self.ledger._engine, 0.5) for _ in range(2)]
        self.answered: dict[tuple[str, int], str] = {}
        self.bodies: dict[str, tuple[str, bytes]] = {}
        self.seen: list[tuple[int, str, int]] = []
        self.line = LINES[0]

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        with self.ledger.outbox.turn() as turn:
            assert turn is not None
            turn.work_on(self.line, 1)
            yield turn

    def submit(self, writer: int, calls: list[tuple[str | None, str, int]]) -> list[Entry]:
        return [entry(*(inspected() for _ in range(n)), key=key, content=content) for key, content, n in calls]

    @rule(writer=st.integers(0, 1), calls=CALLS)
    def commit(self, writer: int, calls: list[tuple[str | None, str, int]]) -> None:
        entries = self.submit(writer, calls)
        for one, outcome in zip(entries, self.writers[writer].commit(entries), strict=True):
            self.note(one, outcome)

    def note(self, one: Entry, outcome: Any) -> None:
        assert isinstance(outcome, Receipt | Conflict)
        if isinstance(outcome, Receipt):
            for event in outcome.events:
                assert (event.journal, event.number) not in self.answered
                self.answered[event.journal, event.number] = event.event_id
        if one.key is not None:
            known = self.bodies.get(one.key.key)
            if isinstance(outcome, Conflict):
                assert known is None or known[0] != one.key.fingerprint
            elif known is not None:
                assert known == (one.key.fingerprint, outcome.body)
            else:
                self.bodies[one.key.key] = (one.key.fingerprint, outcome.body)

    @rule(writer=st.integers(0, 1), calls=CALLS, stored=st.booleans())
    def commit_unclearly(self, writer: int, calls: list[tuple[str | None, str, int]], stored: bool) -> None:
        with failing(self.ledger, stored):
            outcomes = self.writers[writer].commit(self.submit(writer, calls))
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)

    @rule(writer=st.integers(0, 1), stored=st.booleans())
    def die(self, writer: int, stored: bool) -> None:
        """A kill -9: in the middle of a commit that reached the database or not, nothing is closed."""
        with failing(self.ledger, stored):
            self.writers[writer].commit([entry()])
        self.writers[writer] = Writer(self.ledger._engine, 0.5)

    @rule(writer=st.integers(0, 1))
    def stop_cleanly(self, writer: int) -> None:
        self.writers[writer].leave()
        self.writers[writer] = Writer(self.ledger._engine, 0.5)

    @rule(line=st.sampled_from(LINES), stored=st.sampled_from([None, True, False]))
    def change_the_line(self, line: str, stored: bool | None) -> None:
        """What the other line did not acknowledge goes along, also when that is cut off."""
        self.line = line
        with self.ledger.outbox.turn() as turn:
            assert turn is not None
            if stored is None:
                turn.work_on(line, 1)
            else:
                with failing(self.ledger, stored), pytest.raises(Unavailable):
                    turn.work_on(line, 1)

    @rule(limit=st.integers(1, 6), sent=st.booleans(), stored=st.sampled_from([None, None, True, False]))
    def give_positions(self, limit: int, sent: bool, stored: bool | None) -> None:
        with self.turn() as turn:
            if stored is None:
                turn.position(self.line, limit, sent)
            else:
                # With nothing to place there is nothing to commit, and nothing fails.
                with failing(self.ledger, stored), suppress(Unavailable):
                    turn.position(self.line, limit, sent)

    @rule(data=st.data(), stored=st.sampled_from([None, None, True, False]))
    def mark(self, data: st.DataObject, stored: bool | None) -> None:
        with self.turn() as turn:
            waiting = [carried.position for carried in turn.unsent(self.line, 100)]
            if not waiting:
                return
            some = data.draw(st.sets(st.sampled_from(waiting)))
            if stored is None:
                turn.mark_sent(self.line, sorted(some))
                assert [c.position for c in turn.unsent(self.line, 100)] == [p for p in waiting if p not in some]
            else:
                with failing(self.ledger, stored), pytest.raises(Unavailable):
                    turn.mark_sent(self.line, sorted(some))

    @rule()
    def state(self) -> None:
        """A statement names exactly how far each journal is acknowledged without a gap."""
        with self.turn() as turn:
            named = {count.journal: count.acknowledged for count in turn.acknowledged(self.line)}
            unsent = {(c.journal, c.number) for line in LINES for c in turn.unsent(line, 1000)}
            placed = {(c.journal, c.number) for c in self.carried()}
            here = {(c.journal, c.number) for c in self.ledger.outbox.from_position(0, 10_000, self.line)}
            for journal, count in named.items():
                assert all((journal, n) in placed - unsent for n in range(1, count + 1))
                assert (journal, count + 1) not in here - unsent
                if count:
                    assert (journal, count) in here
            assert not any(turn.unsent(line, 1) for line in LINES if line != self.line)
            turn.state(0, turn.acknowledged(self.line))

    def carried(self) -> list[Carried]:
        return list(self.ledger.outbox.from_position(0, 10_000))

    @invariant()
    def numbers_have_no_gaps_and_no_answer_is_lost(self) -> None:
        with self.ledger._engine.connect() as connection:
            rows = connection.execute(
                select(journals.c.id, events.c.number, events.c.event_id)
                .join(events, events.c.journal == journals.c.key)
                .order_by(events.c.number)
            ).all()
            issued = {row.id: row.issued for row in connection.execute(select(journals))}
        numbers: dict[str, list[int]] = defaultdict(list)
        for journal, number, _ in rows:
            numbers[journal].append(number)
        assert all(numbers[journal] == list(range(1, count + 1)) for journal, count in issued.items())
        stored = {(journal, number): event_id for journal, number, event_id in rows}
        assert self.answered.items() <= stored.items()

    @invariant()
    def positions_are_dense_and_never_change(self) -> None:
        found = [(c.position, c.journal, c.number) for c in self.carried()]
        assert [position for position, _, _ in found] == list(range(len(found)))
        assert found[: len(self.seen)] == self.seen
        numbers: dict[str, int] = defaultdict(int)
        for _, journal, number in found:
            numbers[journal] += 1
            assert number == numbers[journal]
        self.seen = found


def test_the_promise_holds_at_every_crash_point(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.turn.BITE", 2)
    machine = type("Machine", (Machine,), {"ledger": ledger})
    steps = settings(
        max_examples=20,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(machine, settings=steps)
