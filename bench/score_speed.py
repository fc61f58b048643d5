"""Offline scoring beside a plain multiprocessing script and the bare limit.

    python bench/score_speed.py [pictures] [rounds]        (or: make bench-score)

All three judge the same zip of drawn castings (JPEG) with the same decode, engine and threads, one worker a core:

- ``limit``: decode and inference in a loop over pictures that are in memory already, nothing read or written;
- ``script``: ``multiprocessing.Pool`` over ranges of the zip, rows gathered into one Parquet file;
- ``score``: ``casting score`` as a user runs it: Ray started, Parquet, CSV, summary and report written.

Rounds take turns. Printed are the medians: seconds from start to end, pictures/s in steady state (limit: all of it;
the others: between the first tenth and the last), seconds to the first result, and the highest summed PSS.
"""

import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.used import Watch
from drawing.castings import KINDS, draw
from inspection.bundle import champion
from scoring.judging import Judge
from scoring.members import Member, Reader, Source
from scoring.members import members as listed
from scoring.results import SCHEMA

ROOT = Path(__file__).parents[1]
CORES = os.cpu_count() or 1
CHUNK = 128
DIFFERENT = 200  # pictures; the archive repeats them
LOOK = 10.0  # seconds between looks at memory: one look at all of Ray's processes takes 0.15 s of a core


@dataclass(frozen=True, slots=True)
class Run:
    """One contender's run: all times in seconds."""

    seconds: float
    rate: float
    first: float
    pss_mib: float


def archive(folder: Path, count: int) -> Path:
    """A zip of ``count`` JPEG pictures."""
    drawn = _drawn()
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for at in range(count):
            file.writestr(f"casting_{at:06}.jpeg", drawn[at % DIFFERENT])
    return path


def _drawn() -> list[bytes]:
    return [draw(seed, KINDS[seed % len(KINDS)]).jpeg() for seed in range(DIFFERENT)]


_judge: Judge
_reader: Reader


def _ready(zipped: str) -> None:
    global _judge, _reader
    cv2.setNumThreads(1)
    _judge, _reader = Judge(champion(ROOT / "models")), Reader(Source(zipped, "zip"))


def _chunk(members: list[Member]) -> list[Any]:
    return list(_judge.rows("pictures.zip", ((member, _reader.read(member)) for member in members)))


def _bare(seconds: float) -> tuple[int, float]:
    contents = [(Member(str(at)), picture) for at, picture in enumerate(_drawn())]
    cv2.setNumThreads(1)
    judge = Judge(champion(ROOT / "models"))
    list(judge.rows("", iter(contents)))
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        done += len(list(judge.rows("", iter(contents))))
    return done, time.perf_counter() - started


def limit(_zipped: Path, _count: int, _out: Path) -> Run:
    """What the cores can do."""
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        parts = pool.map(_bare, [20.0] * CORES, chunksize=1)
    return Run(0, sum(done / seconds for done, seconds in parts), 0, 0)


def script(zipped: Path, count: int, out: Path) -> Run:
    """The script that people write."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    started = time.perf_counter()
    members = list(listed(Source(str(zipped), "zip")))
    chunks = [members[at : at + CHUNK] for at in range(0, len(members), CHUNK)]
    seen: list[tuple[float, int]] = []
    rows: list[Any] = []
    with (
        Watch(psutil.Process(), LOOK, itself=False) as watched,
        multiprocessing.get_context("spawn").Pool(CORES, _ready, (str(zipped),)) as pool,
    ):
        for some in pool.imap_unordered(_chunk, chunks):
            rows += some
            seen.append((time.perf_counter() - started, len(rows)))
        out.mkdir(parents=True)
        columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
        pq.write_table(pa.table(columns, schema=SCHEMA), out / "results.parquet", compression="zstd")
    return Run(time.perf_counter() - started, _steady(seen, count), seen[0][0], watched.most.pss_mib)


def score(zipped: Path, count: int, out: Path) -> Run:
    """``casting score``."""
    command = [str(Path(sys.executable).with_name("casting")), "score", str(zipped), "--out", str(out), "--json"]
    started = time.perf_counter()
    seen: list[tuple[float, int]] = []
    with (
        Watch(psutil.Process(), LOOK, itself=False) as watched,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if "done" in told:
                seen.append((time.perf_counter() - started, told["done"]))
    if process.returncode:
        sys.exit(f"casting score ended with {process.returncode}")
    seconds = time.perf_counter() - started
    first = time.perf_counter() - (time.time() - min(path.stat().st_mtime for path in out.glob("results/*")))
    return Run(seconds, _steady(seen, count), first - started, watched.most.pss_mib)


def _steady(seen: list[tuple[float, int]], count: int) -> float:
    inner = [(at, done) for at, done in seen if count * 0.1 <= done <= count * 0.9]
    (first, low), (last, high) = inner[0], inner[-1]
    return (high - low) / (last - first)


def main(count: int = 50_000, rounds: int = 3) -> None:
    """Run in turns and print."""
    contenders = {"limit": limit, "script": script, "score": score}
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    folder = Path(tempfile.mkdtemp())
    try:
        zipped = archive(folder, count)
        print(f"{count:,} pictures, {zipped.stat().st_size / 2**20:.0f} MiB, {CORES} cores, {rounds} rounds")
        for _ in range(rounds):
            for name, run in contenders.items():
                out = folder / "out"
                runs[name].append(run(zipped, count, out))
                shutil.rmtree(out, ignore_errors=True)
    finally:
        shutil.rmtree(folder)
    print(f"{'':8}{'seconds':>10}{'steady/s':>10}{'first s':>10}{'PSS MiB':>10}")
    for name, found in runs.items():
        figures = [statistics.median(getattr(run, field) for run in found) for field in Run.__slots__]
        print(f"{name:8}" + "".join(f"{figure:10.1f}" for figure in figures))
    rates = {name: statistics.median(run.rate for run in found) for name, found in runs.items()}
    whole = statistics.median(a.seconds / b.seconds for a, b in zip(runs["script"], runs["score"], strict=True))
    print(f"score / limit in steady state: {rates['score'] / rates['limit']:.2f}")
    print(f"script's time / score's, start to end: {whole:.2f}")


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:]))
