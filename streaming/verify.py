"""Counts a lake against what its ledger says was issued; reads footers and rows, and trusts neither.

Gathers what files, rows and statements say; the rules are those of :mod:`inspection.reconciliation`, as the report's.
"""

import json
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from inspection.ranges import Ranges, count, from_numbers, up_to
from inspection.reconciliation import Account, Break, Link, Marks, Said, Stored, Stream, heard_in, reconcile
from streaming.files import Damaged, Footer, Name, read_rows
from streaming.folder import Folder
from streaming.marks import JournalMarks

_COLUMNS = ["kind", "occurred_at", "journal", "number", "journals"]
MOST_RANGES = 100  # of missing numbers, named for a journal
_Numbers = npt.NDArray[np.int64]


def verify(folder: Folder, now: datetime | None = None) -> Account:
    """Read all files of ``folder`` and count. ``now`` decides what is late.

    What looks broken is looked at once more: a listing that goes from day to day while a file is added to a day that
    it has passed, and the next file to the day after, misses only the first.
    """
    account = _verify(folder, now)
    return _verify(folder, now) if account.breaks else account


def _verify(folder: Folder, now: datetime | None) -> Account:
    found = _Found()
    for name in folder.names():
        try:
            with folder.open(name) as file:
                footer, table = read_rows(file, _COLUMNS)
        except Damaged as error:
            found.damaged.append(Break("damaged", name.path, str(error), ""))
            continue
        found.add(name, footer, table)
    return found.account(now or datetime.now(UTC))


def as_dict(account: Account) -> dict[str, Any]:
    """As ``casting verify --json`` prints it."""
    names = ("issued", "stored", "missing", "doubled", "outstanding", "retired")
    plain = ("journal", "partition", "stated", "stored", "doubled", "retired", "issued")
    return {
        "whole": account.whole,
        **{name: account.total(name) for name in names},
        "dead": account.dead_letters,
        "files": account.files,
        "until": account.proven_until.isoformat() if account.proven_until else None,
        "breaks": [asdict(found) for found in account.breaks],
        "late": [{**asdict(late), "since": late.since and late.since.isoformat()} for late in account.late],
        "journals": [
            {name: getattr(journal, name) for name in plain}
            | {name: count(getattr(journal, name)) for name in ("missing", "dead", "outstanding")}
            | {"where": journal.missing[:MOST_RANGES]}
            for journal in account.journals
        ],
    }


class _Found:
    """What the files of all partitions say."""

    def __init__(self) -> None:
        self.damaged: list[Break] = []
        self._links: list[Link] = []
        self._numbers: dict[str, list[_Numbers]] = defaultdict(list)
        self._said: dict[tuple[Stream, str, int], Said] = {}
        self._heard: dict[Stream, list[datetime]] = defaultdict(list)

    def add(self, name: Name, footer: Footer, table: pa.Table) -> None:
        stream = (name.topic, name.partition)
        marks = {journal: _marks(marks) for journal, marks in footer.marks.items()}
        told = (footer.stream, footer.start, footer.resume, marks, footer.dead)
        self._links.append(Link(stream, name.start, name.date, name.path, *told))
        encoded = table["journal"].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        numbers = table["number"].to_numpy()
        for code, journal in enumerate(encoded.dictionary.to_pylist()):
            self._numbers[journal].append(numbers[codes == code])
        statements = table.filter(pc.equal(table["kind"], "statement"))
        for when, content in zip(
            statements["occurred_at"].to_pylist(), statements["journals"].to_pylist(), strict=True
        ):
            self._heard[stream].append(when)
            self._note(stream, when, json.loads(content or "{}"))

    def _note(self, stream: Stream, when: datetime, journals: dict[str, dict[str, int]]) -> None:
        for journal, told in journals.items():
            said = Said(stream, journal, told["partition"], told["issued"], when)
            before = self._said.get((stream, journal, said.named))
            if before is None or (-said.issued, when) < (-before.issued, before.since):
                self._said[stream, journal, said.named] = said

    def account(self, now: datetime) -> Account:
        stored = {journal: _stored(parts) for journal, parts in self._numbers.items()}
        heard = {stream: heard_in(times, now) for stream, times in self._heard.items()}
        account = reconcile(self._links, stored, self._said.values(), heard, now)
        return replace(account, breaks=(*self.damaged, *account.breaks), files=account.files + len(self.damaged))


def _marks(marks: JournalMarks) -> Marks:
    return Marks((*up_to(marks.low), *marks.ranges), from_numbers(marks.dead))


def _stored(parts: list[_Numbers]) -> Stored:
    rows = np.concatenate(parts)
    return Stored(_ranges(np.unique(rows)), int(rows.size))


def _ranges(numbers: _Numbers) -> Ranges:
    """Of numbers in order, each once; there is at least one. They may be as large as 2^63 - 1."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    firsts, lasts = numbers[np.concatenate(([0], ends + 1))], numbers[np.concatenate((ends, [numbers.size - 1]))]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))
