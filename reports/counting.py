"""From Spark's small tables to the types of the pure parts: numbers of journals, statements, footers' account."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from inspection.ranges import Ranges, from_numbers
from reports.lake import Footer, LakeFile, unreadable
from reports.numbers import from_blocks
from reports.reconciliation import Said, Stored
from reports.storage import Storage


def stored_numbers(table: pa.Table) -> dict[str, Stored]:
    """``table``: date, journal, block, bits, n (see ``tables.numbers``), in any order."""
    ordered = table.sort_by([("journal", "ascending"), ("block", "ascending"), ("date", "ascending")])
    names = ordered["journal"].combine_chunks().dictionary_encode()
    codes = names.indices.to_numpy(zero_copy_only=False)
    blocks, bits, rows = (ordered[name].to_numpy() for name in ("block", "bits", "n"))
    days = np.array(ordered["date"].to_pylist(), dtype=object)
    cuts = np.flatnonzero(np.diff(codes)) + 1 if len(codes) else np.array([], dtype=int)
    edges = np.concatenate(([0], cuts, [len(codes)])).astype(int) if len(codes) else np.array([0])
    labels = names.dictionary.to_pylist()
    return {labels[codes[a]]: _stored(blocks[a:b], bits[a:b], rows[a:b], days[a:b]) for a, b in pairwise(edges)}


def _stored(blocks: Any, bits: Any, rows: Any, days: Any) -> Stored:
    """One journal, blocks ascending; a block may come once for each day."""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(blocks) != 0)))
    numbers = from_blocks(blocks[starts], np.bitwise_or.reduceat(bits, starts))
    by_day = {}
    for day in sorted(set(days.tolist())):
        mine = days == day
        by_day[day] = (from_blocks(blocks[mine], bits[mine]), int(rows[mine].sum()))
    return Stored(numbers, int(rows.sum()), by_day)


def numbers_of(table: pa.Table) -> dict[str, Ranges]:
    """``table``: journal, number, sorted."""
    found: dict[str, list[int]] = defaultdict(list)
    for journal, number in zip(table["journal"].to_pylist(), table["number"].to_pylist(), strict=True):
        found[journal].append(number)
    return {journal: from_numbers(numbers) for journal, numbers in found.items()}


def statements(table: pa.Table) -> list[Said]:
    """``table``: see ``tables.statements``."""
    return [
        Said(row["stored_in"], row["journal"], row["named"], row["issued"] or 0, _time(row["at"]), _time(row["since"]))
        for row in table.to_pylist()
    ]


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def read_footers(storage: Storage, files: Sequence[LakeFile]) -> list[Footer]:
    """Raises LakeUnreadable, naming the file, when one has no footer of the lake."""
    footers = []
    for file, text in zip(files, storage.footers([file.path for file in files]), strict=True):
        try:
            footers.append(Footer.parse(text))
        except (ValueError, KeyError, TypeError) as error:
            raise unreadable(file.path, f"its footer can't be read ({type(error).__name__})") from error
    return footers
