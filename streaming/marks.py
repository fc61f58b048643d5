"""What a partition's consumer has seen of every journal: low-water number, ranges above it, dead numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

FORGET_AFTER = timedelta(days=60)


@dataclass(slots=True)
class JournalMarks:
    """Numbers seen: 1 to ``low``, and the inclusive ``ranges`` above; ``dead`` of them could not be read."""

    low: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    dead: set[int] = field(default_factory=set)
    touched: date = date.min

    def __contains__(self, number: int) -> bool:
        return number <= self.low or any(first <= number <= last for first, last in self.ranges)

    def add(self, number: int) -> None:
        """Note ``number`` as seen."""
        if number in self:
            return
        if number == self.low + 1 and not self.ranges:  # the common case
            self.low = number
            return
        merged: list[tuple[int, int]] = []
        first, last = number, number
        for a, b in self.ranges:
            if b < first - 1:
                merged.append((a, b))
            elif a > last + 1:
                merged.append((first, last))
                first, last = a, b
            else:
                first, last = min(a, first), max(b, last)
        merged.append((first, last))
        if merged[0][0] <= self.low + 1:
            self.low = merged.pop(0)[1]
        self.ranges = merged

    @property
    def highest(self) -> int:
        return self.ranges[-1][1] if self.ranges else self.low

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Inclusive ranges of numbers not seen below the highest seen."""
        after = self.low
        for first, last in self.ranges:
            yield after + 1, first - 1
            after = last


class Marks:
    """The marks of all journals of one partition."""

    def __init__(self, journals: Mapping[str, JournalMarks] | None = None) -> None:
        self._journals: dict[str, JournalMarks] = dict(journals or {})

    def __getitem__(self, journal: str) -> JournalMarks:
        return self._journals.setdefault(journal, JournalMarks())

    def items(self) -> Iterable[tuple[str, JournalMarks]]:
        return self._journals.items()

    def to_json(self) -> dict[str, Any]:
        """Journal to ``[low, ranges, dead, date of the last record]``."""
        return {
            journal: [marks.low, [list(r) for r in marks.ranges], sorted(marks.dead), marks.touched.isoformat()]
            for journal, marks in self._journals.items()
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Marks":
        return cls(
            {
                journal: JournalMarks(low, [(a, b) for a, b in ranges], set(dead), date.fromisoformat(touched))
                for journal, (low, ranges, dead, touched) in raw.items()
            }
        )

    def forget(self, today: date) -> None:
        """Drop journals without a record for 60 days; ``today`` is the records' own date, not the clock's."""
        old = [journal for journal, marks in self._journals.items() if today - marks.touched > FORGET_AFTER]
        for journal in old:
            del self._journals[journal]
