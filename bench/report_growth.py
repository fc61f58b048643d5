"""How the cost of ``casting report`` grows: seconds, CPU and memory over lakes of 1 to 30 million events.

    python -m bench.report_growth [--only NAME …]

Each lake is written in the real file format by the tests' generator, reported on once, and again unchanged (what is
read is then only the newest day's folder). CPU and memory are summed over the command's processes; memory is the
highest summed PSS, looked at twice a second.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.used import Watch
from tests.reports.lakes import Plant, generate

ROOT = Path(__file__).parents[1]
MILLION = 1_000_000
LAKES = {
    "1 million": Plant(events=MILLION, days=10, files=4),
    "3 million": Plant(events=3 * MILLION, days=10, files=4),
    "10 million": Plant(events=10 * MILLION, days=10, files=4),
    "30 million": Plant(events=30 * MILLION, days=30, files=4),
    "10 million, skewed": Plant(events=10 * MILLION, days=10, files=4, skew=True),
    "1 million, 10,000 files": Plant(events=MILLION, days=10, files=1_000),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """``seconds`` from start to end, ``cpu`` seconds and ``gib`` of all its processes together."""

    seconds: float
    cpu: float
    gib: float


def reported(lake: Path, out: Path) -> Cost:
    """Run the command. Raises CalledProcessError unless the lake was found whole."""
    command = [sys.executable, "-c", "from cli import main; main()", "report", "--lake", str(lake), "--out", str(out)]
    command += ["--reports", str(out / "kept")]
    begin = time.monotonic()
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
        Watch(psutil.Process(process.pid), 0.5) as watch,
    ):
        status = process.wait()
    if status:
        raise subprocess.CalledProcessError(status, command)
    return Cost(time.monotonic() - begin, watch.most.cpu, watch.most.pss_mib / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=LAKES, default=list(LAKES))
    print(f"{'lake':<26}{'events':>12}{'first, s':>10}{'CPU, s':>8}{'GiB':>6}{'again, s':>10}")
    for name in parser.parse_args().only:
        with tempfile.TemporaryDirectory() as folder:
            lake, out = Path(folder) / "lake", Path(folder) / "out"
            events = generate(LAKES[name], lake)
            first, again = reported(lake, out), reported(lake, out)
        told = f"{first.seconds:>10.1f}{first.cpu:>8.0f}{first.gib:>6.2f}{again.seconds:>10.1f}"
        print(f"{name:<26}{events:>12,}{told}", flush=True)


if __name__ == "__main__":
    main()
