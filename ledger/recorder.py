"""One writer process: whatever calls are in flight share one commit.

A thread drains the queue; while it commits, the next calls gather. A lone caller never waits for others: only where the
last commit was shared does the next one wait a millisecond, since callers that were judged together come together.
"""

import queue
import threading
import time
from concurrent.futures import Future

import structlog
from sqlalchemy import Engine

from inspection.errors import Unavailable
from inspection.record import Entry, IdempotencyKey, Receipt
from ledger.answers import find
from ledger.commit import Writer
from ledger.database import reading

MAX_EVENTS = 2_000  # events a commit: bounds the time that others wait for the database

GATHER_SECONDS = 0.001

_log = structlog.get_logger(__name__)
_Pair = tuple[Entry, "Future[Receipt]"]


class _Waiting:
    """A call in the queue. Given up, it lets go of its entry at once: the database may stand still for long."""

    def __init__(self, entry: Entry) -> None:
        self._entry: Entry | None = entry
        self.done: Future[Receipt] = Future()
        self.done.add_done_callback(self._ended)

    def begin(self) -> _Pair | None:
        """From now on it can't be given up any more; None when it was."""
        entry = self._entry
        return (entry, self.done) if entry and self.done.set_running_or_notify_cancel() else None

    def _ended(self, _done: "Future[Receipt]") -> None:
        self._entry = None


class Recorder:
    """Numbers and stores; implements ``inspection.record.Recorder``. Close it to leave its journal cleanly."""

    def __init__(self, engine: Engine, second_look: float) -> None:
        self._engine = engine
        self._writer = Writer(engine, second_look)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._door = threading.Lock()  # nothing is put behind the None that ends the thread
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-recorder", daemon=True)
        self._thread.start()

    def submit(self, entry: Entry) -> "Future[Receipt]":
        """See ``inspection.record.Recorder.submit``."""
        waiting = _Waiting(entry)
        with self._door:
            if not self._closed:
                self._waiting.put(waiting)
                return waiting.done
        waiting.done.set_exception(Unavailable("stopping", "The service is stopping; send this again."))
        return waiting.done

    def answer(self, key: IdempotencyKey) -> bytes | None:
        """See ``inspection.record.Recorder.answer``."""
        with reading(self._engine) as connection:
            return find(connection, key)

    def close(self) -> None:
        """Commit what waits, close the journal, stop. A second time does nothing."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join(timeout=60)

    def _run(self) -> None:
        more, shared = True, False
        while more:
            batch, more = self._gather(shared)
            shared = len(batch) > 1
            if batch:
                self._settle(batch)
        self._writer.leave()

    def _gather(self, shared: bool) -> tuple[list[_Pair], bool]:
        """Wait for a call, then take all that is there; False with the last ones."""
        batch: list[_Pair] = []
        events = 0
        while not batch or (events < MAX_EVENTS and not self._waiting.empty()):
            following = self._waiting.get()
            if following is None:
                return batch, False
            if not batch and shared:
                time.sleep(GATHER_SECONDS)
            if begun := following.begin():
                batch.append(begun)
                events += len(begun[0].drafts)
        return batch, True

    def _settle(self, batch: list[_Pair]) -> None:
        """Commit and answer: a future is done only after the commit."""
        try:
            outcomes = self._writer.commit([entry for entry, _ in batch])
        except Exception as error:  # a defect of ours must not leave callers waiting for ever
            _log.exception("recorder_failed")
            for _, done in batch:
                done.set_exception(error)
            return
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                done.set_result(outcome)
            else:
                done.set_exception(outcome)
