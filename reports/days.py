"""Counted days are kept: a date folder whose files are the same as last time is not read again.

What is kept lies under ``<work>/<recipe>/<date>.<fingerprint>/<table>``, written under a temporary name and renamed, so
it is whole or absent. Deleting it all costs time and nothing else.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import structlog

from reports import tables
from reports.lake import LakeFile
from reports.storage import Storage

#: Changes whenever a table's meaning does: what older code counted is then not used.
RECIPE = "3"
_LARGE = ("parts",)
#: Another report may still read a day as it was, or write: what is not needed goes only when it is so old, seconds.
_UNREAD, _ABANDONED = 3600.0, 86400.0
#: A day (ISO) and its files to the folder of a whole copy of exactly these, if there is one.
Copies = Callable[[str, Sequence[LakeFile]], str | None]
_log = structlog.get_logger(__name__)


def fingerprint(files: Sequence[LakeFile]) -> str:
    """What a date folder is recognised by: names and lengths (files of the lake are never rewritten)."""
    told = "\n".join(f"{file.topic}+{file.partition}+{file.start}:{file.length}" for file in sorted(files))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


class CountedDays:
    """All tables of some files, by day, from what is kept where possible."""

    def __init__(self, spark: Any, storage: Storage, root: str, work: str, copies: Copies) -> None:
        self._spark = spark
        self._storage = storage
        self._root = root
        self._copies = copies
        self._work = f"{work}/{RECIPE}"
        self._entries: list[str] = []

    def count(self, files: Sequence[LakeFile]) -> int:
        """Count the days that are new or changed; returns how many were read."""
        days: dict[str, list[LakeFile]] = defaultdict(list)
        for file in files:
            days[file.date.isoformat()].append(file)
        names = {day: f"{day}.{fingerprint(mine)}" for day, mine in sorted(days.items())}
        stale = [day for day, name in names.items() if not self._storage.exists(f"{self._work}/{name}")]
        if stale:
            self._keep({day: days[day] for day in stale}, {day: names[day] for day in stale})
        self._entries = [f"{self._work}/{name}" for name in names.values()]
        self._sweep(names.values())
        _log.info("days_counted", days=len(names), read=len(stale))
        return len(stale)

    def _sweep(self, names: Collection[str]) -> None:
        """What older code kept, days as they were, and what a killed report left."""
        self._storage.sweep(self._work.rpartition("/")[0], {RECIPE}, _ABANDONED)
        self._storage.sweep(self._work, {"_tmp", *names}, _UNREAD)
        self._storage.sweep(f"{self._work}/_tmp", (), _ABANDONED)

    def table(self, name: str) -> Any:
        """A data frame over all days."""
        paths = [path for entry in self._entries if self._storage.exists(path := f"{entry}/{name}")]
        schema = tables.TABLES[name][1]
        reader = self._spark.read.schema(schema)
        return reader.parquet(*map(tables.literal, paths)) if paths else self._spark.createDataFrame([], schema)

    def _rows(self, days: Mapping[str, Sequence[LakeFile]]) -> Any:
        """The days' events, from whole compacted copies where there are any."""
        folders = {day: self._copies(day, files) for day, files in days.items()}
        plain = [file for day, files in days.items() if folders[day] is None for file in files]
        frames = [tables.copied(self._spark, folder, day) for day, folder in folders.items() if folder is not None]
        if plain or not frames:
            frames.append(tables.events(self._spark, self._root, plain))
        rows = frames[0]
        for frame in frames[1:]:
            rows = rows.unionByName(frame)
        return rows

    def _keep(self, days: Mapping[str, Sequence[LakeFile]], names: Mapping[str, str]) -> None:
        temporary = f"{self._work}/_tmp/{uuid.uuid4().hex}"
        try:
            rows = self._rows(days)
            for table, (make, _) in tables.TABLES.items():
                self._write(make(rows), table, f"{temporary}/{table}")
                for day, name in names.items():
                    if self._storage.exists(f"{temporary}/{table}/folder={day}"):
                        self._storage.move(f"{temporary}/{table}/folder={day}", f"{temporary}/days/{name}/{table}")
            for name in names.values():
                self._storage.write(f"{temporary}/days/{name}/_counted", b"")  # a day without rows has no table
                self._storage.move(f"{temporary}/days/{name}", f"{self._work}/{name}")
        finally:
            self._storage.remove(temporary)

    def _write(self, frame: Any, table: str, path: str) -> None:
        from pyspark.sql import functions as sql

        marked = frame.withColumn("folder", sql.col("date"))
        if table not in _LARGE:
            marked = marked.repartition(4, "folder")  # a file or so a day, not one of every task
        marked.write.partitionBy("folder").parquet(path)


def recount(spark: Any, root: str, files: Sequence[LakeFile], names: Sequence[str]) -> Mapping[str, Any]:
    """Tables with each (journal, number) counted once: what is needed when something is stored twice. Keeps nothing."""
    rows = tables.events(spark, root, files, dedupe=True)
    return {name: tables.TABLES[name][0](rows) for name in names}
