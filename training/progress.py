"""What a person sees of a running training: one line an epoch, and in between at most every 15 seconds.

Rank 0 appends records to a file in the run's folder, the command prints them as they come: so they outlive a crash and
look the same whether the worker runs here or on another node.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: ``epoch`` from 1, ``done`` its share, ``loss`` of training; after an epoch also the
    validation ``held_loss``, ``recall`` and ``false_alarms`` (shares at 0.5); ``eta`` in seconds."""

    epoch: int
    epochs: int
    done: float
    loss: float
    eta: float
    held_loss: float | None = None
    recall: float | None = None
    false_alarms: float | None = None

    def line(self) -> str:
        """For people."""
        head = f"epoch {self.epoch}/{self.epochs}  {self.done:4.0%}  loss {self.loss:.4f}"
        if self.held_loss is not None and self.recall is not None and self.false_alarms is not None:
            judged = f"validation loss {self.held_loss:.4f}  recall {self.recall:.2%}"
            head += f"  {judged}  false alarms {self.false_alarms:.2%}"
        return f"{head}  ETA {_minutes(self.eta)}"


class Journal:
    """Appends progress to a file, not too often; knows when the run will end."""

    def __init__(self, path: Path, epochs: int, first_epoch: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._epochs, self._first, self._clock = path, epochs, first_epoch, clock
        self._started = self._written = clock()

    def step(self, epoch: int, done: float, loss: float) -> None:
        """Within an epoch (from 0), ``done`` from 0 to 1; writes nothing when it wrote just now."""
        if self._clock() - self._written >= EVERY:
            self._write(Progress(epoch + 1, self._epochs, done, loss, self._eta(epoch + done)))

    def epoch(self, epoch: int, loss: float, held_loss: float, recall: float, false_alarms: float) -> None:
        """At an epoch's end."""
        eta = self._eta(epoch + 1)
        self._write(Progress(epoch + 1, self._epochs, 1.0, loss, eta, held_loss, recall, false_alarms))

    def _eta(self, epochs_done: float) -> float:
        worked = epochs_done - self._first
        return (self._clock() - self._started) / worked * (self._epochs - epochs_done) if worked > 0 else 0.0

    def _write(self, progress: Progress) -> None:
        self._written = self._clock()
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(progress)) + "\n")


def read(path: Path) -> list[Progress]:
    """All records so far, oldest first; a line half written is left out."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [Progress(**json.loads(line)) for line in lines]


@contextmanager
def printed(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """While inside, say each new record of ``path``; first the last one of an earlier start, if there was any."""
    over = threading.Event()
    earlier = read(path)
    if earlier:
        say(f"Going on from {earlier[-1].line()}")
    seen = len(earlier)

    def follow() -> None:
        nonlocal seen
        last = False
        while not last:
            last = over.wait(0.5)
            for record in read(path)[seen:]:
                say(record.line())
                seen += 1

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
