"""The review queue and the alerts: nobody holds what another holds, doubles go to a second person, alerts stay."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from inspection.errors import Conflict, NotFound
from inspection.events import Event
from ledger import Ledger
from ledger.commit import Writer
from ledger.database import transaction
from ledger.instants import present
from ledger.settled import agreed
from ledger.tables import reviews
from tests.ledger.drafts import audited, entry, inspected


@pytest.fixture
def writer(ledger: Ledger) -> Writer:
    return Writer(ledger._engine, second_look=0.0)


def queue(writer: Writer, *verdicts: str) -> list[Event]:
    made = [inspected(verdict=verdict, audit_probability=0.5) for verdict in verdicts]
    return [receipt.events[0] for receipt in writer.commit([entry(event) for event in made])]


def holds(ledger: Ledger, auditor: str) -> str | None:
    held = ledger.records.next_to_review(auditor)
    return held.inspection.event_id if held else None


def test_what_was_not_chosen_is_not_queued(ledger: Ledger, writer: Writer) -> None:
    writer.commit([entry(inspected())])
    assert holds(ledger, "kim") is None


def test_oldest_first_and_never_the_same_for_two(ledger: Ledger, writer: Writer) -> None:
    first, second = queue(writer, "review", "defect")
    assert [holds(ledger, name) for name in ("kim", "lee", "park")] == [first.event_id, second.event_id, None]
    assert holds(ledger, "kim") == first.event_id  # a reload shows the same part


def test_many_people_at_once_hold_different_parts(ledger: Ledger, writer: Writer) -> None:
    queue(writer, *["review"] * 12)
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda n: holds(ledger, f"inspector {n}"), range(12)))
    found = [part for part in held if part is not None]
    assert len(found) == len(set(found))
    assert len(found) >= 8  # who met a part that another was just taking may have been sent away


def test_a_hold_ends_after_two_minutes(ledger: Ledger, writer: Writer) -> None:
    (part,) = queue(writer, "review")
    assert holds(ledger, "kim") == part.event_id
    assert holds(ledger, "lee") is None
    with transaction(ledger._engine) as connection:
        connection.execute(update(reviews).values(held_until=reviews.c.held_until - 120_000_000))
    assert holds(ledger, "lee") == part.event_id


def test_who_skips_gets_another_part(ledger: Ledger, writer: Writer) -> None:
    first, second = queue(writer, "review", "review")
    assert holds(ledger, "kim") == first.event_id
    ledger.records.release(first.event_id, "lee")  # not theirs to give back
    assert holds(ledger, "kim") == first.event_id
    ledger.records.release(first.event_id, "kim")
    assert holds(ledger, "kim") == second.event_id
    assert holds(ledger, "lee") == first.event_id


def test_who_only_leaves_gives_the_part_back_to_its_place(ledger: Ledger, writer: Writer) -> None:
    first, _ = queue(writer, "review", "review")
    assert holds(ledger, "kim") == first.event_id
    ledger.records.release(first.event_id, "kim", skipped=False)
    assert holds(ledger, "lee") == first.event_id


def test_a_decision_settles_a_part_for_good(ledger: Ledger, writer: Writer) -> None:
    (part,) = queue(writer, "review")
    assert ledger.records.waiting() == 1
    holds(ledger, "kim")
    writer.commit([entry(audited(part, "kim"))])
    assert holds(ledger, "kim") is None
    assert holds(ledger, "lee") is None
    assert ledger.records.waiting() == 0


def test_nobody_settles_what_another_holds(ledger: Ledger, writer: Writer) -> None:
    first, second = queue(writer, "review", "review")
    assert holds(ledger, "kim") == first.event_id
    early, mixed, fine = writer.commit(
        [
            entry(audited(first, "lee")),
            entry(audited(second, "lee"), audited(first, "lee")),
            entry(audited(first, "kim")),
        ]
    )
    assert isinstance(early, Conflict)
    assert early.code == "held_by_another"
    assert isinstance(mixed, Conflict)
    assert fine.events
    assert ledger.records.waiting() == 1  # of the mixed call nothing was recorded


def test_a_correction_counts_once(ledger: Ledger, writer: Writer) -> None:
    doubled = Writer(ledger._engine, second_look=1.0)
    (part,) = queue(doubled, "review")
    writer.commit([entry(audited(part, "kim"))])
    writer.commit([entry(audited(part, "kim", true_label="ok_front"))])
    assert ledger.records.waiting() == 1
    assert holds(ledger, "kim") is None
    assert holds(ledger, "lee") == part.event_id
    writer.commit([entry(audited(part, "lee"))])
    assert ledger.records.waiting() == 0
    assert len(ledger.records.audits(part.event_id)) == 3


def test_samples_and_doubles_are_blind(ledger: Ledger, writer: Writer) -> None:
    queue(writer, "ok", "review")
    queue(Writer(ledger._engine, second_look=1.0), "defect")
    blind = [ledger.records.next_to_review(name) for name in ("a", "b", "c")]
    assert [held and held.blind for held in blind] == [True, False, True]
    assert [held and held.waiting for held in blind] == [3, 3, 3]


def test_as_many_get_a_second_look_as_was_asked_for(ledger: Ledger) -> None:
    writer = Writer(ledger._engine, second_look=0.3)
    queue(writer, *["review"] * 1000)
    with ledger._engine.connect() as connection:
        doubled = len(connection.execute(reviews.select().where(reviews.c.wanted == 2)).all())
    assert 220 < doubled < 380  # 5.5 standard deviations


def test_a_defect_stays_open_until_it_is_acknowledged(ledger: Ledger, writer: Writer) -> None:
    first, second, _ = queue(writer, "defect", "defect", "review")
    assert {e.event_id for e in ledger.records.open_alerts()} == {first.event_id, second.event_id}
    ledger.records.acknowledge([first.event_id], "kim")
    ledger.records.acknowledge([first.event_id], "lee")
    assert [e.event_id for e in ledger.records.open_alerts()] == [second.event_id]
    (seen,) = ledger.records.acknowledged_alerts()
    assert (seen.inspection.event_id, seen.by) == (first.event_id, "kim")
    with pytest.raises(NotFound):
        ledger.records.acknowledge([second.event_id, "nothing"], "kim")
    assert [e.event_id for e in ledger.records.open_alerts()] == [second.event_id]
    assert (ledger.records.acknowledgement(first.event_id) or ("",))[0] == "kim"
    assert ledger.records.acknowledgement(second.event_id) is None


def test_settled_parts_are_exported_with_the_label_on_which_all_agree(ledger: Ledger, writer: Writer) -> None:
    events = [inspected(image_sha256=f"{n:064}", verdict="review", audit_probability=1.0) for n in range(5)]
    writer.commit([entry(*events, pictures=tuple(b"picture %d" % n for n in range(4)))])
    decisions = (
        (0, "kim", "ok_front"),
        (0, "kim", "def_front"),  # corrected
        (1, "kim", "def_front"),
        (1, "lee", "ok_front"),  # disagreed
        (2, "kim", "unclear"),
        (3, "kim", "ok_front"),
        (3, "lee", "ok_front"),
        (4, "kim", "ok_front"),  # no picture was kept
    )
    for place, auditor, label in decisions:
        writer.commit([entry(audited(events[place], auditor, true_label=label))])
    found = {(part.label, part.picture) for part in ledger.settled()}
    assert found == {("def_front", b"picture 0"), ("ok_front", b"picture 3")}


def test_nobody_looked_means_no_label() -> None:
    assert agreed([]) is None


def test_the_health_check_really_writes(ledger: Ledger) -> None:
    assert ledger.records.writable()
    with ledger._engine.connect() as connection:
        at = connection.exec_driver_sql("SELECT probed_at FROM identity").scalar_one()
    assert 0 <= present() - at < 60_000_000
