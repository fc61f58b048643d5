"""A scoring killed at random times over and over: ``python -m tests.scoring.killing [KILLS] [SEED]``.

Each time the whole process group gets SIGKILL; afterwards every part that was there is there as it was, and when a run
is at last left alone, every member of the archive is in the result exactly once. Exit status 1 when it isn't so.
"""

import collections
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from drawing.castings import KINDS, draw
from tests.scoring.command import rows, start

MEMBERS = 2000


def archives(folder: Path) -> list[Path]:
    """A zip and a compressed tar of drawn castings, with some rubbish among them."""
    pngs = [draw(7000 + seed, KINDS[seed % 5]).png() for seed in range(20)]
    zipped, packed = folder / "listed.zip", folder / "stream.tar.gz"
    with zipfile.ZipFile(zipped, "w") as listed, tarfile.open(packed, "w:gz") as stream:
        for number in range(MEMBERS):
            path = folder / "picture"
            path.write_bytes(b"rubbish" if number % 100 == 0 else pngs[number % 20])
            listed.write(path, f"listed/{number:05d}.png")
            stream.add(path, f"stream/{number:05d}.png")
    return [zipped, packed]


def parts(out: Path) -> dict[str, int]:
    """The parts that are whole, by name: when each was written, in ns."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("results/*.parquet")}


def killed(sources: list[Path], out: Path, after: float) -> int:
    """Start, kill after so many seconds, or when it ends before; returns how many parts there are then."""
    before, process = parts(out), start(sources, out)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    now = parts(out)
    assert {name: now.get(name) for name in before} == before, "a part that was whole changed"
    return len(now)


def counted(out: Path) -> None:
    """Every member once; what is rubbish has an error."""
    found = rows(out)
    times = collections.Counter(row["path"] for row in found)
    wanted = {f"{kind}/{number:05d}.png" for kind in ("listed", "stream") for number in range(MEMBERS)}
    assert times == dict.fromkeys(wanted, 1), "members missing or doubled"
    assert sum(row["error"] is not None for row in found) == 2 * len(range(0, MEMBERS, 100))


def main(kills: int = 20, seed: int = 1) -> None:
    """Kill, look, go on; the last run is left alone."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        sources, out = archives(Path(folder)), Path(folder) / "out"
        out.mkdir()
        done = 0
        for number in range(kills):
            after = rng.uniform(1, 30)
            whole = killed(sources, out, after)
            print(f"kill {number + 1} after {after:.1f} s: {whole} parts whole", flush=True)
            if (out / "summary.json").exists():
                counted(out)
                done += 1
                out = Path(folder) / f"out{number}"
                out.mkdir()
        begun = time.monotonic()
        assert start(sources, out).wait(900) == 3
        counted(out)
        print(f"{kills} kills, {done + 1} scorings ended, every member once ({time.monotonic() - begun:.0f} s at last)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
