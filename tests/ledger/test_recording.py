"""Recording: numbers without gaps, one commit for many, each call all or none, the same key the same answer."""

import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, create_engine, delete, select, update
from sqlalchemy.exc import OperationalError

from inspection.errors import BadRequest, Conflict, NotFound, Unavailable
from inspection.events import Event as Recorded
from inspection.events import from_json
from inspection.record import Draft, Entry, IdempotencyKey, Search
from ledger import Ledger, commit
from ledger.answers import KEY_LIFE
from ledger.commit import Writer
from ledger.database import transaction
from ledger.instants import ago
from ledger.tables import answers, events, journals
from tests.ledger.drafts import audited, entry, inspected


def payloads(ledger: Ledger) -> list[tuple[str, int]]:
    with ledger._engine.connect() as connection:
        rows = connection.scalars(select(events.c.payload).order_by(events.c.id))
        return [(event.journal, event.number) for event in map(from_json, rows)]


@pytest.fixture
def writer(ledger: Ledger) -> Writer:
    return Writer(ledger._engine, second_look=0.0)


def test_numbers_have_no_gaps_whatever_the_grouping(ledger: Ledger) -> None:
    recorder = ledger.recorder(second_look=0.1)
    with ThreadPoolExecutor(8) as pool:
        waiting = list(pool.map(lambda n: recorder.submit(entry(*(inspected() for _ in range(n % 3 + 1)))), range(60)))
    receipts = [future.result(timeout=30) for future in waiting]
    recorder.close()
    answered = sorted(event.number for receipt in receipts for event in receipt.events)
    assert answered == list(range(1, len(answered) + 1))
    assert [number for _, number in payloads(ledger)] == answered
    assert len({journal for journal, _ in payloads(ledger)}) == 1


def test_the_body_is_made_of_the_numbered_events(ledger: Ledger) -> None:
    recorder = ledger.recorder(second_look=0.1)
    receipt = recorder.submit(entry(inspected(), inspected())).result(timeout=30)
    recorder.close()
    journal = receipt.events[0].journal
    assert receipt.body == f"{journal}:1;{journal}:2".encode()


def test_every_writer_has_a_journal_of_its_own(ledger: Ledger) -> None:
    first, second = ledger.recorder(second_look=0.1), ledger.recorder(second_look=0.1)
    made = [recorder.submit(entry()).result(timeout=30).events[0] for recorder in (first, second)]
    first.close()
    second.close()
    assert [event.number for event in made] == [1, 1]
    assert made[0].journal != made[1].journal


def test_a_bad_entry_never_fails_its_neighbours_nor_leaves_a_gap(ledger: Ledger, writer: Writer) -> None:
    bad = [
        entry(inspected(p_defect=float("nan"))),
        entry(inspected(note="x" * 600_000)),
        entry(inspected(occurred_at="yesterday")),
        Entry((Draft(inspected()),), lambda _: 1 / 0),  # type: ignore[return-value]
        entry(inspected(line="\ud800")),
    ]
    good = [entry() for _ in range(6)]
    mixed = [good[0], *(one for pair in zip(bad, good[1:], strict=True) for one in pair)]
    outcomes = writer.commit(mixed)
    assert [isinstance(outcome, BadRequest) for outcome in outcomes] == [False, True] * 5 + [False]
    assert [number for _, number in payloads(ledger)] == [1, 2, 3, 4, 5, 6]
    assert len({journal for journal, _ in payloads(ledger)}) == 1


def test_the_longest_part_data_in_the_widest_characters_fit_every_index(ledger: Ledger, writer: Writer) -> None:
    names = ("line", "camera", "shift", "operator", "lot", "part_id", "filename")
    wide = {
        name: "".join(chr(0x10000 + (7919 * (place + 1) * n) % 60_000) for n in range(128))
        for place, name in enumerate(names)
    }
    event = inspected(**wide, model_version="m" * 128)
    assert writer.commit([entry(event)])[0].events[0].line == wide["line"]
    assert ledger.records.search(Search(camera=wide["camera"], lot=wide["lot"])).items[0].event_id == event.event_id


def test_an_event_id_can_not_be_recorded_twice(ledger: Ledger, writer: Writer) -> None:
    event = inspected()
    outcomes = writer.commit([entry(event), entry(event), entry()])
    assert [isinstance(outcome, BadRequest) for outcome in outcomes] == [False, True, False]
    assert [number for _, number in payloads(ledger)] == [1, 2]


def test_the_same_key_gives_the_stored_body_and_no_second_event(ledger: Ledger, writer: Writer) -> None:
    first, twin = writer.commit([entry(key="k"), entry(key="k")])
    later = writer.commit([entry(key="k")])[0]
    assert first.body == twin.body == later.body
    assert (first.replayed, twin.replayed, later.replayed) == (False, True, True)
    assert len(payloads(ledger)) == 1


def test_the_same_key_with_other_content_conflicts(ledger: Ledger, writer: Writer) -> None:
    ok, twin = writer.commit([entry(key="k"), entry(key="k", content="b")])
    later = writer.commit([entry(key="k", content="b"), entry()])
    assert isinstance(twin, Conflict)
    assert isinstance(later[0], Conflict)
    assert later[0].code == "idempotency_mismatch"
    assert later[1].events[0].number == 2
    assert ok.events[0].number == 1


def test_a_stored_answer_is_found_before_any_work(ledger: Ledger) -> None:
    recorder = ledger.recorder(second_look=0.1)
    made = entry(key="k")
    body = recorder.submit(made).result(timeout=30).body
    assert made.key is not None
    assert recorder.answer(made.key) == body
    assert recorder.answer(IdempotencyKey("other", "x")) is None
    with pytest.raises(Conflict):
        recorder.answer(IdempotencyKey("k", "x"))
    recorder.close()


def test_a_key_is_forgotten_after_a_day(ledger: Ledger, writer: Writer) -> None:
    writer.commit([entry(key="k"), entry(key="young")])
    with transaction(ledger._engine) as connection:
        old = update(answers).where(answers.c.key == "k")
        connection.execute(old.values(stored_at=ago(KEY_LIFE + timedelta(seconds=1))))
    again = writer.commit([entry(key="k", content="b")])[0]
    assert not again.replayed
    with transaction(ledger._engine) as connection:
        connection.execute(update(answers).values(stored_at=ago(KEY_LIFE + timedelta(seconds=1))))
    assert ledger.records.tidy(timedelta(days=1)) == (0, 2)


def test_two_writers_with_the_same_keys_number_each_once(ledger: Ledger) -> None:
    recorders = [ledger.recorder(second_look=0.1), ledger.recorder(second_look=0.1)]
    names = [f"key{n}" for n in range(40)]
    with ThreadPoolExecutor(2) as pool:

        def send(place: int) -> list[bytes]:
            order = names if place == 0 else names[::-1]
            sent = {name: recorders[place].submit(entry(key=name)) for name in order}
            return [sent[name].result(timeout=60).body for name in names]

        first, second = pool.map(send, (0, 1))
    for recorder in recorders:
        recorder.close()
    assert first == second
    assert len(payloads(ledger)) == len(names)


def test_a_restored_ledger_costs_the_journal_and_its_loss_is_remembered(ledger: Ledger, writer: Writer) -> None:
    writer.commit([entry(), entry(), entry()])
    lost = payloads(ledger)[0][0]
    with transaction(ledger._engine) as connection:  # as a backup from before number 3 would leave it
        connection.execute(delete(events).where(events.c.number == 3))
        connection.execute(update(journals).values(issued=2))
    made = writer.commit([entry()])[0].events[0]
    assert made.journal != lost
    assert made.number == 1
    with ledger._engine.connect() as connection:
        row = connection.execute(select(journals).where(journals.c.id == lost)).one()
    assert (row.issued, row.remembered) == (2, 3)
    assert row.closed_at is not None


def meets_an_error(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_engine: Engine) -> None:
        raise OperationalError("BEGIN", None, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(commit, "transaction", away)
        assert isinstance(writer.commit([entry()])[0], Unavailable)
    writer.commit([entry()])


def grows_old(writer: Writer, _monkeypatch: pytest.MonkeyPatch) -> None:
    writer._opened -= timedelta(days=31)
    writer.commit([entry()])


def leaves(writer: Writer, _monkeypatch: pytest.MonkeyPatch) -> None:
    writer.leave()


@pytest.mark.parametrize("how", [meets_an_error, grows_old, leaves])
@pytest.mark.parametrize("held", [2, None])
def test_a_loss_is_remembered_however_the_journal_is_left(
    ledger: Ledger,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    how: Callable[[Writer, pytest.MonkeyPatch], None],
    held: int | None,
) -> None:
    writer.commit([entry(), entry(), entry()])
    lost = payloads(ledger)[0][0]
    with transaction(ledger._engine) as connection:  # a standby that lacks the newest takes over
        connection.execute(delete(events).where(events.c.number > (held or 0)))
        connection.execute(delete(journals) if held is None else update(journals).values(issued=held))
    how(writer, monkeypatch)
    with ledger._engine.connect() as connection:
        row = connection.execute(select(journals).where(journals.c.id == lost)).one()
    assert (row.issued, row.remembered) == (held or 0, 3)
    assert row.closed_at is not None


def test_a_journal_that_lost_nothing_is_not_remembered(
    ledger: Ledger, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.commit([entry(), entry()])
    meets_an_error(writer, monkeypatch)
    writer.leave()
    with ledger._engine.connect() as connection:
        assert set(connection.scalars(select(journals.c.remembered))) == {0}


def test_a_key_that_is_forgotten_while_it_is_asked_for_fails_only_its_own_call(
    ledger: Ledger, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.commit([entry(key="k")])
    with monkeypatch.context() as patch:  # as another process does that tidies in just that moment
        patch.setattr("ledger.answers._stored", lambda *_: {})
        first, forgotten, last = writer.commit([entry(), entry(key="k"), entry()])
    assert isinstance(forgotten, Unavailable)
    assert [first.events[0].number, last.events[0].number] == [2, 3]
    assert [number for _, number in payloads(ledger)] == [1, 2, 3]


def test_a_journal_that_is_gone_altogether_is_remembered_too(ledger: Ledger, writer: Writer) -> None:
    writer.commit([entry()])
    lost = payloads(ledger)[0][0]
    with transaction(ledger._engine) as connection:
        connection.execute(delete(events))
        connection.execute(delete(journals))
    writer.commit([entry()])
    with ledger._engine.connect() as connection:
        assert connection.scalar(select(journals.c.remembered).where(journals.c.id == lost)) == 1


def test_a_journal_is_left_after_thirty_days(ledger: Ledger, writer: Writer) -> None:
    writer.commit([entry()])
    writer._opened -= timedelta(days=31)
    writer.commit([entry()])
    (first, _), (second, number) = payloads(ledger)
    assert first != second
    assert number == 1


def test_a_closed_recorder_turns_calls_away_and_leaves_its_journal(ledger: Ledger) -> None:
    recorder = ledger.recorder(second_look=0.1)
    done = [recorder.submit(entry()) for _ in range(5)]
    recorder.close()
    recorder.close()
    assert all(future.result(timeout=0).events for future in done)
    with pytest.raises(Unavailable):
        recorder.submit(entry()).result(timeout=5)
    with ledger._engine.connect() as connection:
        assert connection.scalar(select(journals.c.closed_at)) is not None


def test_a_call_given_up_while_the_database_stands_still_holds_nothing_and_is_not_recorded(ledger: Ledger) -> None:
    recorder = ledger.recorder(second_look=0.1)
    began, goes_on = Event(), Event()

    def stand_still(made: tuple[Recorded, ...]) -> bytes:
        began.set()
        goes_on.wait(30)
        return b"first"

    first = recorder.submit(Entry((Draft(inspected()),), stand_still))
    assert began.wait(30)
    given_up = entry(pictures=(b"a large picture",))
    left = recorder.submit(given_up)
    held = weakref.ref(given_up.render)
    del given_up
    assert held() is not None
    assert left.cancel()
    assert held() is None
    goes_on.set()
    assert first.result(timeout=30).body == b"first"
    recorder.close()
    assert len(payloads(ledger)) == 1


def test_an_audit_of_nothing_is_refused(writer: Writer) -> None:
    refused, made = writer.commit([entry(audited(inspected()), key="k"), entry()])
    assert isinstance(refused, NotFound)
    assert made.events[0].number == 1


def test_the_time_of_a_ledger_that_is_away_is_a_retryable_error() -> None:
    with pytest.raises(Unavailable) as caught:
        Ledger.open("postgresql+psycopg://postgres@127.0.0.1:1/none")
    assert caught.value.retryable


def test_pictures_are_kept_once_and_by_age(ledger: Ledger, writer: Writer) -> None:
    first, second = inspected(image_sha256="a"), inspected(image_sha256="a")
    other = inspected(image_sha256="b")
    writer.commit([entry(first, second, other, pictures=(b"picture", b"picture"))])
    assert ledger.records.picture(first.event_id) == ledger.records.picture(second.event_id) == b"picture"
    assert ledger.records.has_picture(second.event_id)
    assert not ledger.records.has_picture(other.event_id)
    with pytest.raises(NotFound):
        ledger.records.picture(other.event_id)
    assert ledger.records.tidy(timedelta(hours=1)) == (0, 0)
    assert ledger.records.tidy(timedelta(seconds=-1)) == (1, 0)
    with pytest.raises(NotFound):
        ledger.records.picture(first.event_id)


def test_the_tables_are_what_the_migrations_make(ledger: Ledger, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from ledger.tables import metadata

    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [d for d in compare_metadata(context, metadata) if "alembic_version" not in str(d)] == []
    engine.dispose()
