"""What carries a ledger's events away, in threads: the relay, and the embedded lake where there is no Kafka."""

import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog

from deployments.settings import Settings
from ledger import Ledger
from streaming.embedded import EmbeddedConsumer, embedded_stream
from streaming.folder import LocalFolder
from streaming.kafka import Kafka
from streaming.relay import EmbeddedRelay

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
        self._workers = _embedded(ledger, settings) if kafka is None else _over_kafka(ledger, kafka)
        self._stop = threading.Event()
        self._threads = {
            **{
                name: threading.Thread(target=worker.run, name=name, daemon=True)
                for name, worker in self._workers.items()
            },
            "tidy": threading.Thread(target=self._tidy, name="tidy", daemon=True),
        }

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()

    def check(self) -> None:
        """Raises RuntimeError when a worker has ended by itself; its log says why."""
        for name, thread in self._threads.items():
            if not thread.is_alive() and not self._stop.is_set():
                raise RuntimeError(f"{name} has ended")

    def stop(self) -> None:
        self._stop.set()
        for name, worker in self._workers.items():
            worker.stop()
            self._threads[name].join(timeout=10)

    def _tidy(self) -> None:
        while not self._stop.wait(TIDY):
            gone = self._ledger.records.tidy(timedelta(days=self._settings.picture_days))
            _log.info("tidied", pictures=gone[0], keys=gone[1])


def _embedded(ledger: Ledger, settings: Settings) -> Mapping[str, Worker]:
    consumer = EmbeddedConsumer(
        ledger.outbox,
        embedded_stream(ledger.id),
        LocalFolder(Path(settings.lake_root)),
        settings.data / "dead",
        settings.flush_seconds,
    )
    return {"relay": EmbeddedRelay(ledger.outbox), "consumer": consumer}


def _over_kafka(ledger: Ledger, kafka: Kafka) -> Mapping[str, Worker]:
    from streaming.kafka_relay import KafkaRelay  # who has no Kafka needs no client of it
    from streaming.sending import KafkaSender

    return {"relay": KafkaRelay(ledger.outbox, lambda: KafkaSender(kafka))}
