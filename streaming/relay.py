"""The relay of a ledger that carries its own events: gives positions and writes statements. No Kafka here."""

import threading
import time
from collections.abc import Callable

import structlog

from inspection.errors import Unavailable
from inspection.outbox import EMBEDDED, Outbox, Turn

EMBEDDED_PARTITION = 0
BATCH = 5_000
TICK = 0.1  # seconds between looks at the ledger
HOLD = 1.0  # seconds between tries to become the working relay

_log = structlog.get_logger(__name__)


def embedded_line(ledger_id: str) -> str:
    """What carries the events of a ledger without Kafka."""
    return f"{EMBEDDED}{ledger_id}"


def embedded_ledger(line: str) -> str | None:
    """The inverse: the id that the ledger had then; None when another kind of line carries."""
    return line.removeprefix(EMBEDDED) if line.startswith(EMBEDDED) else None


class Statements:
    """When a statement is due: some seconds after events were issued, at most a minute after, hourly otherwise."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, quiet: float = 2.0, busy: float = 60.0) -> None:
        self._clock = clock
        self._quiet = quiet
        self._busy = busy
        self._last = clock()
        self._first_issued: float | None = clock()  # what an earlier process issued may still need one
        self._last_issued = clock()

    def issued(self) -> None:
        """Something was carried since the last statement."""
        self._last_issued = self._clock()
        if self._first_issued is None:
            self._first_issued = self._last_issued

    @property
    def pending(self) -> bool:
        """Whether anything was carried that no statement names yet."""
        return self._first_issued is not None

    def due(self) -> bool:
        now = self._clock()
        if self._first_issued is None:
            return now - self._last >= 3600
        return now - self._last_issued >= self._quiet or now - self._first_issued >= self._busy

    def stated(self) -> None:
        self._last = self._clock()
        self._first_issued = None


class EmbeddedRelay:
    """Runs until stopped; one works at a time, others wait for its end."""

    def __init__(self, outbox: Outbox, statements: Statements | None = None) -> None:
        self._outbox = outbox
        self._line = embedded_line(outbox.ledger_id)
        self._statements = statements or Statements()
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until :meth:`stop`; a ledger that is away is tried again."""
        while not self._stop.is_set():
            try:
                with self._outbox.turn() as turn:
                    if turn is not None:
                        self._work(turn)
            except Unavailable as error:
                _log.warning("relay_waits", reason=error.code)
            self._stop.wait(HOLD)

    def stop(self) -> None:
        self._stop.set()

    def _work(self, turn: Turn) -> None:
        turn.work_on(self._line, EMBEDDED_PARTITION + 1, sent=True)
        while not self._stop.wait(TICK):
            self.step(turn)
        self.step(turn)
        if self._statements.pending:
            self._state(turn)

    def step(self, turn: Turn) -> int:
        """Carry what is committed, then state what was carried if that is due; returns how many events."""
        carried = turn.position(self._line, BATCH, sent=True)
        if carried:
            self._statements.issued()
        if self._statements.due():
            self._state(turn)
        return carried

    def _state(self, turn: Turn) -> None:
        turn.state(EMBEDDED_PARTITION, turn.acknowledged(self._line))
        carried = turn.position(self._line, BATCH, sent=True)
        self._statements.stated()
        if carried > 1:  # not the statement alone: it doesn't name what was recorded while it was written
            self._statements.issued()
