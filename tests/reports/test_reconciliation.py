"""The books without Spark: every kind of loss the lake can show, each named; and the arithmetic of number sets."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspection.ranges import Ranges, count, from_numbers, subtract, union, up_to
from reports import numbers
from reports.lake import Footer, LakeFile, Marks
from reports.reconciliation import Account, Said, Stored, reconcile

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_SETS = st.frozensets(st.integers(1, 300), max_size=60)


def _file(start: int, partition: int = 0, day: int = 1) -> LakeFile:
    when = date(2026, 3, day)
    return LakeFile("t", partition, start, when, f"/lake/date={when}/t+{partition}+{start:020}.parquet", 1)


def _footer(start: int, resume: int, seen: int, dead: tuple[int, ...] = (), offsets: tuple[int, ...] = ()) -> Footer:
    marks = Marks(up_to(seen), from_numbers(dead))
    return Footer("c:t", start, resume, {"j": marks}, offsets)


def _stored(*ranges: tuple[int, int], rows: int | None = None) -> dict[str, Stored]:
    n = count(ranges) if rows is None else rows
    return {"j": Stored(ranges, n, {"2026-03-01": (ranges, n)})}


def _said(issued: int, stored_in: int = 0, named: int = 0, ago: timedelta = timedelta(0)) -> Said:
    return Said(stored_in, "j", named, issued, NOW - ago, NOW - ago)


def _one(footer: Footer, stored: dict[str, Stored], *said: Said) -> Account:
    return reconcile([_file(footer.start)], [footer], stored, said, NOW)


def test_all_there_is_whole() -> None:
    account = _one(_footer(0, 10, 10), _stored((1, 10)), _said(10))
    assert account.whole
    assert (account.total("issued"), account.total("stored")) == (10, 10)
    assert account.proven_until == NOW


def test_a_number_in_the_marks_without_its_row_is_missing() -> None:
    account = _one(_footer(0, 10, 10), _stored((1, 4), (6, 10)), _said(10))
    assert account.journals[0].missing == ((5, 5),)
    assert account.days[0].missing == 1


def test_a_number_named_by_a_statement_in_its_own_partition_is_missing() -> None:
    assert _one(_footer(0, 10, 10), _stored((1, 10)), _said(12)).journals[0].missing == ((11, 12),)


def test_what_only_another_partition_names_is_outstanding_and_late_after_ten_minutes() -> None:
    fresh = _one(_footer(0, 10, 10), _stored((1, 10)), _said(10), _said(12, stored_in=1))
    assert fresh.journals[0].outstanding == ((11, 12),)
    assert fresh.whole
    late = _one(_footer(0, 10, 10), _stored((1, 10)), _said(10), _said(12, 1, 0, timedelta(minutes=11)))
    assert not late.whole
    assert "11 to 12" in late.late[0]


def test_doubled_rows_are_not_whole() -> None:
    account = _one(_footer(0, 10, 10), _stored((1, 10), rows=12), _said(10))
    assert account.total("doubled") == 2
    assert not account.whole


def test_a_dead_number_is_no_loss_and_its_letter_counts_once() -> None:
    account = _one(_footer(0, 10, 10, dead=(5,), offsets=(4,)), _stored((1, 4), (6, 10)), _said(10))
    assert account.whole
    assert (account.dead_letters, account.journals[0].dead) == (1, ((5, 5),))
    settled = _one(_footer(0, 10, 10, dead=(5,), offsets=(4,)), _stored((1, 10)), _said(10))
    assert settled.journals[0].dead == ()


def test_a_file_that_is_gone_breaks_the_chain() -> None:
    files, footers = [_file(0), _file(20)], [_footer(0, 10, 10), _footer(20, 30, 30)]
    account = reconcile(files, footers, _stored((1, 10), (21, 30)), [_said(30)], NOW)
    assert len(account.breaks) == 1
    assert account.total("missing") == 10


def test_what_retention_took_is_retired_not_missing() -> None:
    account = _one(_footer(100, 110, 110), _stored((101, 110)), _said(110))
    assert account.whole
    assert account.journals[0].retired == 100


def test_a_partition_whose_statements_stopped_is_late() -> None:
    files, footers = [_file(0), _file(0, partition=1)], [_footer(0, 10, 10), Footer("c:t", 0, 1, {}, ())]
    said = [_said(10), Said(1, None, None, 0, NOW - timedelta(hours=1), NOW - timedelta(hours=1))]
    account = reconcile(files, footers, _stored((1, 10)), said, NOW)
    assert "partition 1" in account.late[0]
    assert account.proven_until == NOW - timedelta(hours=1)


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
