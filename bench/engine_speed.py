"""Pictures a second of the champion, its preprocessing included, beside a plain network over the whole picture.

Both get the same decoded drawn castings in batches of 8, on all cores: either one stream whose engine uses every core,
or a stream a core; the better one counts for each. Rounds in turn, medians; CPU time a picture is the steadier figure
where others use the machine too. ``python -m bench.engine_speed [ROUNDS [BATCHES]]``
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import plain_net
from drawing.castings import draw
from inspection.bundle import champion
from inspection.classifier import Classifier, compiled
from inspection.picture import Picture
from inspection.preprocessing import prepare

BATCH = 8
Grey = npt.NDArray[np.uint8]
Judge = Callable[[Sequence[Grey]], object]


def ours(threads: int) -> Judge:
    classifier = Classifier.load(champion(Path(os.environ.get("CASTING_MODELS", "models"))), threads)

    def judge(greys: Sequence[Grey]) -> object:
        samples = [prepare(Picture.of(grey)) for grey in greys]
        return classifier.judge(np.stack([one.pixels for one in samples]), np.stack([one.measures for one in samples]))

    return judge


def plain(threads: int, engine: Path) -> Judge:
    network = compiled(engine, threads)

    def judge(greys: Sequence[Grey]) -> object:
        pictures = np.stack(greys)[..., np.newaxis].astype(np.float32)
        return network.create_infer_request().infer({0: pictures}, share_inputs=True)

    return judge


@dataclass(frozen=True, slots=True)
class Speed:
    """Pictures a second, and milliseconds of CPU that each took, over all cores."""

    pictures: float
    cpu: float


def speed(streams: Sequence[Judge], batches: Sequence[Sequence[Grey]]) -> Speed:
    """How fast it goes when each stream judges all batches."""

    def run(judge: Judge) -> None:
        for batch in batches:
            judge(batch)

    begin, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(len(streams)) as pool:
        list(pool.map(run, streams))
    count = len(streams) * len(batches) * BATCH
    return Speed(count / (time.perf_counter() - begin), 1000 * (time.process_time() - used) / count)


def main(rounds: int = 7, count: int = 50) -> None:
    cores = len(os.sched_getaffinity(0))
    greys = [draw(number, "ok" if number % 2 else "crack").pixels for number in range(64)]
    batches = [[greys[(8 * batch + place) % len(greys)] for place in range(BATCH)] for batch in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        engine = Path(folder) / "plain.xml"
        plain_net.build().export(str(engine), format="openvino", verbose=False)
        contestants = {
            "plain network, one stream": [plain(cores, engine)],
            "plain network, a stream a core": [plain(1, engine) for _ in range(cores)],
            "champion, one stream": [ours(cores)],
            "champion, a stream a core": [ours(1) for _ in range(cores)],
        }
        for streams in contestants.values():
            speed(streams, batches[:4])
        measured: dict[str, list[Speed]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, streams in contestants.items():
                measured[name].append(speed(streams, batches))
    medians = {
        name: Speed(statistics.median(one.pictures for one in found), statistics.median(one.cpu for one in found))
        for name, found in measured.items()
    }
    for name, found in medians.items():
        print(f"{name:<32}{found.pictures:8.0f} pictures/s{found.cpu:8.2f} ms of CPU a picture")
    plain_ones, ours_ones = (
        [found for name, found in medians.items() if name.startswith(kind)] for kind in ("plain", "champion")
    )
    rates = max(one.pictures for one in ours_ones) / max(one.pictures for one in plain_ones)
    costs = min(one.cpu for one in plain_ones) / min(one.cpu for one in ours_ones)
    print(f"{'ratio of the better ones':<32}{rates:8.2f}{costs:19.2f} by CPU")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
