"""What carries a ledger's events away, in threads: the relay, and the embedded lake where there is no Kafka."""

import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog

from deployments.settings import Settings
from ledger import Ledger
from streaming.embedded import EarlierLines, EmbeddedConsumer, embedded_stream
from streaming.folder import Folder, LocalFolder
from streaming.kafka import Kafka
from streaming.record import Stream
from streaming.relay import EmbeddedRelay, embedded_line
from streaming.root import open_folder

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
    consumer = _consumer(ledger, settings, embedded_stream(ledger.id), LocalFolder(Path(settings.lake_root)))
    return {"relay": EmbeddedRelay(ledger.outbox), "consumer": consumer}


def _over_kafka(ledger: Ledger, kafka: Kafka) -> Mapping[str, Worker]:
    from streaming.kafka_relay import KafkaRelay  # who has no Kafka needs no client of it
    from streaming.sending import KafkaSender

    return {"relay": KafkaRelay(ledger.outbox, lambda: KafkaSender(kafka))}


def _earlier(ledger: Ledger, settings: Settings) -> EarlierLines:
    """Into the lake that the settings name now, also where that is HDFS."""

    def consumer(stream: Stream) -> EmbeddedConsumer:
        tls, kerberos = settings.webhdfs_ca, settings.webhdfs_kerberos
        return _consumer(ledger, settings, stream, open_folder(settings.lake_root, settings.webhdfs, tls, kerberos))

    return EarlierLines(ledger.outbox, embedded_line(ledger.id) if settings.broker is None else None, consumer)


def _consumer(ledger: Ledger, settings: Settings, stream: Stream, lake: Folder) -> EmbeddedConsumer:
    return EmbeddedConsumer(ledger.outbox, stream, lake, settings.data / "dead", settings.flush_seconds)
