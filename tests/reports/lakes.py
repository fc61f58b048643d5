"""Writes lakes in the real file format, large ones fast: columns by NumPy, footers as the consumer writes them.

Used by the tests and, as ``python -m tests.reports.lakes --events 10000000 --out FOLDER``, by the timings.
"""

import argparse
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from streaming.files import SCHEMA


@dataclass(slots=True)
class Partition:
    """One partition's files, written one after the other; keeps the marks as the consumer does (no gaps seen)."""

    root: Path
    topic: str = "prediction_results"
    number: int = 0
    offset: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    touched: str = "2026-01-01"

    def write(
        self, rows: pa.Table, day: str, marks: Mapping[str, int] | None = None, dead: tuple[int, ...] = ()
    ) -> Path:
        """One file of ``rows``; ``marks`` overrides the highest number seen of a journal, ``dead`` are offsets."""
        for journal, number in highest(rows).items():
            self.seen[journal] = max(self.seen.get(journal, 0), number)
        self.seen.update(marks or {})
        start, self.offset = self.offset, self.offset + max(1, rows.num_rows + len(dead))
        footer = {
            "stream": "cluster:topic",
            "start": start,
            "resume": self.offset,
            "marks": {journal: [number, [], [], day] for journal, number in self.seen.items()},
            "dead": list(dead),
            "last": {"offset": self.offset - 1, "digest": "0" * 32},
        }
        path = self.root / f"date={day}" / f"{self.topic}+{self.number}+{start:020}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = SCHEMA.with_metadata({b"casting": json.dumps(footer).encode()})
        pq.write_table(rows.cast(SCHEMA).replace_schema_metadata(schema.metadata), path, compression="zstd")
        return path


def highest(rows: pa.Table) -> dict[str, int]:
    grouped = rows.group_by("journal").aggregate([("number", "max")])
    return dict(zip(grouped["journal"].to_pylist(), grouped["number_max"].to_pylist(), strict=True))


def to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows given by column name; what is left out is null, ``schema`` is filled in."""
    filled = [{"schema": "inspection/1", **row} for row in rows]
    return pa.Table.from_pylist(filled, schema=SCHEMA)


def statement(journal: str, number: int, at: datetime, counts: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """A statement's row; ``counts``: journal to (partition, issued)."""
    named = {name: {"partition": partition, "issued": issued} for name, (partition, issued) in counts.items()}
    return {
        "kind": "statement",
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{journal}/{number}")),
        "occurred_at": at,
        "journal": journal,
        "number": number,
        "journals": json.dumps(named),
    }


@dataclass(frozen=True, slots=True)
class Plant:
    """What a foundry does: sizes, and the troubles planted from day ``since`` (counted from 0) on."""

    events: int = 20_000
    days: int = 5
    first: datetime = datetime(2026, 3, 2, tzinfo=UTC)
    lines: int = 3
    lots: int = 40
    parts: bool = True
    again: float = 0.02  # share of inspections that see an earlier part again
    defect_rate: float = 0.02
    shift_line: int | None = None  # this line's defect rate is tripled ...
    since: int = 3  # ... from this day on
    bad_lot: int | None = None  # ten times the defect rate
    darker: float = 0.0  # brightness falls by this much from day `since` on
    audited: float = 0.02
    files: int = 1  # per day
    seed: int = 7
    skew: bool = False  # nine of ten inspections on line 0, lot 0


def inspections(plant: Plant, day: int, count: int, number: int, journal: str, seed: int) -> pa.Table:
    """``count`` inspections of one day in order of time, numbered from ``number`` on."""
    random = np.random.default_rng([plant.seed, day, seed])
    began = int((plant.first + timedelta(days=day)).timestamp() * 1e6)
    at = np.sort(random.integers(0, 86_400_000_000 - 1, count)) + began
    line, lot = random.integers(0, plant.lines, count), random.integers(0, plant.lots, count)
    if plant.skew:
        often = random.random(count) < 0.9
        line, lot = np.where(often, 0, line), np.where(often, 0, lot)
    rate = np.full(count, plant.defect_rate)
    if plant.shift_line is not None and day >= plant.since:
        rate[line == plant.shift_line] *= 3
    if plant.bad_lot is not None:
        rate[lot == plant.bad_lot] = np.minimum(1.0, plant.defect_rate * 10)
    bad = random.random(count) < rate
    score = np.clip(np.where(bad, random.beta(12, 1.5, count), random.beta(1.2, 40, count)), 0, 1)
    verdict = np.select([score < 0.2, score < 0.7], ["ok", "review"], "defect")
    drawn = random.random(count) < plant.audited
    chosen = np.where(verdict != "ok", 1.0, np.where(drawn, plant.audited, np.nan))
    ids = np.arange(number, number + count)
    columns: dict[str, Any] = {
        "kind": _same("inspection", count),
        "schema": _same("inspection/1", count),
        "event_id": _ids(journal, ids),
        "occurred_at": pa.array(at, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "journal": _same(journal, count),
        "number": pa.array(ids),
        "origin": _same("api", count),
        "image_sha256": _ids("", ids * 7919),
        "model_version": _same("casting-1", count),
        "prediction": pa.array(np.where(score >= 0.5, "def_front", "ok_front")),
        "verdict": pa.array(verdict),
        "p_defect": pa.array(np.round(score, 6)),
        "latency_ms": pa.array(random.gamma(4, 5, count)),
        "audit_probability": pa.array(chosen, from_pandas=True),
        "brightness": pa.array(random.normal(140 - (plant.darker if day >= plant.since else 0), 6, count)),
        "sharpness": pa.array(random.lognormal(5, 0.3, count)),
        "lot": _named("lot-", lot),
        "line": _named("line-", line),
        "camera": _named("camera-", line),
        "shift": pa.array(np.select([at % 86_400_000_000 < 28_800_000_000], ["night"], "day")),
    }
    if plant.parts:
        columns["part_id"] = _named("part-", np.where(random.random(count) < plant.again, np.maximum(1, ids - 5), ids))
    missing = {name: pa.nulls(count, SCHEMA.field(name).type) for name in SCHEMA.names if name not in columns}
    return pa.table({name: {**columns, **missing}[name] for name in SCHEMA.names}).cast(SCHEMA)


def audits(plant: Plant, rows: pa.Table, number: int, journal: str, share: float = 1.0) -> pa.Table:
    """People settle the chosen ones; truth follows the score (they are never wrong, the model sometimes)."""
    random = np.random.default_rng([plant.seed, number])
    found = rows.filter(pa.compute.greater(rows["audit_probability"], 0))
    found = found.filter(pa.array(random.random(found.num_rows) < share))
    count = found.num_rows
    score = found["p_defect"].to_numpy()
    truth = random.random(count) < score
    kinds = random.choice(["blow_hole", "crack", "scratch", "broken_rim"], count, p=[0.5, 0.3, 0.15, 0.05])
    table = {
        "kind": _same("audit", count),
        "schema": _same("inspection/1", count),
        "event_id": _ids(f"a{journal}", np.arange(count) + number),
        "occurred_at": found["occurred_at"],
        "journal": _same(journal, count),
        "number": pa.array(np.arange(number, number + count)),
        "inspection_id": found["event_id"],
        "true_label": pa.array(np.where(truth, "def_front", "ok_front")),
        "auditor": _same("kim", count),
        "defect_type": pa.array(np.where(truth, kinds, None)),
        "blind": pa.array(np.ones(count, dtype=bool)),
    }
    missing = {name: pa.nulls(count, SCHEMA.field(name).type) for name in SCHEMA.names if name not in table}
    return pa.table({name: {**table, **missing}[name] for name in SCHEMA.names}).cast(SCHEMA)


def generate(plant: Plant, root: Path) -> int:
    """A whole lake of one partition with a statement at the end of every day; returns the events issued."""
    partition = Partition(root)
    number, said, per_day = 1, 0, plant.events // plant.days
    for day in range(plant.days):
        date = (plant.first + timedelta(days=day)).date().isoformat()
        for part in range(plant.files):
            count = per_day // plant.files
            rows = inspections(plant, day, count, number, "j-writer", part)
            settled = audits(plant, rows, number + count, "j-writer")
            number += count + settled.num_rows
            partition.write(pa.concat_tables([rows, settled]), date)
        said += 1
        end = plant.first + timedelta(days=day + 1, seconds=-1)
        partition.write(to_table([statement("j-statements", said, end, {"j-writer": (0, number - 1)})]), date)
    return number - 1 + said


def _same(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([text])).cast(pa.string())


def _named(prefix: str, numbers: npt.NDArray[Any]) -> pa.Array:
    return pa.compute.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _ids(salt: str, numbers: npt.NDArray[Any]) -> pa.Array:
    head = f"{zlib.crc32(salt.encode()):08x}-0000-7000-8000-"
    return pa.compute.binary_join_element_wise(
        head, pa.compute.utf8_lpad(pa.array(numbers).cast(pa.string()), 12, "0"), ""
    )


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--files", type=int, default=4, help="files a day")
    parser.add_argument("--skew", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    plant = Plant(
        events=given.events,
        days=given.days,
        files=given.files,
        skew=given.skew,
        shift_line=1,
        bad_lot=7,
        darker=15,
        since=given.days // 2,
    )
    print(f"{generate(plant, given.out):,} events in {given.out}")


if __name__ == "__main__":
    _main()
