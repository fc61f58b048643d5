"""The relay of a ledger whose events go to Kafka: positions, sending in order, marking, statements.

Knows no Kafka itself: a :class:`Sender` does. While the line is away events still get their
positions, so that the live feed goes on; they are sent in order once it is back, or on the line that is there instead.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Protocol

import structlog

from inspection.errors import Unavailable
from inspection.outbox import Carried, Outbox, Turn
from streaming.kafka import Topic, UnfitTopic
from streaming.relay import HOLD, TICK, Statements

BATCH = 2_000  # events in flight at most
RETRY = (0.5, 15.0)  # seconds between tries to connect, the first and the longest

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """Positions that were acknowledged, and what became of the others (None: there are no others)."""

    positions: tuple[int, ...]
    error: str | None


class Sender(Protocol):
    """A line to the lake. Not to be used after a ``Sent`` with an error."""

    @property
    def topic(self) -> Topic: ...

    def send(self, events: Sequence[Carried]) -> "Future[Sent]":
        """Send in this order; the future never raises."""
        ...

    def close(self) -> None: ...


class KafkaRelay:
    """Runs until stopped; one works at a time, others wait for its end."""

    def __init__(self, outbox: Outbox, connect: Callable[[], Sender], statements: Statements | None = None) -> None:
        self._outbox = outbox
        self._connect = connect
        self._statements = statements or Statements()
        self._stop = threading.Event()
        self._line: str | None = None  # known once the topic was seen
        self._sender: Sender | None = None
        self._connecting: Future[Sender] | None = None
        self._flight: Future[Sent] | None = None
        self._news = False  # whether more than statements is in flight: those call for no further statement
        self._retry_at = 0.0
        self._retry = RETRY[0]

    def run(self) -> None:
        """Work until :meth:`stop`; a ledger or a line that is away is tried again.

        Raises:
            UnfitTopic: the topic would lose events.
        """
        while not self._stop.is_set():
            try:
                with self._outbox.turn() as turn:
                    if turn is not None:
                        self._work(turn)
            except Unavailable as error:
                _log.warning("relay_waits", reason=error.code)
            finally:
                self._drop()
            self._stop.wait(HOLD)

    def stop(self) -> None:
        self._stop.set()

    def _work(self, turn: Turn) -> None:
        while not self._stop.is_set():
            if not self.step(turn):
                self._stop.wait(TICK)
        for _ in range(200):  # what is committed by now still leaves, where the line takes it
            more = self.step(turn)
            if self._sender is None:
                return
            if not more and self._statements.pending:
                self._state(turn, self._sender)
            elif not more:
                return

    def step(self, turn: Turn) -> bool:
        """Position, send, mark, state: each as far as it goes now. Returns whether there may be more to do at once."""
        if self._line is not None:
            turn.position(self._line, BATCH)
        if self._sender is None:
            return self._reconnect(turn)
        if self._flight is not None:
            return self._landed(turn, self._sender, self._flight)
        if self._statements.due():  # before what waits: under a steady load something always does
            self._state(turn, self._sender)
            return True
        waiting = turn.unsent(self._sender.topic.line, BATCH)
        if waiting:
            self._flight = self._sender.send(waiting)
            self._news = any(event.kind != "statement" for event in waiting)
        return bool(waiting)

    def _landed(self, turn: Turn, sender: Sender, flight: "Future[Sent]") -> bool:
        """Mark exactly what was acknowledged; after an error the producer is thrown away."""
        try:
            sent = flight.result(TICK)
        except NotYet:
            return True
        self._flight = None
        if sent.positions:
            turn.mark_sent(sender.topic.line, sent.positions)
            if self._news:
                self._statements.issued()
        if sent.error is not None:
            _log.warning("relay_line_failed", reason=sent.error, acknowledged=len(sent.positions))
            self._drop()
        return True

    def _state(self, turn: Turn, sender: Sender) -> None:
        """One statement into each partition, about what was acknowledged before it was written."""
        counts = turn.acknowledged(sender.topic.line)
        for partition in range(sender.topic.partitions):
            turn.state(partition, counts)
        self._statements.stated()
        turn.position(sender.topic.line, BATCH)

    def _reconnect(self, turn: Turn) -> bool:
        if self._connecting is None:
            if time.monotonic() >= self._retry_at:
                self._connecting = _in_thread(self._connect)
            return False
        if not self._connecting.done():
            return False
        connecting, self._connecting = self._connecting, None
        try:
            self._sender = connecting.result()
        except UnfitTopic:
            raise
        except OSError as error:
            _log.warning("relay_line_away", reason=str(error), retry_seconds=self._retry)
            self._retry_at = time.monotonic() + self._retry
            self._retry = min(self._retry * 2, RETRY[1])
            return False
        self._retry, self._line = RETRY[0], self._sender.topic.line
        turn.work_on(self._line, self._sender.topic.partitions)
        _log.info("relay_connected", line=self._line, partitions=self._sender.topic.partitions)
        return True

    def _drop(self) -> None:
        sender, self._sender, self._flight = self._sender, None, None
        if sender is None and self._connecting is not None:
            connecting, self._connecting = self._connecting, None
            connecting.add_done_callback(_close)
        elif sender is not None:
            sender.close()


def _close(connected: "Future[Sender]") -> None:
    if connected.exception() is None:
        connected.result().close()


def _in_thread(connect: Callable[[], Sender]) -> "Future[Sender]":
    future: Future[Sender] = Future()

    def run() -> None:
        try:
            future.set_result(connect())
        except BaseException as error:  # handed to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="relay-connect", daemon=True).start()
    return future
