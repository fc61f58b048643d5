"""What carries events away from the ledger, as one deployment: relay, and the embedded lake where there is no Kafka."""

import threading
from datetime import timedelta
from pathlib import Path

import structlog
from ray import serve

from deployments.settings import Settings
from ledger import Ledger
from streaming.embedded import EmbeddedConsumer, embedded_stream
from streaming.folder import LocalFolder
from streaming.relay import EmbeddedRelay

TIDY = 3600.0  # seconds between deletions of what is too old
_log = structlog.get_logger(__name__)


class EmbeddedLine:
    """Relay and consumer over one ledger, in threads; ``stop`` flushes, so that nothing waits in memory."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._relay = EmbeddedRelay(ledger.outbox)
        self._consumer = EmbeddedConsumer(
            ledger.outbox,
            embedded_stream(ledger.id),
            LocalFolder(Path(settings.lake_root)),
            settings.data / "dead",
            settings.flush_seconds,
        )
        self._stop = threading.Event()
        self._threads = {
            "relay": threading.Thread(target=self._relay.run, name="relay", daemon=True),
            "consumer": threading.Thread(target=self._consumer.run, name="consumer", daemon=True),
            "tidy": threading.Thread(target=self._tidy, name="tidy", daemon=True),
        }

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()

    def check(self) -> None:
        """Raises RuntimeError when a part has ended by itself; its log says why."""
        for name, thread in self._threads.items():
            if not thread.is_alive() and not self._stop.is_set():
                raise RuntimeError(f"{name} has ended")

    def stop(self) -> None:
        """End the relay first, so that the consumer finds all it carried."""
        self._stop.set()
        self._relay.stop()
        self._threads["relay"].join(timeout=10)
        self._consumer.stop()
        self._threads["consumer"].join(timeout=10)

    def _tidy(self) -> None:
        while not self._stop.wait(TIDY):
            gone = self._ledger.records.tidy(timedelta(days=self._settings.picture_days))
            _log.info("tidied", pictures=gone[0], keys=gone[1])


@serve.deployment(
    name="relay",
    max_ongoing_requests=2,
    health_check_period_s=2,
    health_check_timeout_s=20,
    graceful_shutdown_timeout_s=25,
)
class RelayDeployment:
    """One replica; Serve starts another when it dies, and the ledger's lock keeps two from working at once."""

    def __init__(self, settings: Settings) -> None:
        self._ledger = Ledger.open(settings.ledger_url)
        self._line = EmbeddedLine(self._ledger, settings)
        self._line.start()

    def check_health(self) -> None:
        self._line.check()

    def __del__(self) -> None:
        self._line.stop()
        self._ledger.close()
