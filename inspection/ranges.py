"""Sets of event numbers as sorted, disjoint, inclusive ranges. Pure arithmetic; knows no lake and no Spark."""

from collections.abc import Iterable, Sequence

Ranges = tuple[tuple[int, int], ...]


def union(*sets: Iterable[tuple[int, int]]) -> Ranges:
    """Everything that is in any of ``sets``; the ranges given may overlap and be unordered."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pair for ranges in sets for pair in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def subtract(ranges: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> Ranges:
    """What is in ``ranges`` and not in ``taken``; both sorted, inclusive and disjoint."""
    left: list[tuple[int, int]] = []
    position = 0
    for start, last in ranges:
        first = start
        while position < len(taken) and taken[position][1] < first:
            position += 1
        index = position
        while index < len(taken) and taken[index][0] <= last:
            if taken[index][0] > first:
                left.append((first, taken[index][0] - 1))
            first = taken[index][1] + 1
            index += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def count(ranges: Iterable[tuple[int, int]]) -> int:
    """How many numbers are in the set."""
    return sum(last - first + 1 for first, last in ranges)


def highest(ranges: Ranges) -> int:
    """The greatest number, 0 of an empty set."""
    return ranges[-1][1] if ranges else 0


def up_to(number: int) -> Ranges:
    """1 to ``number``."""
    return ((1, number),) if number > 0 else ()


def from_numbers(numbers: Iterable[int]) -> Ranges:
    return union((number, number) for number in numbers)
