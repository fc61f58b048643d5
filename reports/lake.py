"""The lake as the report reads it: which files there are and what each says of itself.

Knows the names and the footers of the files, not what the rows mean. Nothing under the root is ever written.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from inspection.errors import InspectorError
from inspection.ranges import from_numbers, union
from inspection.reconciliation import Link, Marks

_NAME = re.compile(r"(?P<topic>.+)\+(?P<partition>\d+)\+(?P<start>\d{20})\.parquet")
#: The key of the footer's entry in a file's metadata.
FOOTER_KEY = "casting"


class LakeUnreadable(InspectorError):
    """The lake is not there, or a file of it isn't what its name says."""


@dataclass(frozen=True, slots=True, order=True)
class LakeFile:
    """``<root>/date=<append date>/<topic>+<partition>+<start offset>.parquet``; ``length`` in bytes."""

    topic: str
    partition: int
    start: int
    date: date
    path: str = field(compare=False)
    length: int = field(compare=False)

    @classmethod
    def parse(cls, path: str, length: int) -> "LakeFile | None":
        """None for anything that is no file of the lake."""
        folder, _, name = path.rpartition("/")
        match = _NAME.fullmatch(name)
        day = folder.rpartition("/")[2]
        if match is None or not day.startswith("date="):
            return None
        try:
            return cls(
                match["topic"], int(match["partition"]), int(match["start"]), date.fromisoformat(day[5:]), path, length
            )
        except ValueError:
            return None

    @property
    def stream(self) -> tuple[str, int]:
        return self.topic, self.partition


def link(file: LakeFile, footer: str) -> Link:
    """What a file's name and footer say of its place in the chain.

    Raises ValueError, KeyError or TypeError when ``footer`` is not one.
    """
    raw: dict[str, Any] = json.loads(footer)
    marks = {journal: _marks(*entry[:3]) for journal, entry in raw["marks"].items()}
    place = (file.stream, file.start, file.date, file.path)
    return Link(*place, raw["stream"], raw["start"], raw["resume"], marks, tuple(raw["dead"]))


def _marks(low: int, ranges: Iterable[tuple[int, int]], dead: Iterable[int]) -> Marks:
    below = [(1, low)] if low > 0 else []
    return Marks(union(below, ((a, b) for a, b in ranges)), from_numbers(dead))


def unreadable(path: str, reason: object) -> LakeUnreadable:
    return LakeUnreadable("lake_unreadable", f"{path}: {reason}")
