"""The count that the documentation gives to those who trust none of this code, run by Spark SQL as it is written."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.reports.lakes import Partition, Plant, generate, inspections

ROOT = Path(__file__).parents[2]


def test_plain_sql_sees_what_is_missing_and_what_is_doubled(spark: Any, tmp_path: Path) -> None:
    generate(Plant(events=2_000, days=2), tmp_path)
    rows = inspections(Plant(), 0, 100, 1, "j-torn", 3)
    torn = pa.concat_tables([rows.slice(0, 40), rows.slice(43), rows.slice(50, 2)])
    Partition(tmp_path, number=1).write(torn, "2026-03-02")

    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "statistics.md").read_text(), re.DOTALL)
    found = {row.journal: row for row in spark.sql(query.replace("var/lake", str(tmp_path))).collect()}

    whole, torn_row = found["j-writer"], found["j-torn"]
    assert whole.stored == whole.numbers == whole.highest > 2_000
    assert (torn_row.stored, torn_row.numbers, torn_row.highest) == (99, 97, 100)
