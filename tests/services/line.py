"""The real line in this process: ledger, relay, Kafka, consumers, lake; each part can be stopped and begun again."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspection.events import Event, now, uuid7
from inspection.reconciliation import Account
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.folder import Folder
from streaming.kafka import Kafka
from streaming.kafka_relay import KafkaRelay
from streaming.owned import Limits
from streaming.relay import Statements
from streaming.sending import KafkaSender
from streaming.service import ConsumerService
from streaming.verify import verify
from streaming.watch import Watch

QUICK = Limits(seconds=0.3, records=50_000, size=32 << 20)


def entry(count: int = 1) -> Entry:
    """A call with ``count`` inspections."""
    drafts = (Draft(Event(kind="inspection", event_id=uuid7(), occurred_at=now(), verdict="ok")) for _ in range(count))
    return Entry(tuple(drafts), lambda _: b"")


@contextmanager
def relaying(ledger: Ledger, kafka: Kafka) -> Iterator[KafkaRelay]:
    relay = KafkaRelay(ledger.outbox, lambda: KafkaSender(kafka), Statements(quiet=0.3))
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join()


class Consuming:
    """A consumer in a thread with an event loop of its own."""

    def __init__(self, kafka: Kafka, folder: Callable[[], Folder], limits: Limits = QUICK) -> None:
        self.watch = Watch()
        self.error: BaseException | None = None
        self._service = ConsumerService(kafka, folder, limits, self.watch)
        self._stop = asyncio.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self.join()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        async def until_told() -> None:
            self._loop = asyncio.get_running_loop()
            self._begun.set()
            await self._service.run(self._stop)

        try:
            asyncio.run(until_told())
        except BaseException as error:  # the test looks at it
            self.error = error


@contextmanager
def consuming(kafka: Kafka, folder: Callable[[], Folder], limits: Limits = QUICK) -> Iterator[Consuming]:
    running = Consuming(kafka, folder, limits)
    try:
        yield running
    finally:
        if running.error is None:
            running.stop()
    assert running.error is None


def until_stored(folder: Folder, inspections: int, seconds: float = 90) -> Account:
    """Wait until the lake is whole and holds so many inspections (statements come beside them)."""
    end = time.monotonic() + seconds
    while True:
        verdict = verify(folder)
        most = sum(count.stored for count in verdict.journals)
        done = verdict.whole and most > inspections and not verdict.total("outstanding")
        if done or time.monotonic() > end:
            return verdict
        time.sleep(0.3)
