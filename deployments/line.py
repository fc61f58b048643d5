"""What carries a ledger's events away, in threads: the relay, and the embedded lake where there is no Kafka."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog

from deployments.settings import Settings
from ledger import Ledger
from streaming.embedded import EarlierLines, EmbeddedConsumer, embedded_stream
from streaming.kafka import Kafka
from streaming.record import Loss, Stream
from streaming.relay import EmbeddedRelay, embedded_line
from streaming.root import open_folder

AGAIN = 60.0  # seconds between words about a loss
TIDY = 3600.0  # seconds between deletions of what is too old
_log = structlog.get_logger(__name__)


class Worker(Protocol):
    """Runs until told to stop."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


class Line:
    """The workers over one ledger; ``stop`` ends them in their order, so that each finds all of the one before it."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        kafka = settings.broker
        self._workers = {
            **(_embedded(ledger, settings) if kafka is None else _over_kafka(ledger, kafka)),
            "earlier lines": _earlier(ledger, settings),
        }
        self._stop = threading.Event()
        runs = {name: worker.run for name, worker in self._workers.items()} | {"tidy": self._tidy}
        self._threads = {
            name: threading.Thread(target=self._watched, args=(name, run), name=name, daemon=True)
            for name, run in runs.items()
        }
        self._ended: dict[str, Exception] = {}
        self._told = -AGAIN

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()

    def check(self) -> None:
        """Raises RuntimeError, in its own words, when a worker has ended by itself that a new start may help.

        A loss is nothing that a new start mends: it is said again and again, what waits for the lake is counted, and
        inspecting goes on.
        """
        for name, thread in self._threads.items():
            if thread.is_alive() or self._stop.is_set():
                continue
            error = self._ended.get(name)
            if not isinstance(error, Loss):
                raise RuntimeError(f"{name} has ended: {error}")
            if time.monotonic() - self._told >= AGAIN:
                self._told = time.monotonic()
                _log.error("lake_and_ledger_disagree", reason=str(error), see="docs/ledger.md, Restore")

    def stop(self) -> None:
        self._stop.set()
        for name, worker in self._workers.items():
            worker.stop()
            self._threads[name].join(timeout=10)

    def _watched(self, name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as error:
            self._ended[name] = error
            _log.error("worker_ended", worker=name, reason=str(error), exc_info=not isinstance(error, Loss))

    def _tidy(self) -> None:
        while not self._stop.wait(TIDY):
            gone = self._ledger.records.tidy(timedelta(days=self._settings.picture_days))
            _log.info("tidied", pictures=gone[0], keys=gone[1])


def _embedded(ledger: Ledger, settings: Settings) -> Mapping[str, Worker]:
    return {
        "relay": EmbeddedRelay(ledger.outbox),
        "consumer": _consumer(ledger, settings, embedded_stream(ledger.id)),
    }


def _over_kafka(ledger: Ledger, kafka: Kafka) -> Mapping[str, Worker]:
    from streaming.kafka_relay import KafkaRelay  # who has no Kafka needs no client of it
    from streaming.sending import KafkaSender

    return {"relay": KafkaRelay(ledger.outbox, lambda: KafkaSender(kafka))}


def _earlier(ledger: Ledger, settings: Settings) -> EarlierLines:
    current = embedded_line(ledger.id) if settings.broker is None else None
    return EarlierLines(ledger.outbox, current, partial(_consumer, ledger, settings))


def _consumer(ledger: Ledger, settings: Settings, stream: Stream) -> EmbeddedConsumer:
    """Into the lake that the settings name now, also where that is HDFS."""
    lake = open_folder(settings.lake_root, settings.webhdfs, settings.webhdfs_ca, settings.webhdfs_kerberos)
    return EmbeddedConsumer(ledger.outbox, stream, lake, settings.data / "dead", settings.flush_seconds)
