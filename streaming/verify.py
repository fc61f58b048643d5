"""Counts a lake against what its ledger says was issued; reads columns and footers only, and trusts neither.

For each journal, every number from 1 to the highest that is known (stored, in the marks, or named by a statement
stored in the journal's own partition) must be stored once, be a known dead letter, or lie before the oldest kept file.
What only another partition's statement names is outstanding: late, or lost.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from inspection.ranges import Ranges, count, from_numbers, subtract, up_to
from streaming.files import Footer, Name
from streaming.folder import Folder
from streaming.marks import JournalMarks

LATE = timedelta(minutes=10)
_COLUMNS = ["kind", "occurred_at", "journal", "number", "journals"]
MOST_RANGES = 100  # of missing numbers, named for a journal
_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JournalCount:
    """One journal: numbers stated, stored once, missing, doubled, dead, outstanding; ``where`` lists missing ranges."""

    journal: str
    partition: int
    stated: int
    stored: int
    missing: int
    doubled: int
    dead: int
    outstanding: int
    where: tuple[tuple[int, int], ...]

    @property
    def issued(self) -> int:
        return self.stored + self.missing + self.dead + self.outstanding


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole lake. ``until``: the newest statement's time, up to which this verdict speaks (None: no statement)."""

    journals: tuple[JournalCount, ...]
    breaks: tuple[str, ...]
    dead_letters: int
    files: int
    until: datetime | None
    late: bool

    def total(self, name: str) -> int:
        return sum(getattr(journal, name) for journal in self.journals)

    @property
    def whole(self) -> bool:
        """Nothing missing, nothing doubled, no broken chain, nothing late."""
        return not (self.total("missing") or self.total("doubled") or self.breaks or self.late)

    def as_dict(self) -> dict[str, Any]:
        names = ("issued", "stored", "missing", "doubled", "outstanding")
        return {
            "whole": self.whole,
            **{name: self.total(name) for name in names},
            "dead": self.dead_letters,
            "files": self.files,
            "until": self.until.isoformat() if self.until else None,
            "breaks": list(self.breaks),
            "journals": [{**asdict(journal), "issued": journal.issued} for journal in self.journals],
        }


@dataclass(slots=True)
class _Journal:
    partition: int = 0
    parts: list[_Numbers] = field(default_factory=list)
    stated_own: int = 0
    stated_elsewhere: int = 0
    stated_since: datetime | None = None
    marks: JournalMarks = field(default_factory=JournalMarks)
    before: tuple[JournalMarks, _Numbers] | None = None


def verify(folder: Folder, now: datetime | None = None) -> Verdict:
    """Read all files of ``folder`` and count. ``now`` decides what is late."""
    chains: dict[tuple[str, int], list[Name]] = defaultdict(list)
    for name in folder.names():
        chains[name.topic, name.partition].append(name)
    count = _Count(folder)
    for chain in chains.values():
        count.chain(sorted(chain, key=lambda name: name.start))
    return count.verdict(now or datetime.now(UTC))


class _Count:
    """Gathers what the files of all partitions say."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._journals: dict[str, _Journal] = defaultdict(_Journal)
        self._statements: list[tuple[int, datetime, dict[str, dict[str, int]]]] = []
        self._breaks: list[str] = []
        self._dead = 0
        self._files = 0

    def chain(self, names: Sequence[Name]) -> None:
        """One partition's files, in order."""
        before: Footer | None = None
        for name in names:
            with self._folder.open(name) as file:
                parquet = pq.ParquetFile(file)
                footer = Footer.from_metadata(parquet.schema_arrow.metadata)
                table = parquet.read(columns=_COLUMNS)
            self._check(name, before, footer)
            self._rows(name.partition, table, footer if before is None and name.start > 0 else None)
            self._files += 1
            self._dead += len(footer.dead)
            before = footer
        if before is not None:
            for journal, marks in before.marks.items():
                self._journals[journal].marks = marks
                self._journals[journal].partition = names[0].partition

    def _check(self, name: Name, before: Footer | None, footer: Footer) -> None:
        if footer.start != name.start:
            self._breaks.append(f"{name.path}: its name says {name.start}, its footer {footer.start}")
        if before is not None and footer.start != before.resume:
            self._breaks.append(f"{name.path}: starts at {footer.start}, the file before it ends at {before.resume}")
        if before is not None and footer.stream != before.stream:
            self._breaks.append(f"{name.path}: comes from {footer.stream}, the file before it from {before.stream}")

    def _rows(self, partition: int, table: pa.Table, oldest: Footer | None) -> None:
        encoded = table["journal"].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        numbers = table["number"].to_numpy()
        for code, journal in enumerate(encoded.dictionary.to_pylist()):
            self._journals[journal].parts.append(numbers[codes == code])
            self._journals[journal].partition = partition
        if oldest is not None:
            for journal, marks in oldest.marks.items():
                rows = self._journals[journal].parts
                self._journals[journal].before = (marks, np.concatenate(rows) if rows else _none())
        statements = table.filter(pc.equal(table["kind"], "statement"))
        for when, content in zip(
            statements["occurred_at"].to_pylist(), statements["journals"].to_pylist(), strict=True
        ):
            self._statements.append((partition, when, json.loads(content or "{}")))

    def verdict(self, now: datetime) -> Verdict:
        for partition, when, named in self._statements:
            for journal, said in named.items():
                self._stated(journal, said, partition, when)
        counts = tuple(_count(name, journal) for name, journal in sorted(self._journals.items()))
        late = any(
            count.outstanding and (since := self._journals[count.journal].stated_since) and now - since > LATE
            for count in counts
        )
        until = max((when for _, when, _ in self._statements), default=None)
        return Verdict(counts, tuple(self._breaks), self._dead, self._files, until, bool(late))

    def _stated(self, name: str, said: dict[str, int], partition: int, when: datetime) -> None:
        journal = self._journals[name]
        if not journal.parts:
            journal.partition = said["partition"]
        if said["partition"] == partition:
            journal.stated_own = max(journal.stated_own, said["issued"])
        elif said["issued"] > journal.stated_elsewhere:
            journal.stated_elsewhere, journal.stated_since = said["issued"], when


def _count(name: str, journal: _Journal) -> JournalCount:
    rows = np.concatenate(journal.parts) if journal.parts else _none()
    once = np.unique(rows)
    known = max(int(once[-1]) if once.size else 0, journal.marks.highest, journal.stated_own)
    dead = np.setdiff1d(np.array(sorted(journal.marks.dead), dtype=np.int64), once)
    found = np.union1d(once, dead) if dead.size else once
    gone = subtract(_gaps(found, known), _before(journal))
    stated = max(journal.stated_own, journal.stated_elsewhere)
    return JournalCount(
        journal=name,
        partition=journal.partition,
        stated=stated,
        stored=int(once.size),
        missing=count(gone),
        doubled=int(rows.size - once.size),
        dead=int(dead.size),
        outstanding=max(0, stated - known),
        where=gone[:MOST_RANGES],
    )


def _gaps(found: _Numbers, known: int) -> list[tuple[int, int]]:
    """Inclusive ranges of 1 to ``known`` that are not in ``found`` (sorted). Numbers may be as large as 2^63 - 1."""
    edges = np.concatenate(([0], found))
    cuts = np.flatnonzero(np.diff(edges) > 1)
    gaps = [(int(edges[cut]) + 1, int(edges[cut + 1]) - 1) for cut in cuts]
    return [*gaps, (int(edges[-1]) + 1, known)] if known > edges[-1] else gaps


def _before(journal: _Journal) -> Ranges:
    """Numbers that lay in files before the oldest kept one: its marks less its own rows."""
    if journal.before is None:
        return ()
    marks, own = journal.before
    return subtract((*up_to(marks.low), *marks.ranges), from_numbers(own.tolist()))


def _none() -> _Numbers:
    return np.empty(0, dtype=np.int64)
