"""The outbox: dense positions, one working relay, exactly what was acknowledged is marked, statements name the rest."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from inspection.errors import Unavailable
from inspection.events import from_json
from ledger import Ledger, outbox
from ledger.changeover import take_over
from ledger.commit import Writer
from ledger.database import transaction
from ledger.instants import ago
from ledger.statements import SETTLED_AFTER, STALE_AFTER
from ledger.tables import journals, positions, relay, routes
from ledger.turn import Turn
from tests.ledger.drafts import entry

LINE = "cluster:topic"


@pytest.fixture
def writer(ledger: Ledger) -> Writer:
    return Writer(ledger._engine, second_look=0.0)


@pytest.fixture
def turn(ledger: Ledger) -> Iterator[Turn]:
    with ledger.outbox.turn() as held:
        assert held is not None
        yield held


def carried(ledger: Ledger) -> list[tuple[int, str, int]]:
    return [(c.position, c.journal, c.number) for c in ledger.outbox.from_position(0, 10_000)]


def test_positions_are_dense_and_follow_the_numbers(ledger: Ledger, turn: Turn) -> None:
    writers = [Writer(ledger._engine, 0.0) for _ in range(3)]
    for round_ in range(5):
        for writer in writers:
            writer.commit([entry() for _ in range(round_ + 1)])
        while turn.position(LINE, limit=4):
            pass
    found = carried(ledger)
    assert [position for position, _, _ in found] == list(range(45))
    for journal in {journal for _, journal, _ in found}:
        assert [number for _, j, number in found if j == journal] == list(range(1, 16))
    assert ledger.outbox.next_position() == 45


def test_a_busy_journal_does_not_starve_the_others(ledger: Ledger, turn: Turn) -> None:
    busy, quiet = Writer(ledger._engine, 0.0), Writer(ledger._engine, 0.0)
    busy.commit([entry() for _ in range(100)])
    quiet.commit([entry() for _ in range(3)])
    assert turn.position(LINE, limit=10) <= 10
    assert sorted({journal: number for _, journal, number in carried(ledger)}.values()) == [3, 5]


def test_a_position_never_changes_its_line(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry()])
    turn.position("one", 10)
    writer.commit([entry()])
    turn.position("two", 10)
    assert [c.position for c in turn.unsent("one", 10)] == [0]
    assert [c.position for c in turn.unsent("two", 10)] == [1]
    turn.mark_sent("one", [0, 1])
    assert [c.position for c in turn.unsent("two", 10)] == [1]
    assert [c.position for c in ledger.outbox.from_position(0, 10, "two")] == [1]
    assert [c.position for c in ledger.outbox.from_position(0, 10, "three")] == []


def test_exactly_what_was_acknowledged_is_marked(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry() for _ in range(10)])
    turn.position(LINE, 100)
    turn.mark_sent(LINE, [0, 1, 2, 5, 9])
    assert [c.position for c in turn.unsent(LINE, 100)] == [3, 4, 6, 7, 8]
    assert [c.position for c in turn.unsent(LINE, 2, after=4)] == [6, 7]
    assert [count.acknowledged for count in turn.acknowledged(LINE)] == [3]
    assert ledger.outbox.backlog().events == 5
    turn.mark_sent(LINE, [8, 7, 6, 4, 3])
    assert [count.acknowledged for count in turn.acknowledged(LINE)] == [10]
    assert ledger.outbox.backlog().events == 0
    assert ledger.outbox.backlog().oldest is None


def test_the_backlog_counts_what_has_no_position_yet(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    before = datetime.now(UTC)
    writer.commit([entry(), entry()])
    turn.position(LINE, 1)
    backlog = ledger.outbox.backlog()
    assert backlog.events == 2
    assert backlog.oldest is not None
    assert before <= backlog.oldest <= datetime.now(UTC)


def test_what_has_no_position_is_not_acknowledged(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry() for _ in range(5)])
    turn.position(LINE, 3, sent=True)
    assert [count.acknowledged for count in turn.acknowledged(LINE)] == [3]


def test_only_one_relay_works_and_the_next_one_follows(ledger: Ledger, url: str) -> None:
    other = Ledger.open(url)
    with ledger.outbox.turn() as first:
        assert first is not None
        with other.outbox.turn() as second:
            assert second is None
    with other.outbox.turn() as second:
        assert second is not None
    other.close()


def test_a_relay_that_wakes_up_after_its_turn_can_do_nothing(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry(), entry()])
    turn.position(LINE, 1)
    with transaction(ledger._engine) as connection:  # as another relay's beginning does
        connection.execute(text("UPDATE relay SET turn = turn + 1"))
    calls = (
        lambda: turn.position(LINE, 10),
        lambda: turn.unsent(LINE, 10),
        lambda: turn.mark_sent(LINE, [0]),
        lambda: turn.acknowledged(LINE),
        lambda: turn.state(0, []),
        lambda: turn.work_on(LINE, 3),
    )
    for call in calls:
        with pytest.raises(Unavailable):
            call()
    assert len(carried(ledger)) == 1
    assert ledger.outbox.backlog().events == 2


# SQLite has no connection that could be cut: its lock is the process's.
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_turn_whose_connection_was_cut_is_over(ledger: Ledger, writer: Writer, url: str) -> None:
    other = Ledger.open(url)
    writer.commit([entry()])
    with ledger.outbox.turn() as turn:
        assert turn is not None
        turn.position(LINE, 10)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        with other._engine.connect() as connection:
            connection.execute(text(cut))
        with pytest.raises(Unavailable):
            turn.mark_sent(LINE, [0])
        with pytest.raises(Unavailable):
            turn.mark_sent(LINE, [0])
        with other.outbox.turn() as next_turn:
            assert next_turn is not None
            assert [c.position for c in next_turn.unsent(LINE, 10)] == [0]
    other.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # on SQLite its supervisor kills it
def test_a_frozen_relay_loses_its_turn(ledger: Ledger, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is silent for too long is cut off by the server itself, and finds that out when it wakes up."""
    monkeypatch.setattr(outbox, "SILENCE_SECONDS", 1)
    writer.commit([entry()])
    with ledger.outbox.turn() as frozen:
        assert frozen is not None
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.2)
            with ledger.outbox.turn() as next_turn:
                if next_turn is not None:
                    assert next_turn.position(LINE, 10) == 1
                    break
        else:
            pytest.fail("the frozen relay kept its turn")
        with pytest.raises(Unavailable):
            frozen.position(LINE, 10)
    assert len(carried(ledger)) == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # one writes at a time on SQLite
def test_positions_wait_for_transactions_that_are_not_committed(ledger: Ledger, turn: Turn) -> None:
    """A commit that comes late gets its positions then; nothing was skipped, whatever order the row ids came in."""
    slow, quick = Writer(ledger._engine, 0.0), Writer(ledger._engine, 0.0)
    begun, go_on = threading.Event(), threading.Event()

    def render(_: object) -> bytes:
        begun.set()
        go_on.wait(30)
        return b""

    late = entry()
    late = type(late)(late.drafts, render)
    thread = threading.Thread(target=slow.commit, args=([late],))
    thread.start()
    assert begun.wait(30)
    quick.commit([entry()])
    assert turn.position(LINE, 10) == 1
    go_on.set()
    thread.join(30)
    assert turn.position(LINE, 10) == 1
    assert [position for position, _, _ in carried(ledger)] == [0, 1]


def statements(ledger: Ledger) -> list[tuple[int, dict[str, int]]]:
    found = [c for c in ledger.outbox.from_position(0, 10_000) if c.kind == "statement"]
    return [(c.partition, {j: v["issued"] for j, v in (from_json(c.payload).journals or {}).items()}) for c in found]


def test_each_partition_has_a_statement_journal_of_its_own(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    turn.work_on(LINE, 4)
    writer.commit([entry()])
    turn.position(LINE, 10, sent=True)
    for _ in range(2):
        counts = turn.acknowledged(LINE)
        for partition in range(3):
            turn.state(partition, counts)
        turn.position(LINE, 100, sent=True)
    assert [partition for partition, _ in statements(ledger)] == [0, 1, 2] * 2
    last = statements(ledger)[-1][1]
    assert sorted(last.values()) == [1, 1, 1, 1]
    with ledger._engine.connect() as connection:
        kinds = connection.execute(select(journals.c.kind, journals.c.partition, journals.c.issued)).all()
    assert sorted(tuple(row) for row in kinds if row.kind == "statement") == [("statement", p, 2) for p in range(3)]


def test_journals_choose_among_the_partitions(ledger: Ledger, turn: Turn) -> None:
    turn.work_on(LINE, 4)
    for _ in range(40):
        Writer(ledger._engine, 0.0).commit([entry()])
    with ledger._engine.connect() as connection:
        assert set(connection.scalars(select(journals.c.partition))) == {0, 1, 2, 3}


def test_another_line_gets_statement_journals_of_its_own(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    for line in ("one", "two"):
        writer.commit([entry()])
        turn.position(line, 10, sent=True)
        turn.state(0, turn.acknowledged(line))
        turn.position(line, 10, sent=True)
    with ledger._engine.connect() as connection:
        issued = connection.scalars(select(journals.c.issued).where(journals.c.kind == "statement"))
        assert list(issued) == [1, 1]


def test_what_a_line_never_acknowledged_goes_to_the_line_that_is_there(
    ledger: Ledger, writer: Writer, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.turn.BITE", 3)
    writer.commit([entry() for _ in range(4)])
    turn.work_on("lost", 1)
    turn.position("lost", 10)
    turn.mark_sent("lost", [0, 1])
    turn.state(0, turn.acknowledged("lost"))
    writer.commit([entry() for _ in range(6)])
    while turn.position("lost", 10):
        pass
    before = carried(ledger)
    turn.work_on("there", 1)
    assert carried(ledger) == before
    assert turn.unsent("lost", 100) == []
    moved = turn.unsent("there", 100)
    assert [c.number for c in moved] == list(range(3, 11))
    assert {c.kind for c in moved} == {"inspection"}  # a statement speaks of its own line
    assert ledger.outbox.backlog().events == 8
    turn.mark_sent("there", [c.position for c in moved])
    assert [(c.journal, c.acknowledged) for c in turn.acknowledged("there")] == [(moved[0].journal, 10)]
    assert [(c.journal, c.acknowledged) for c in turn.acknowledged("lost")] == [(moved[0].journal, 2)]


def test_the_lowest_position_changes_its_line_first(
    ledger: Ledger, writer: Writer, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer of an embedded line may read in between, and does not look back."""
    monkeypatch.setattr("ledger.turn.BITE", 2)
    for line in ("one", "two", "one", "one", "two", "two"):
        writer.commit([entry()])
        turn.position(line, 1)
    seen: list[list[int]] = []

    def bite(*given: Any) -> bool:
        more = take_over(*given)
        seen.append([c.position for c in ledger.outbox.from_position(0, 10, "here")])
        return more

    monkeypatch.setattr("ledger.turn.take_over", bite)
    turn.work_on("here", 1, sent=True)
    assert all(found == list(range(len(found))) for found in seen)
    assert [c.position for c in ledger.outbox.from_position(0, 10, "here")] == list(range(6))


def test_a_writer_leaves_its_journal_when_another_line_carries_it_on(
    ledger: Ledger, writer: Writer, turn: Turn
) -> None:
    first = writer.commit([entry()])[0].events[0].journal
    turn.work_on("one", 1)
    turn.position("one", 10, sent=True)
    turn.work_on("one", 1)
    assert writer.commit([entry()])[0].events[0].journal == first
    turn.work_on("two", 1)
    second = writer.commit([entry()])[0].events[0].journal
    assert second != first
    turn.position("two", 10)
    turn.work_on("two", 1)
    assert writer.commit([entry()])[0].events[0].journal == second


def test_a_line_with_fewer_partitions_carries_every_journal(ledger: Ledger, turn: Turn) -> None:
    turn.work_on("three", 3)
    writers = [Writer(ledger._engine, 0.0) for _ in range(12)]
    for writer in writers:
        writer.commit([entry(), entry()])
    turn.position("three", 24)
    turn.mark_sent("three", range(12))
    turn.work_on("one", 1)
    for writer in writers:
        writer.commit([entry()])
    turn.position("one", 100)
    waiting = turn.unsent("one", 100)
    assert len(waiting) == 24
    assert {c.partition for c in waiting} == {0}
    turn.mark_sent("one", [c.position for c in waiting])
    assert {count.partition for count in turn.acknowledged("one")} == {0}
    whole = {c.journal for c in ledger.outbox.from_position(0, 100, "three")} - {c.journal for c in waiting}
    stays = {count.journal: count.partition for count in turn.acknowledged("three")}
    assert {stays[journal] for journal in whole} <= {0, 1, 2}
    with ledger._engine.connect() as connection:
        assert connection.scalar(select(relay.c.partitions)) == 1


def test_the_journals_of_a_topic_settle_on_the_embedded_line(ledger: Ledger, turn: Turn) -> None:
    turn.work_on("topic", 3)
    writers = [Writer(ledger._engine, 0.0) for _ in range(9)]
    for writer in writers:
        writer.commit([entry()])
    turn.work_on(LINE, 1, sent=True)
    for writer in writers:
        writer.leave()
    for _ in range(3):
        stated_and_sent(turn)
    with ledger._engine.connect() as connection:
        kept = select(routes.c.settled_at).join(journals, journals.c.key == routes.c.journal)
        assert None not in set(connection.scalars(kept.where(journals.c.kind == "writer")))


def test_every_turn_has_statement_journals_of_its_own(ledger: Ledger, writer: Writer) -> None:
    """A database that was put back would give an earlier turn's numbers a second time."""
    for _ in range(2):
        with ledger.outbox.turn() as turn:
            assert turn is not None
            turn.work_on(LINE, 1)
            for _ in range(2):
                writer.commit([entry()])
                stated_and_sent(turn)
                turn.work_on(LINE, 1)  # reached once more
    with ledger._engine.connect() as connection:
        rows = connection.execute(select(journals).where(journals.c.kind == "statement").order_by(journals.c.key)).all()
    assert [(row.issued, row.closed_at is not None) for row in rows] == [(2, True), (2, False)]


def test_a_turn_is_over_when_the_database_is_put_back_under_it(ledger: Ledger, turn: Turn) -> None:
    turn.work_on(LINE, 1)
    for _ in range(2):
        turn.state(0, [])
    with transaction(ledger._engine) as connection:
        connection.execute(text("DELETE FROM events WHERE number = 2"))
        connection.execute(update(journals).values(issued=1))
    with pytest.raises(Unavailable):
        turn.state(0, [])


def test_a_lost_journal_is_stated_with_the_greater_count(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry(), entry(), entry()])
    turn.position(LINE, 10, sent=True)
    with transaction(ledger._engine) as connection:  # a fail-over that lost the last commit
        connection.execute(text("DELETE FROM events WHERE number > 1"))
        connection.execute(text("DELETE FROM positions WHERE number > 1"))
        connection.execute(text("UPDATE relay SET next_position = 1"))
        connection.execute(update(routes).values(positioned=1))
        connection.execute(update(journals).values(issued=1))
    writer.commit([entry()])
    turn.position(LINE, 10, sent=True)
    assert sorted(count.acknowledged for count in turn.acknowledged(LINE)) == [1, 3]


def test_a_journal_of_which_nothing_is_left_is_stated_too(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry(), entry()])
    with transaction(ledger._engine) as connection:
        connection.execute(text("DELETE FROM events"))
        connection.execute(text("DELETE FROM journals"))
    writer.commit([entry()])
    turn.position(LINE, 10, sent=True)
    assert sorted(count.acknowledged for count in turn.acknowledged(LINE)) == [1, 2]


def test_a_loss_is_stated_once_all_that_is_left_of_its_journal_is_acknowledged(
    ledger: Ledger, writer: Writer, turn: Turn
) -> None:
    """Before that what is only on its way would be taken for lost."""
    writer.commit([entry(), entry(), entry()])
    with transaction(ledger._engine) as connection:
        connection.execute(text("DELETE FROM events WHERE number > 2"))
        connection.execute(update(journals).values(issued=2))
    writer.leave()
    turn.position(LINE, 10)
    turn.mark_sent(LINE, [0])
    assert [count.acknowledged for count in turn.acknowledged(LINE)] == [1]
    turn.mark_sent(LINE, [1])
    assert [count.acknowledged for count in turn.acknowledged(LINE)] == [3]


def stated_and_sent(turn: Turn) -> int:
    """One round of the relay; returns how many journals it named."""
    turn.position(LINE, 100, sent=True)
    counts = turn.acknowledged(LINE)
    turn.state(0, counts)
    turn.position(LINE, 100, sent=True)
    return len(counts)


def test_a_closed_journal_leaves_the_list_seven_days_after_its_last_number_was_stated(
    ledger: Ledger, writer: Writer, turn: Turn
) -> None:
    writer.commit([entry()])
    stated_and_sent(turn)
    assert stated_and_sent(turn) == 2  # the writer's journal and the statements'
    writer.leave()
    stated_and_sent(turn)
    stated_and_sent(turn)

    def age(days: timedelta) -> None:
        with transaction(ledger._engine) as connection:
            connection.execute(update(routes).where(routes.c.settled_at.is_not(None)).values(settled_at=ago(days)))

    age(SETTLED_AFTER - timedelta(hours=1))
    assert stated_and_sent(turn) == 2
    age(SETTLED_AFTER + timedelta(hours=1))
    assert stated_and_sent(turn) == 1


def test_a_journal_is_never_dropped_by_the_calendar_alone(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry()])
    writer.leave()
    turn.position(LINE, 10, sent=True)
    turn.state(0, turn.acknowledged(LINE))
    turn.position(LINE, 10)  # the statement is on its way, not acknowledged
    with ledger._engine.connect() as connection:
        statement = connection.scalar(select(positions.c.position).order_by(positions.c.position.desc()))
        assert statement is not None
    turn.acknowledged(LINE)
    with ledger._engine.connect() as connection:
        assert list(connection.scalars(select(routes.c.settled_at))) == [None, None]
    turn.mark_sent(LINE, [statement])
    turn.acknowledged(LINE)
    with ledger._engine.connect() as connection:
        settled = connection.scalars(select(routes.c.settled_at).order_by(routes.c.journal))
        assert [at is not None for at in settled] == [True, False]


def test_only_a_statement_in_its_own_partition_settles_a_journal(ledger: Ledger, writer: Writer, turn: Turn) -> None:
    writer.commit([entry()])
    writer.leave()
    turn.position(LINE, 10, sent=True)
    turn.state(1, turn.acknowledged(LINE))
    turn.position(LINE, 10, sent=True)
    turn.acknowledged(LINE)
    with ledger._engine.connect() as connection:
        assert set(connection.scalars(select(routes.c.settled_at))) == {None}


def test_the_journal_of_a_dead_writer_is_closed_and_a_late_riser_opens_another(
    ledger: Ledger, writer: Writer, turn: Turn
) -> None:
    writer.commit([entry()])
    with transaction(ledger._engine) as connection:
        connection.execute(update(journals).values(opened_at=ago(STALE_AFTER + timedelta(hours=1))))
    turn.position(LINE, 10)
    turn.acknowledged(LINE)
    made = writer.commit([entry()])[0].events[0]
    assert made.number == 1
    with ledger._engine.connect() as connection:
        assert sorted(at is None for at in connection.scalars(select(journals.c.closed_at))) == [False, True]


def test_many_journals_are_stated_in_several_events(ledger: Ledger, turn: Turn) -> None:
    from inspection.outbox import JournalCount

    turn.position(LINE, 10)
    turn.state(0, [JournalCount(f"{n:032x}", 0, 1) for n in range(4_500)])
    turn.position(LINE, 10, sent=True)
    assert [len(named) for _, named in statements(ledger)] == [2000, 2000, 500]
