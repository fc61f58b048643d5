"""The bare limit: decode and inference in a loop, no server; the best of several batch sizes and process counts.

    python -m bench.serving.limit SECONDS

prints one JSON line a shape: pictures/s and CPU milliseconds a picture, and what one fsync costs here.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2

from bench.serving.load import drawn
from inspection.batch import judge_batch
from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.preparing import prepare_bytes

ROOT = Path(__file__).parents[2]
CORES = os.cpu_count() or 1
SETTLING = 4.0  # seconds in which every process has loaded its engine


@dataclass(frozen=True, slots=True)
class Limit:
    """``loops`` processes that each decode ``batch`` pictures and judge them with ``threads`` engine threads."""

    loops: int
    threads: int
    batch: int
    rate: float
    cpu_ms: float


def measure(loops: int, threads: int, batch: int, seconds: float) -> Limit:
    pictures = drawn()
    start = time.time() + SETTLING
    with ProcessPoolExecutor(loops, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_loop, *zip(*[(pictures, threads, batch, start, seconds)] * loops, strict=True)))
    judged = sum(count for count, _ in done)
    return Limit(loops, threads, batch, judged / seconds, 1000 * sum(cpu for _, cpu in done) / judged)


def _loop(pictures: list[bytes], threads: int, batch: int, start: float, seconds: float) -> tuple[int, float]:
    """Pictures judged between ``start`` (Unix time) and so many ``seconds`` later, and CPU seconds that it took."""
    cv2.setNumThreads(threads)
    classifier = Classifier.load(champion(ROOT / "models"), threads)
    assert time.time() < start, "the machine is too slow for SETTLING"
    time.sleep(start - time.time())
    judged, cpu = 0, time.process_time()
    while time.time() < start + seconds:
        judge_batch(classifier, [prepare_bytes(pictures[(judged + i) % len(pictures)]) for i in range(batch)])
        judged += batch
    return judged, time.process_time() - cpu


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
