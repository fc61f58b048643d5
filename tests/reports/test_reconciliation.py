"""The books without Spark: every kind of loss the lake can show, each named; and the arithmetic of number sets."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspection.ranges import Ranges, count, from_numbers, subtract, union, up_to
from inspection.reconciliation import Account, Heard, Link, Marks, Said, Stored, Stream, heard_in, reconcile
from reports import numbers
from reports.daily import by_day

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HERE = ("t", 0)
_SETS = st.frozensets(st.integers(1, 300), max_size=60)


def _link(
    start: int,
    resume: int,
    seen: int,
    dead: tuple[int, ...] = (),
    offsets: tuple[int, ...] = (),
    stream: Stream = HERE,
    journal: str = "j",
    day: int = 1,
) -> Link:
    marks = {journal: Marks(up_to(seen), from_numbers(dead))} if seen else {}
    when = date(2026, 3, day)
    path = f"/lake/date={when}/{stream[0]}+{stream[1]}+{start:020}.parquet"
    return Link(stream, start, when, path, "c:t", start, resume, marks, offsets)


def _stored(*ranges: tuple[int, int], rows: int | None = None) -> dict[str, Stored]:
    n = count(ranges) if rows is None else rows
    return {"j": Stored(ranges, n, {"2026-03-01": (ranges, n)})}


def _said(issued: int, stored_in: int = 0, named: int = 0, ago: timedelta = timedelta(0)) -> Said:
    return Said(("t", stored_in), "j", named, issued, NOW - ago)


def _heard(*hours: float) -> Heard:
    return heard_in([NOW - timedelta(hours=ago) for ago in hours], NOW)


def _one(link: Link, stored: dict[str, Stored], *said: Said) -> Account:
    return reconcile([link], stored, said, {HERE: _heard(0)}, NOW)


def test_all_there_is_whole() -> None:
    account = _one(_link(0, 10, 10), _stored((1, 10)), _said(10))
    assert account.whole
    assert (account.total("issued"), account.total("stored")) == (10, 10)
    assert account.proven_until == NOW


def test_a_number_in_the_marks_without_its_row_is_missing() -> None:
    links, stored = [_link(0, 10, 10)], _stored((1, 4), (6, 10))
    account = _one(links[0], stored, _said(10))
    assert account.journals[0].missing == ((5, 5),)
    assert by_day(account, links, stored)[0].missing == 1


def test_a_number_named_by_a_statement_in_its_own_partition_is_missing() -> None:
    assert _one(_link(0, 10, 10), _stored((1, 10)), _said(12)).journals[0].missing == ((11, 12),)


def test_what_only_another_partition_names_is_outstanding_and_late_after_ten_minutes() -> None:
    fresh = _one(_link(0, 10, 10), _stored((1, 10)), _said(10), _said(12, stored_in=1))
    assert fresh.journals[0].outstanding == ((11, 12),)
    assert fresh.whole
    late = _one(_link(0, 10, 10), _stored((1, 10)), _said(10), _said(12, 1, 0, timedelta(minutes=11)))
    assert not late.whole
    assert (late.late[0].where, late.late[0].numbers) == ("j", ((11, 12),))


def test_an_outstanding_number_is_as_old_as_the_first_statement_that_names_it() -> None:
    """Whatever was said earlier on the same day, or named the same again later."""
    said = [_said(10), _said(11, 1, ago=timedelta(hours=3)), _said(12, 1, ago=timedelta(minutes=3)), _said(12, 1)]
    for order in (said, said[::-1]):
        assert _one(_link(0, 10, 10), _stored((1, 10)), *order).whole


def test_doubled_rows_are_not_whole() -> None:
    account = _one(_link(0, 10, 10), _stored((1, 10), rows=12), _said(10))
    assert account.total("doubled") == 2
    assert not account.whole


def test_a_dead_number_is_no_loss_and_its_letter_counts_once() -> None:
    account = _one(_link(0, 10, 10, dead=(5,), offsets=(4,)), _stored((1, 4), (6, 10)), _said(10))
    assert account.whole
    assert (account.dead_letters, account.open_letters, account.journals[0].dead) == (1, 1, ((5, 5),))
    settled = _one(_link(0, 10, 10, dead=(5,), offsets=(4,)), _stored((1, 10)), _said(10))
    assert (settled.dead_letters, settled.open_letters, settled.journals[0].dead) == (1, 0, ())


def test_the_days_add_up_to_what_was_issued() -> None:
    """A letter without a number was never issued, one that was settled is stored, one that was not is dead."""
    links = [
        _link(0, 6, 4, dead=(2, 4), offsets=(1, 3, 5)),  # the last without a number
        _link(6, 9, 6, dead=(4,), day=2),
    ]
    ranges = {"2026-03-01": (((1, 1), (3, 3)), 2), "2026-03-02": (((2, 2), (6, 6)), 2)}
    stored = {"j": Stored(((1, 3), (6, 6)), 4, ranges)}
    account = reconcile(links, stored, [_said(6)], {HERE: _heard(0)}, NOW)
    days = by_day(account, links, stored)
    assert sum(day.issued for day in days) == account.total("issued") == 6
    assert [(day.stored, day.dead, day.missing, day.open) for day in days] == [(2, 1, 0, 2), (2, 0, 1, 0)]
    assert (account.dead_letters, account.open_letters) == (3, 2)


def test_a_file_that_is_gone_breaks_the_chain() -> None:
    links = [_link(0, 10, 10), _link(20, 30, 30)]
    account = reconcile(links, _stored((1, 10), (21, 30)), [_said(30)], {HERE: _heard(0)}, NOW)
    assert [(found.what, found.found, found.expected) for found in account.breaks] == [("start", "20", "10")]
    assert account.total("missing") == 10


def test_what_was_deleted_of_two_streams_that_hold_a_journal_is_retired_by_either() -> None:
    other = ("u", 0)
    links = [_link(10, 20, 20), _link(5, 9, 4, stream=other)]
    account = reconcile(links, _stored((11, 20)), [_said(20)], {HERE: _heard(0), other: _heard(0)}, NOW)
    assert (account.journals[0].retired, account.journals[0].missing) == (10, ())


def test_what_retention_took_is_retired_not_missing() -> None:
    account = _one(_link(100, 110, 110), _stored((101, 110)), _said(110))
    assert account.whole
    assert (account.journals[0].retired, account.total("issued")) == (100, 110)


def _two(*heard: Heard, topics: tuple[str, str] = ("t", "t"), day: int = 1) -> Account:
    """Partition 0 of the first topic and 1 of the second."""
    streams = [(topics[0], 0), (topics[1], 1)]
    links = [_link(0, 10, 10, stream=streams[0]), _link(0, 1, 0, stream=streams[1], day=day)]
    times = dict(zip(streams, heard, strict=True))
    return reconcile(links, _stored((1, 10)), [_said(10)], times, NOW)


def test_a_partition_whose_statements_stopped_is_late() -> None:
    account = _two(_heard(0, 0.5, 1), _heard(1))
    assert [(late.what, late.where) for late in account.late] == [("partition", "t 1")]
    assert account.proven_until == NOW - timedelta(hours=1)


def test_the_statement_of_an_idle_hour_may_come_into_one_partition_first() -> None:
    assert _two(_heard(0, 1), _heard(1)).whole
    assert not _two(_heard(0.2, 1.2), _heard(1.2)).whole


def test_a_new_partition_has_time_for_its_first_statement() -> None:
    young = _two(_heard(0, 0.5, 30), Heard(None, None), day=2)
    assert young.whole
    assert (young.proven_until, young.newest_statement) == (None, NOW)
    assert [late.since for late in _two(_heard(0, 0.5), Heard(None, None)).late] == [None]


def test_a_topic_that_went_out_of_use_is_late_no_more_and_holds_nothing_back() -> None:
    account = _two(_heard(0, 0.5), _heard(24), topics=("ledger-x", "t"))
    assert account.whole
    assert account.proven_until == NOW
    moved = {("t", 0): _heard(24, 24.5), ("t", 1): _heard(26), ("ledger-x", 0): _heard(0)}
    links = [_link(0, 1, 0, stream=stream) for stream in moved]
    assert reconcile(links, {}, [], moved, NOW).whole


def test_a_statement_of_a_wrong_clock_proves_nothing() -> None:
    assert _heard(-24, 1) == _heard(1)


@given(_SETS, _SETS)
def test_ranges_are_sets(a: frozenset[int], b: frozenset[int]) -> None:
    one, two = from_numbers(a), from_numbers(b)
    assert _members(union(one, two)) == a | b
    assert _members(subtract(one, two)) == a - b
    assert count(one) == len(a)


@given(_SETS.filter(bool))
def test_blocks_of_bits_are_the_same_set(members: frozenset[int]) -> None:
    blocks: dict[int, int] = {}
    for number in members:
        blocks[number >> 6] = blocks.get(number >> 6, 0) | 1 << (number & 63)
    keys = np.array(sorted(blocks), dtype=np.int64)
    bits = np.array([blocks[int(key)] for key in keys], dtype=np.uint64).view(np.int64)
    assert numbers.from_blocks(keys, bits) == from_numbers(members)


def _members(ranges: Ranges) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}
