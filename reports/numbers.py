"""Sets of event numbers as sorted, disjoint, inclusive ranges. Pure arithmetic; knows no lake and no Spark."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Ranges = tuple[tuple[int, int], ...]
#: Numbers are gathered 64 to a block: one bit of a 64-bit integer each.
BLOCK = 64


def union(*sets: Iterable[tuple[int, int]]) -> Ranges:
    """Everything that is in any of ``sets``; the ranges given may overlap and be unordered."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pair for ranges in sets for pair in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def subtract(ranges: Ranges, taken: Ranges) -> Ranges:
    """What is in ``ranges`` and not in ``taken``."""
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


def count(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)


def highest(ranges: Ranges) -> int:
    """The greatest number, 0 of an empty set."""
    return ranges[-1][1] if ranges else 0


def up_to(number: int) -> Ranges:
    """1 to ``number``."""
    return ((1, number),) if number > 0 else ()


def from_numbers(numbers: Iterable[int]) -> Ranges:
    return union((number, number) for number in numbers)


def from_blocks(blocks: npt.NDArray[np.int64], bits: npt.NDArray[np.int64]) -> Ranges:
    """The set whose members are ``block * 64 + i`` for every set bit i; ``blocks`` ascending and without repeats."""
    if not len(blocks):
        return ()
    flags = np.unpackbits(bits.astype("<i8").view(np.uint8), bitorder="little").astype(bool)
    numbers = (blocks[:, None] * BLOCK + np.arange(BLOCK)).reshape(-1)[flags]
    ends = np.flatnonzero(np.diff(numbers) != 1)
    firsts = numbers[np.concatenate(([0], ends + 1))]
    lasts = numbers[np.concatenate((ends, [len(numbers) - 1]))]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def say(ranges: Sequence[tuple[int, int]], most: int = 5) -> str:
    """Short text for people: ``3, 7-9, 12 ...``."""
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in ranges[:most]]
    return ", ".join(shown) + (" …" if len(ranges) > most else "")
