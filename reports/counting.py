"""From Spark's small tables to the types of the pure parts: numbers of journals, statements, footers' account."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from inspection.ranges import Ranges, from_numbers
from inspection.reconciliation import LATE, Heard, Link, Said, Stored, Stream
from reports.lake import LakeFile, link, unreadable
from reports.numbers import from_blocks
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
        Said(_stream(row["stored_in"]), row["journal"], row["named"] or 0, row["issued"] or 0, _time(row["since"]))
        for row in table.to_pylist()
    ]


def heard(frame: Any, now: datetime) -> dict[Stream, Heard]:
    """``frame``: see ``tables.heard``; the same as ``inspection.reconciliation.heard_in`` of each stream's times."""
    from pyspark.sql import functions as sql

    at, old = sql.col("at"), sql.col("at") < _micros(now - LATE)
    past = frame.where(at <= _micros(now + LATE)).groupBy("stored_in")
    found = past.agg(sql.max(at).alias("newest"), sql.max(sql.when(old, at)).alias("settled")).toArrow()
    return {
        _stream(row["stored_in"]): Heard(*(None if (m := row[n]) is None else _time(m) for n in ("newest", "settled")))
        for row in found.to_pylist()
    }


def _stream(text: str) -> Stream:
    topic, _, partition = text.rpartition("+")
    return topic, int(partition)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _micros(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1)


def read_links(storage: Storage, files: Sequence[LakeFile]) -> list[Link]:
    """Raises LakeUnreadable, naming the file, when one has no footer of the lake."""
    links = []
    for file, text in zip(files, storage.footers([file.path for file in files]), strict=True):
        try:
            links.append(link(file, text))
        except (ValueError, KeyError, TypeError) as error:
            raise unreadable(file.path, f"its footer can't be read ({type(error).__name__})") from error
    return links
