"""Reading back: the history by any filter and page by page, today's figures, API keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from inspection.errors import BadRequest, NotFound
from inspection.events import Event, timestamp
from inspection.record import Latency, Search
from ledger import Ledger
from ledger.commit import Writer
from ledger.search import MAX_PAGE, _places
from tests.ledger.drafts import audited, entry, inspected

START = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = ("verdict", "prediction", "model_version", "part_id", "lot", "line", "camera", "shift", "operator", "origin")


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def made(place: int) -> Event:
    """Varied inspections; several share a time."""
    return inspected(
        occurred_at=timestamp(at(place // 2)),
        verdict=("ok", "review", "defect", "rejected")[place % 4],
        prediction=("ok_front", "def_front")[place % 2],
        p_defect=place % 10 / 10,
        line=("A", "B", None)[place % 3],
        lot=f"L{place % 5}",
        part_id=f"part-{place:03}",
        camera="c_1" if place % 7 else "c%1",
        filename=f"cast_{place}.jpeg",
        latency_ms=float(place),
        shift=None,
        operator="김" if place % 6 else None,
    )


@pytest.fixture
def stored(ledger: Ledger) -> list[Event]:
    """Sixty inspections, newest first, and an audit that no search may show."""
    writer = Writer(ledger._engine, 0.0)
    receipts = writer.commit([entry(made(place)) for place in range(60)])
    events = [event for receipt in receipts for event in receipt.events]
    writer.commit([entry(audited(events[3]))])
    return sorted(events, key=lambda event: (event.occurred_at, event.number), reverse=True)


def everything(ledger: Ledger, search: Search, limit: int) -> list[Event]:
    found: list[Event] = []
    cursor: str | None = None
    while True:
        page = ledger.records.search(search, cursor, limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


CASES: list[tuple[dict[str, Any], Callable[[Event], bool]]] = [
    ({}, lambda e: True),
    ({"verdict": "defect"}, lambda e: e.verdict == "defect"),
    ({"line": "A", "verdict": "ok"}, lambda e: e.line == "A" and e.verdict == "ok"),
    ({"lot": "L2"}, lambda e: e.lot == "L2"),
    ({"part_id": "part-007"}, lambda e: e.part_id == "part-007"),
    ({"operator": "김"}, lambda e: e.operator == "김"),
    ({"camera": "none"}, lambda e: False),
    ({"min_p": 0.3, "max_p": 0.6}, lambda e: 0.3 <= (e.p_defect or 0) <= 0.6),
    ({"since": at(5), "until": at(9)}, lambda e: timestamp(at(5)) <= e.occurred_at < timestamp(at(9))),
    ({"text": "part-01"}, lambda e: (e.part_id or "").startswith("part-01")),
    ({"text": "cast_1", "line": "B"}, lambda e: (e.filename or "").startswith("cast_1") and e.line == "B"),
    ({"text": "L4"}, lambda e: e.lot == "L4"),
    ({"text": "%"}, lambda e: False),
]


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_every_filter_finds_what_it_says_newest_first(ledger: Ledger, stored: list[Event], limit: int) -> None:
    for wanted, fits in CASES:
        assert everything(ledger, Search(**wanted), limit) == [e for e in stored if fits(e)], wanted


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_combination_of_filters(ledger: Ledger, stored: list[Event], data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(TEXTS), max_size=3))
    wanted = {name: data.draw(st.sampled_from([getattr(e, name) or "x" for e in stored]), label=name) for name in names}
    found = everything(ledger, Search(**wanted), 20)
    assert found == [e for e in stored if all(getattr(e, name) == value for name, value in wanted.items())]


def test_an_event_is_found_by_the_beginning_of_its_id(ledger: Ledger, stored: list[Event]) -> None:
    assert stored[7] in ledger.records.search(Search(text=stored[7].event_id[:35])).items


def test_all_that_matches_is_streamed(ledger: Ledger, stored: list[Event]) -> None:
    assert list(ledger.records.stream(Search(line="A"))) == [e for e in stored if e.line == "A"]


def test_pages_stand_still_while_new_inspections_arrive(ledger: Ledger, stored: list[Event]) -> None:
    first = ledger.records.search(Search(), None, 10)
    Writer(ledger._engine, 0.0).commit([entry()])
    second = ledger.records.search(Search(), first.next, 10)
    assert list(first.items + second.items) == stored[:20]


@pytest.mark.parametrize("cursor", ["", "x", "1", "-1", "1-", "1-x", "1;2", "9" * 50 + "-1", "²-²"])
def test_a_cursor_that_no_search_returned_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(BadRequest):
        ledger.records.search(Search(), cursor)


def test_a_page_is_bounded(ledger: Ledger, stored: list[Event]) -> None:
    assert len(ledger.records.search(Search(), None, MAX_PAGE * 100).items) == 60
    assert len(ledger.records.search(Search(), None, 0).items) == 1


# PostgreSQL plans by size: at sixty rows it rightly reads them all.
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_searches_read_an_index_and_sort_nothing(ledger: Ledger, stored: list[Event]) -> None:
    """At a million rows a scan or a sort of the table would take seconds."""
    for wanted in ({}, {"verdict": "rejected"}, {"camera": "c", "shift": "1"}, {"lot": "L1"}, {"part_id": "p"}):
        query = _places(Search(**wanted), f"{0}-{0}", 51)
        with ledger._engine.connect() as connection:
            sql = query.compile(ledger._engine, compile_kwargs={"literal_binds": True})
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
        assert len(plan) == 1, plan
        assert "USING COVERING INDEX events_" in plan[0], plan


def test_one_inspection_and_its_audits(ledger: Ledger, stored: list[Event]) -> None:
    event = next(e for e in stored if e.number == 4)
    assert ledger.records.inspection(event.event_id) == event
    assert [audit.inspection_id for audit in ledger.records.audits(event.event_id)] == [event.event_id]
    audit_id = ledger.records.audits(event.event_id)[0].event_id
    for unknown in (audit_id, "nothing"):
        with pytest.raises(NotFound):
            ledger.records.inspection(unknown)


def test_the_figures_of_the_day(ledger: Ledger, stored: list[Event]) -> None:
    figures = ledger.records.summary(at(10))
    since = [e for e in stored if e.occurred_at >= timestamp(at(10))]
    assert figures.verdicts == {
        verdict: sum(e.verdict == verdict for e in since) for verdict in ("ok", "review", "defect", "rejected")
    }
    assert sum(cell.count for cell in figures.cells) == len(since)
    assert {cell.hour for cell in figures.cells} == {"2026-03-01T00:00:00Z"}
    assert {cell.line for cell in figures.cells} == {"A", "B", None}
    latencies = sorted(e.latency_ms or 0 for e in since)
    assert figures.latency_ms == Latency(p50=latencies[len(since) // 2], p99=latencies[-1])


def test_an_empty_day_has_no_percentiles(ledger: Ledger) -> None:
    assert ledger.records.summary(at(0)).latency_ms == Latency(None, None)


def test_a_key_is_known_by_its_secret_until_it_is_revoked(ledger: Ledger, url: str) -> None:
    secret = ledger.keys.add("camera", "line 3")
    other = Ledger.open(url)
    found = other.keys.check(secret)
    assert found is not None
    assert (found.name, found.role, found.revoked_at) == ("line 3", "camera", None)
    assert other.keys.check(secret + "x") is None
    other.keys.revoke(found.id)
    assert ledger.keys.check(secret) is None
    assert ledger.keys.list()[0].revoked_at is not None
    with pytest.raises(NotFound):
        ledger.keys.revoke(found.id)
    other.close()


def test_the_database_holds_no_secret(ledger: Ledger) -> None:
    secret = ledger.keys.add("admin", "me")
    with ledger._engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM keys")).one()
    assert not any(secret in str(value) or secret[5:] in str(value) for value in row)


@pytest.mark.parametrize(("role", "name"), [("boss", "a"), ("camera", ""), ("camera", "x" * 129), ("camera", "a\nb")])
def test_a_key_needs_a_role_and_a_name(ledger: Ledger, role: str, name: str) -> None:
    with pytest.raises(BadRequest):
        ledger.keys.add(role, name)
