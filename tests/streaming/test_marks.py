"""Marks are a set of numbers, kept small."""

import itertools
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streaming.marks import FORGET_AFTER, JournalMarks, Marks

NUMBERS = st.lists(st.integers(1, 60), max_size=80)


@given(NUMBERS)
def test_marks_hold_exactly_what_was_added(numbers: list[int]) -> None:
    marks = JournalMarks()
    for number in numbers:
        marks.add(number)
    assert {number for number in range(1, 62) if number in marks} == set(numbers)
    assert marks.highest == max(numbers, default=0)
    gaps = {number for first, last in marks.gaps() for number in range(first, last + 1)}
    assert gaps == set(range(1, marks.highest + 1)) - set(numbers)


@given(NUMBERS)
def test_marks_are_as_small_as_they_can_be(numbers: list[int]) -> None:
    marks = JournalMarks()
    for number in numbers:
        marks.add(number)
    edges = [(0, marks.low), *marks.ranges]
    assert all(later[0] > earlier[1] + 1 for earlier, later in itertools.pairwise(edges))


@given(st.dictionaries(st.text(min_size=1, max_size=4), NUMBERS, max_size=3))
def test_json_keeps_everything(journals: dict[str, list[int]]) -> None:
    marks = Marks()
    for journal, numbers in journals.items():
        for number in numbers:
            marks[journal].add(number)
        marks[journal].dead = set(numbers[:2])
    assert dict(Marks.from_json(marks.to_json()).items()) == dict(marks.items())


def test_a_journal_is_forgotten_after_sixty_days_without_a_record() -> None:
    marks, today = Marks(), date(2026, 3, 1)
    marks["old"].touched = today - FORGET_AFTER - timedelta(days=1)
    marks["kept"].touched = today - FORGET_AFTER
    marks.forget(today)
    assert [journal for journal, _ in marks.items()] == ["kept"]
