"""`casting score` as a process, and the rows that it left."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
CASTING = Path(sys.executable).with_name("casting")


def start(sources: Sequence[Path], out: Path, *more: str) -> subprocess.Popen[bytes]:
    """The command in a process group of its own; what it prints is added to ``out/log``."""
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "CASTING_MODELS": str(ROOT / "models")}
    command = [str(one) for one in (CASTING, "score", *sources, "--out", out, *more)]
    with (out / "log").open("ab") as log:
        return subprocess.Popen(command, env=environment, cwd=out, stdout=log, stderr=log, start_new_session=True)


def rows(out: Path) -> list[dict[str, Any]]:
    """Every row under ``out/results``, part by part."""
    return [row for path in sorted(out.glob("results/*.parquet")) for row in pq.read_table(path).to_pylist()]
