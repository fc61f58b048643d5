"""Rows to files: one Parquet a part, and over all of them one CSV and the counts."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from inspection.judgement import DEF_FRONT, OK_FRONT
from inspection.spreadsheet import cell
from scoring.judging import Row
from scoring.plan import CSV, SUMMARY, unfinished, write_whole

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("prediction", pa.string()),
        ("verdict", pa.string()),
        ("p_defect", pa.float64()),
        ("reasons", pa.list_(pa.string())),
        ("error", pa.string()),
        ("source", pa.string()),
        ("image_sha256", pa.string()),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
        ("brightness", pa.float64()),
        ("sharpness", pa.float64()),
        ("model_version", pa.string()),
    ]
)
LABELS = (OK_FRONT, DEF_FRONT)
BINS = 20


@dataclass(slots=True)
class Counts:
    """What a scoring found; ``confusion`` counts (folder label, prediction) where folder names carry labels."""

    members: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    predictions: Counter[str] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)

    def add(self, table: pa.Table) -> None:
        """Count a part's rows."""
        good = table.filter(pc.is_null(table["error"]))
        self.members += len(table)
        self.errors.update(error for error in table["error"].to_pylist() if error is not None)
        self.verdicts.update(good["verdict"].to_pylist())
        self.predictions.update(good["prediction"].to_pylist())
        self.scores.update(min(BINS - 1, int(p_defect * BINS)) for p_defect in good["p_defect"].to_pylist())
        for path, prediction in zip(good["path"].to_pylist(), good["prediction"].to_pylist(), strict=True):
            if (label := label_of(path)) is not None:
                self.confusion[(label, prediction)] += 1

    def told(self) -> dict[str, Any]:
        """As ``summary.json`` has it."""
        failed = self.errors.total()
        return {
            "members": self.members,
            "judged": self.members - failed,
            "failed": failed,
            "errors": dict(self.errors),
            "verdicts": dict(self.verdicts),
            "predictions": dict(self.predictions),
            "confusion": {f"{label} as {said}": count for (label, said), count in sorted(self.confusion.items())},
            "score_histogram": [self.scores[one] for one in range(BINS)],
        }


def write_part(path: Path, partial: Path, rows: Sequence[Row], card_digest: str) -> None:
    """Write one part by way of ``partial``: whole or not at all. The model card's hash is in the metadata."""
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
    schema = SCHEMA.with_metadata({"model_card_sha256": card_digest})
    with partial.open("wb") as file:
        pq.write_table(pa.table(columns, schema=schema), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def gathered(results: Path, out: Path) -> Counts:
    """Go through all parts once, in bounded memory: write ``results.csv`` and ``summary.json``, return the counts."""
    counts = Counts()
    at = SCHEMA.get_field_index("reasons")
    partial = unfinished(out, CSV)
    with csv.CSVWriter(partial, SCHEMA.set(at, pa.field("reasons", pa.string()))) as writer:
        for table in tables(results):
            counts.add(table)
            writer.write_table(_cells(table.set_column(at, "reasons", pc.binary_join(table["reasons"], ";"))))
    partial.replace(out / CSV)
    write_whole(out, SUMMARY, json.dumps(counts.told(), indent=1) + "\n")
    return counts


def _cells(table: pa.Table) -> pa.Table:
    """Names in an archive are a stranger's: a spreadsheet must not run them. The Parquet keeps them as they are."""
    for at, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            safe = [None if text is None else cell(text) for text in table[column.name].to_pylist()]
            table = table.set_column(at, column, pa.array(safe, pa.string()))
    return table


def read_summary(out: Path) -> dict[str, Any]:
    """The counts of a finished scoring."""
    told: dict[str, Any] = json.loads((out / SUMMARY).read_text())
    return told


def tables(results: Path, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """All parts, in the order of their names."""
    for path in sorted(results.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            yield file.read(columns).replace_schema_metadata()


def label_of(path: str) -> str | None:
    """The label that a member's folders carry, if they carry one."""
    return next((part for part in reversed(path.split("/")[:-1]) if part in LABELS), None)
