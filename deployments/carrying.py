"""What carries events away from the ledger, as one deployment."""

from ray import serve

from deployments.line import Line
from deployments.settings import Settings
from deployments.words import speak
from ledger import Ledger


@serve.deployment(
    name="relay",
    max_ongoing_requests=2,
    health_check_period_s=2,
    # A frozen replica holds SQLite's lock until it is killed: three silent checks, then a stop that it does not hear.
    health_check_timeout_s=6,
    graceful_shutdown_timeout_s=25,
)
class RelayDeployment:
    """One replica; Serve starts another when it dies, and the ledger's lock keeps two from working at once."""

    def __init__(self, settings: Settings) -> None:
        speak()
        self._ledger = Ledger.open(settings.ledger_url)
        self._line = Line(self._ledger, settings)
        self._line.start()

    def check_health(self) -> None:
        self._line.check()

    def __del__(self) -> None:
        self._line.stop()
        self._ledger.close()
