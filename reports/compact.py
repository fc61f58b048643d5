"""A closed day as few large files beside the root: a copy that is reconciled before it counts, never a replacement.

``<beside the root>/predictions_daily/date=…/`` holds the day's rows, each (journal, number) once, with the
partition they were stored in, and ``_copy.json``: the fingerprint of the day's files, each journal's rows, and the
copy's own files with their lengths. The report reads a copy only when all of that still fits and nothing was doubled.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from inspection.errors import InspectorError
from reports import tables
from reports.days import fingerprint
from reports.lake import LakeFile
from reports.storage import Storage, storage_for, whole

_ROWS_A_FILE = 2_000_000
_FORMAT = 2  # of the copy's columns: an older copy is made again
_MANIFEST = "_copy.json"  # Spark passes over names that begin so


class NotReconciled(InspectorError):
    """A copy doesn't hold what the day holds; it was thrown away."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """One day's copy: distinct rows in it, and of how many files it was made."""

    day: str
    rows: int
    files: int


def place(root: str) -> str:
    """Where copies lie: beside the root."""
    return f"{whole(root).rpartition('/')[0]}/predictions_daily"


def compact(spark: Any, lake: str, before: date) -> list[Compacted]:
    """Copy every day before ``before`` (UTC) that has no fitting copy yet; returns what was written.

    Raises:
        LakeUnreadable: there is no lake.
        NotReconciled: a copy's numbers differ from the day's.
    """
    root = whole(lake)
    storage = storage_for(spark, root)
    days: dict[date, list[LakeFile]] = defaultdict(list)
    for file in storage.lake_files(root):
        if file.date < before:
            days[file.date].append(file)
    return [
        _copy(spark, storage, root, day.isoformat(), files)
        for day, files in sorted(days.items())
        if not fits(storage, root, day.isoformat(), files)
    ]


def fits(storage: Storage, root: str, day: str, files: Sequence[LakeFile]) -> bool:
    """Whether a whole copy of exactly these files is there."""
    return _fits(_manifest(storage, root, day), storage, root, day, files)


def preferred(storage: Storage, root: str, day: str, files: Sequence[LakeFile]) -> str | None:
    """The copy's folder when it stands for these files in every respect; None otherwise."""
    manifest = _manifest(storage, root, day)
    good = _fits(manifest, storage, root, day, files) and manifest["doubled"] == 0
    return f"{place(root)}/date={day}" if good else None


def _fits(manifest: dict[str, Any], storage: Storage, root: str, day: str, files: Sequence[LakeFile]) -> bool:
    """A copy of these files, and each of its own files as long as when it was written."""
    there = storage.lengths(f"{place(root)}/date={day}")
    copies: dict[str, int] = manifest.get("copies", {})
    whole_copy = bool(copies) and all(there.get(name) == length for name, length in copies.items())
    return whole_copy and (manifest.get("format"), manifest.get("fingerprint")) == (_FORMAT, fingerprint(files))


def _manifest(storage: Storage, root: str, day: str) -> dict[str, Any]:
    text = storage.read(f"{place(root)}/date={day}/{_MANIFEST}")
    return dict(json.loads(text)) if text else {}


def _copy(spark: Any, storage: Storage, root: str, day: str, files: Sequence[LakeFile]) -> Compacted:
    temporary, target = f"{place(root)}/_tmp/{uuid.uuid4().hex}", f"{place(root)}/date={day}"
    try:
        rows = tables.events(spark, root, files)
        expected = _journals(rows)
        count = sum(n for n, _ in expected.values())
        once = rows.dropDuplicates(["journal", "number"]).drop("date")
        once.coalesce(max(1, -(-count // _ROWS_A_FILE))).write.parquet(f"{temporary}/rows")
        copied = _journals(spark.read.parquet(tables.literal(f"{temporary}/rows")))
        if copied != expected:
            raise NotReconciled("not_reconciled", f"The copy of {day} does not hold what the day holds.")
        doubled = rows.count() - count
        lengths = storage.lengths(f"{temporary}/rows")
        manifest = {
            "format": _FORMAT,
            "fingerprint": fingerprint(files),
            "files": len(files),
            "doubled": doubled,
            "journals": expected,
            "copies": {name: length for name, length in lengths.items() if name.endswith(".parquet")},
        }
        storage.write(f"{temporary}/rows/{_MANIFEST}", json.dumps(manifest).encode())
        storage.remove(target)  # an older copy, of fewer files
        storage.move(f"{temporary}/rows", target)
        return Compacted(day, count, len(files))
    finally:
        storage.remove(temporary)


def _journals(rows: Any) -> dict[str, tuple[int, int]]:
    """Each journal's distinct numbers: how many, and their sum (exact while it fits 38 digits)."""
    from pyspark.sql import functions as sql

    distinct = rows.select("journal", "number").distinct()
    counted = distinct.groupBy("journal").agg(
        sql.count("*").alias("n"), sql.sum(sql.col("number").cast("decimal(38,0)")).alias("total")
    )
    return {row["journal"]: (row["n"], int(row["total"])) for row in counted.collect()}
