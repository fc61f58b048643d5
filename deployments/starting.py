"""Replicas that hang while they start: Serve checks a replica's health only once its constructor has returned, and
waits for that without limit. Knows processes by their titles, and no Ray.
"""

import time
from collections.abc import Callable

import psutil
import structlog

LOOK = 5.0  # seconds between looks
PATIENCE = 60.0  # seconds in which a replica that starts must have worked for ``WORK``
WORK = 0.5  # seconds of CPU; loading a model takes more, a frozen or blocked process less

_REPLICA = "ServeReplica:casting:"
_STARTING = (".__init__", ".initialize_and_get_metadata")  # what Ray adds to a replica's title meanwhile
_log = structlog.get_logger(__name__)


class StuckStarts:
    """Ends replicas below ``root`` that start and do nothing; Serve then starts others."""

    def __init__(
        self, root: psutil.Process, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = root
        self._patience = patience
        self._clock = clock
        self._looked = clock()
        self._seen: dict[psutil.Process, tuple[float, float]] = {}  # when it last had worked, and its CPU time then

    def look(self) -> None:
        """To be called again and again; looks every ``LOOK`` seconds."""
        now = self._clock()
        if now - self._looked < LOOK:
            return
        self._looked = now
        starting: dict[psutil.Process, tuple[float, float]] = {}
        for process in self._root.children(recursive=True):
            try:
                title = process.cmdline()[:1]
                if not title or _REPLICA not in title[0] or not title[0].endswith(_STARTING):
                    continue
                times = process.cpu_times()
                worked, used = self._seen.get(process, (now, 0.0)), times.user + times.system
                starting[process] = worked if used - worked[1] < WORK else (now, used)
                if now - starting[process][0] > self._patience:
                    _log.warning("replica_hangs_in_its_start", replica=title[0], pid=process.pid)
                    process.kill()
            except psutil.Error:
                continue  # it has ended by itself
        self._seen = starting
