"""The count that the documentation gives to those who trust none of this code, run by Spark SQL as it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from tests.reports.lakes import Partition, Plant, generate, inspections

ROOT = Path(__file__).parents[2]


def test_plain_sql_sees_what_is_missing_and_what_is_doubled(tmp_path: Path) -> None:
    lake = tmp_path / "var" / "lake"
    generate(Plant(events=2_000, days=2), lake)
    rows = inspections(Plant(), 0, 100, 1, "j-torn", 3)
    torn = pa.concat_tables([rows.slice(0, 40), rows.slice(43), rows.slice(50, 2)])
    Partition(lake, number=1).write(torn, "2026-03-02")

    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "statistics.md").read_text(), re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["spark-sql", "-e", query],
        cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {name: [int(count) for count in counts] for name, *counts in map(str.split, done.stdout.splitlines())}

    stored, numbers, highest = found["j-writer"]
    assert stored == numbers == highest > 2_000
    assert found["j-torn"] == [99, 97, 100]
