"""The memory of ``casting score`` over archives of different sizes.

    python bench/score_memory.py [GiB …]        (default: 2 8)

Zips of drawn castings, 1,200 pixels a side with a camera's noise, as JPEG. Printed is the highest summed PSS of the
command and all that it started, looked at every second, over the first ``SECONDS`` of judging, or until it is done:
the whole archive is listed by then, and what piles up shows early.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.used import Watch
from drawing.castings import KINDS, draw

ROOT = Path(__file__).parents[1]
SECONDS = 60.0
DIFFERENT = 20


def archive(path: Path, size: int) -> int:
    """Write a zip of at least ``size`` bytes; returns its pictures."""
    pictures = [_large(seed) for seed in range(DIFFERENT)]
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        while path.stat().st_size < size:
            file.writestr(f"{count:07}.jpeg", pictures[count % DIFFERENT])
            count += 1
    return count


def _large(seed: int) -> bytes:
    encoded = np.frombuffer(draw(seed, KINDS[seed % len(KINDS)]).png(), np.uint8)
    large = cv2.resize(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), (1200, 1200), interpolation=cv2.INTER_CUBIC)
    noisy = large + np.random.default_rng(seed).normal(0, 4, large.shape)
    return bytes(cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def most(zipped: Path, out: Path) -> tuple[float, int]:
    """The highest summed PSS in MiB, and how many pictures were judged meanwhile."""
    command = [str(Path(sys.executable).with_name("casting")), "score", str(zipped), "--out", str(out)]
    parts = out / "results"
    with (
        Watch(psutil.Process(), 1.0, itself=False) as watched,
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process,
    ):
        while process.poll() is None and not list(parts.glob("*.parquet")):
            time.sleep(0.5)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    return watched.most.pss_mib, 128 * len(list(parts.glob("*.parquet")))


def main(*sizes: float) -> None:
    """Build, judge, print, one size after the other."""
    for size in sizes:
        folder = Path(tempfile.mkdtemp())
        try:
            count = archive(folder / "x.zip", int(size * 2**30))
            pss, judged = most(folder / "x.zip", folder / "out")
            print(f"{size:g} GiB, {count:,} pictures, {judged:,} judged: at most {pss:,.0f} MiB", flush=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(*([float(size) for size in sys.argv[1:]] or [2, 8]))
