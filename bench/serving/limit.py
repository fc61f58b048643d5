"""The bare limit: decode and inference in a loop, no server; the best of several batch sizes and thread counts.

    python -m bench.serving.limit SECONDS

prints one JSON line a shape: pictures/s and CPU milliseconds a picture, and what one fsync costs here.
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.serving.load import drawn
from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.preparing import prepare_bytes

ROOT = Path(__file__).parents[2]
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Limit:
    """``loops`` threads that each decode ``batch`` pictures and judge them with ``threads`` engine threads."""

    loops: int
    threads: int
    batch: int
    rate: float
    cpu_ms: float


def measure(loops: int, threads: int, batch: int, seconds: float) -> Limit:
    pictures = drawn()
    classifiers = [Classifier.load(champion(ROOT / "models"), threads) for _ in range(loops)]
    end = time.perf_counter() + seconds
    judged = [0] * loops

    def loop(own: int) -> None:
        at = own
        while time.perf_counter() < end:
            prepared = [prepare_bytes(pictures[(at + i) % len(pictures)]) for i in range(batch)]
            pixels = np.stack([one.sample.pixels for one in prepared])
            classifiers[own].judge(pixels, np.stack([one.sample.measures for one in prepared]))
            at += batch
            judged[own] += batch

    started, cpu = time.perf_counter(), _cpu()
    with ThreadPoolExecutor(loops) as pool:
        list(pool.map(loop, range(loops)))
    took, cpu, count = time.perf_counter() - started, _cpu() - cpu, sum(judged)
    return Limit(loops, threads, batch, count / took, 1000 * cpu / count)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def fsync_ms(folder: Path, count: int = 50) -> float:
    """Median milliseconds of a 4 KiB write and fsync."""
    times = []
    with (folder / "probe").open("wb") as file:
        for _ in range(count):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def main(seconds: float) -> None:
    shapes = [(1, CORES, 1), (1, CORES, 16), (CORES, 1, 1), (CORES, 1, 8), (CORES, 1, 16)]
    for shape in shapes:
        print(json.dumps(asdict(measure(*shape, seconds))), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"fsync_ms": fsync_ms(Path(folder))}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
