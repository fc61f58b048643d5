"""What durability costs: pictures/s with ledger, relay and embedded lake against the same path without them.

    python bench/ledger_overhead.py [rounds] [pictures a round] [one in so many shows a defect]

Both sides decode, judge and answer the same drawn castings (JPEG, as cameras send them; by default one in 20 shows a
defect, and the pictures of defects are kept; 1 is the dearest case) with 32 calls in flight, in one process, without
HTTP (which would make the difference smaller). Relay and lake run in a process of their own, as in the service. Rounds
alternate; medians are printed.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.body import Upload
from app.inspecting import Call, Inspector
from app.ports import Services
from bench.serving.load import drawn
from inspection.part import Part
from inspection.record import Entry, Receipt
from ledger import Ledger
from tests.serving import LIMITS, LocalJudge

CLIENTS = 32


class NoRecorder:
    """Answers at once and keeps nothing."""

    def submit(self, entry: Entry) -> "Future[Receipt]":
        events = tuple(draft.event for draft in entry.drafts)
        done: Future[Receipt] = Future()
        done.set_result(Receipt(entry.render(events), events))
        return done

    def answer(self, _key: object) -> None:
        return None


def carry(folder: str, stop: Any) -> None:
    """Relay and embedded lake, as the relay deployment runs them."""
    from deployments.line import Line
    from deployments.settings import Settings

    settings = Settings(data_dir=Path(folder), kafka=None, lake=None)
    line = Line(Ledger.open(settings.ledger_url), settings)
    line.start()
    stop.wait()
    line.stop()


@dataclass
class Side:
    name: str
    services: Services
    rates: list[float]


async def measure(services: Services, pictures: list[bytes], count: int) -> float:
    """Pictures/s with 32 calls in flight."""
    inspector = Inspector(services)
    left = iter(range(count))

    async def client() -> None:
        for at in left:
            call = Call(f"r{at}", "api", Part(), time.perf_counter(), None, True)
            await inspector.inspect(call, [Upload("a.png", pictures[at % len(pictures)])])

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - started)


def main(rounds: int = 7, count: int = 1500, one_in: int = 20) -> None:
    folder = tempfile.mkdtemp()
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.sqlite")
    shared = {
        "judge": LocalJudge(),
        "records": ledger.records,
        "outgoing": ledger.outbox,
        "keys": ledger.keys,
        "limits": LIMITS,
    }
    recorder = ledger.recorder(second_look=0.1)
    sides = [
        Side("with ledger, relay, lake", Services(recorder=recorder, **shared), []),
        Side("without", Services(recorder=NoRecorder(), **shared), []),  # type: ignore[arg-type]
    ]
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    carrier = spawn.Process(target=carry, args=(folder, stop))
    carrier.start()
    pictures = drawn(one_in)
    for side in sides:
        asyncio.run(measure(side.services, pictures, 300))
    for _ in range(rounds):
        for side in sides:
            side.rates.append(asyncio.run(measure(side.services, pictures, count)))
    stop.set()
    carrier.join()
    recorder.close()
    ledger.close()
    for side in sides:
        print(
            f"{side.name:28} {statistics.median(side.rates):8.0f} pictures/s   {[round(rate) for rate in side.rates]}"
        )
    cost = 1 - statistics.median(a / b for a, b in zip(sides[0].rates, sides[1].rates, strict=True))
    print(f"{'cost':28} {100 * cost:8.1f} %")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
