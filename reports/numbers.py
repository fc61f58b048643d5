"""Event numbers between Spark and :mod:`inspection.ranges`: gathered as bits, and said to people."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inspection.ranges import Ranges

#: Numbers are gathered 64 to a block: one bit of a 64-bit integer each.
BLOCK = 64


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
