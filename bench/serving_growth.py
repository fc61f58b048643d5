"""How the cost of a picture grows: with replicas, with the largest batch, with the picture's size, with cores.

    python -m bench.serving_growth [--seconds 5] [--plot docs/serving-growth.svg]

Each row starts the service anew and sends single pictures from 32 clients. CPU is that of all its processes together.
Where the processors are what is short, a machine gives ``cores / CPU of a picture`` pictures a second; the last table
holds that against what one replica on one core and 1 to 4 on all cores gave, with the CPU taken from the first row.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from bench.serving.contenders import STARTING, Contender, running
from bench.serving.load import CONTENT_TYPE, DIFFERENT, drawn, send, write
from bench.serving.report import OURS
from bench.used import used

CLIENTS = 32
WARM = 3.0  # seconds
CORES = sorted(os.sched_getaffinity(0))
REPLICAS = (1, 2, 3, 4)
BATCHES = (1, 4, 16, 64)
SIDES = ((300, 300), (600, 600), (1200, 1200), (2400, 1800), (4000, 3000))


@dataclass(frozen=True, slots=True)
class Cost:
    """One row: ``at`` is where on its axis, ``rate`` pictures/s, ``cpu_ms`` CPU milliseconds a picture."""

    axis: str
    at: float
    cores: int
    rate: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"| {self.axis} | {self.at:g} | {self.cores} | {self.rate:.0f} | {self.cpu_ms:.1f} |"


def measure(
    axis: str, at: float, seconds: float, settings: Mapping[str, str], pictures: Sequence[bytes], cores: Sequence[int]
) -> Cost:
    """Start, warm up, load."""
    service = Contender(OURS, None, (), settings)
    with tempfile.TemporaryDirectory() as folder:
        load = write(Path(folder) / "load", pictures, 1)
        sample = ((load.folder / "0").read_bytes(), CONTENT_TYPE)
        with _on(cores), running(service, sample) as server, _on(CORES):
            _all_up(server.root, int(settings.get("CASTING_CLASSIFIER_REPLICAS", "1")))
            send(load, server.port, CLIENTS, WARM)
            before = used(server.root)
            sent = send(load, server.port, CLIENTS, seconds)
            after = used(server.root)
    cost = Cost(axis, at, len(cores), sent.rate, 1000 * (after.cpu - before.cpu) / max(1, sent.pictures))
    print(cost, flush=True)
    return cost


def _all_up(root: psutil.Process, replicas: int) -> None:
    """Wait until the other replicas are there too: the first answer came from the first one."""
    end = time.monotonic() + STARTING
    while _quiet(root) > 0.3 or sum("casting:classifier" in name for name in _titles(root)) < replicas:
        if time.monotonic() > end:
            raise RuntimeError("not all replicas came up")


def _quiet(root: psutil.Process) -> float:
    """Cores that the service uses, over a second."""
    before = used(root)
    time.sleep(1.0)
    return used(root).cpu - before.cpu


def _titles(root: psutil.Process) -> Iterator[str]:
    for process in root.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            yield " ".join(process.cmdline())


def all_rows(seconds: float) -> list[Cost]:
    small = drawn()
    rows = []
    print("| what grows | to | cores | pictures/s | CPU ms a picture |\n|---|---:|---:|---:|---:|")
    for count, cores in ((1, CORES[:1]), *((count, CORES) for count in REPLICAS)):
        replicas = {"CASTING_INGRESS_REPLICAS": str(count), "CASTING_CLASSIFIER_REPLICAS": str(count)}
        rows.append(measure("replicas of ingress and classifier", count, seconds, replicas, small, cores))
    rows += [
        measure("largest batch", most, seconds, {"CASTING_MAX_BATCH": str(most)}, small, CORES) for most in BATCHES
    ]
    for side in SIDES:
        sized = [_resized(picture, side) for picture in small[: DIFFERENT if side[0] < 1000 else 6]]
        megapixels = side[0] * side[1] / 1e6
        rows.append(measure("megapixels of a picture", megapixels, seconds, {}, sized, CORES))
    return rows


def model(rows: Sequence[Cost]) -> Iterator[str]:
    """What cores and CPU of the first row promise, beside what was measured."""
    some = [row for row in rows if row.axis.startswith("replicas")]
    yield "| replicas | cores | promised pictures/s | measured | measured / promised |"
    yield "|---:|---:|---:|---:|---:|"
    for row in some:
        promised = 1000 * row.cores / some[0].cpu_ms
        yield f"| {row.at:g} | {row.cores} | {promised:.0f} | {row.rate:.0f} | {row.rate / promised:.2f} |"


def plot(rows: Sequence[Cost]) -> bytes:
    """SVG: pictures/s over each axis."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    axes_of = list(dict.fromkeys(row.axis for row in rows))
    figure = Figure(figsize=(10, 3), layout="constrained")
    FigureCanvasSVG(figure)
    for axes, name in zip(figure.subplots(1, len(axes_of)), axes_of, strict=True):
        for cores in sorted({row.cores for row in rows if row.axis == name}):
            some = [row for row in rows if (row.axis, row.cores) == (name, cores)]
            axes.plot([row.at for row in some], [row.rate for row in some], "o-", label=f"{cores} cores")
        axes.set(xlabel=name, ylabel="pictures/s", ylim=(0, None))
        if not name.startswith("replicas"):
            axes.set_xscale("log", base=2)
        axes.legend()
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _resized(picture: bytes, side: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).resize(side, Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


@contextmanager
def _on(cores: Sequence[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serving_growth")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    rows = all_rows(arguments.seconds)
    print("", *model(rows), sep="\n")
    if arguments.plot:
        arguments.plot.write_bytes(plot(rows))


if __name__ == "__main__":
    main()
