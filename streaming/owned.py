"""One partition of this process: its consumer over the lake, when a file is due, when to try again after a failure.

Knows no group and no event loop; :mod:`streaming.service` runs it, in one thread at a time.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inspection.events import LONGEST_JOURNAL
from streaming.consumer import PartitionConsumer, Stored
from streaming.record import Record, Stream

RETRY = (0.5, 15.0)  # seconds, the first and the longest, between tries at a store that is away


@dataclass(frozen=True, slots=True)
class Limits:
    """When a file is written: whichever comes first."""

    seconds: float
    records: int
    size: int  # bytes


class Owned:
    """A partition of ours. ``ready`` is False until the lake was read, and again after a failure."""

    def __init__(self, stream: Stream, limits: Limits, open_consumer: Callable[[Stream], PartitionConsumer]) -> None:
        self.stream = stream
        self.retry = RETRY[0]
        self.stored_up_to: int | None = None  # offset; None: the lake has not been read yet
        self._limits = limits
        self._open = open_consumer
        self._taking: PartitionConsumer | None = None
        self._confirmed = False
        self._since: float | None = None  # monotonic: when the oldest record that waits for its file came
        self._appended: float | None = None  # epoch: when the broker took that record
        self._retry_at = 0.0

    @property
    def ready(self) -> bool:
        return self._taking is not None

    @property
    def due(self) -> bool:
        """Whether the lake is to be read now."""
        return self._taking is None and time.monotonic() >= self._retry_at

    @property
    def age(self) -> float:
        """Seconds since the broker took the oldest record that was read and is not stored; 0 when there is none."""
        return 0.0 if self._appended is None else max(0.0, time.time() - self._appended)

    def take_over(self) -> int:
        """Read the lake; returns where to read on: at the last stored record, again. Raises Loss, OSError."""
        taking = self._open(self.stream)
        last = taking.continues_at()
        self._confirmed = last is None
        self._taking, self._appended, self.stored_up_to = taking, None, taking.resume
        return taking.resume if last is None else last

    def nothing_to_compare(self) -> None:
        """The topic's retention took all that is stored and nothing more, as when a line stood still for weeks."""
        self._confirmed = True

    def work(self, records: Sequence[Any]) -> list[Stored]:
        """Take Kafka's records, write what is due. Raises Loss, Fenced, OSError: then :meth:`set_back` must follow."""
        taking = self._taking
        if taking is None:
            return []
        stored: list[Stored | None] = []
        appended = _Appended()
        for raw in records:
            record = _record(raw, appended(raw.timestamp))
            if not self._confirmed:
                taking.confirm(record)
                self._confirmed = True
            stored.append(taking.add(record))
            if taking.pending and (stored[-1] is not None or self._since is None):
                self._since, self._appended = time.monotonic(), raw.timestamp / 1000
            if taking.pending >= self._limits.records or taking.pending_bytes >= self._limits.size:
                stored.append(self.flush())
        if self._since is not None and time.monotonic() - self._since >= self._limits.seconds:
            stored.append(self.flush())
        return self._noted(stored)

    def flush(self) -> Stored | None:
        """Write what waits; nothing is known to wait where the lake was not read."""
        stored = self._taking.flush() if self._taking is not None else None
        self._since = self._appended = None
        self._noted([stored])
        return stored

    def _noted(self, stored: Sequence[Stored | None]) -> list[Stored]:
        files = [file for file in stored if file is not None]
        if files:
            self.retry, self.stored_up_to = RETRY[0], files[-1].resume
        return files

    def set_back(self) -> None:
        """Forget what is in memory; the age of what waits goes on."""
        self._taking = self._since = None
        self._retry_at = time.monotonic() + self.retry
        self.retry = min(self.retry * 2, RETRY[1])

    def leave(self) -> None:
        """Take nothing any more: another owner may read on."""
        self._taking = None


class _Appended:
    """Broker time as UTC; a batch of records shares one, so it is converted once."""

    def __init__(self) -> None:
        self._last = (-1, datetime.min)

    def __call__(self, milliseconds: int) -> datetime:
        if self._last[0] != milliseconds:
            self._last = (milliseconds, datetime.fromtimestamp(milliseconds / 1000, UTC))
        return self._last[1]


def _record(raw: Any, appended: datetime) -> Record:
    """Headers that are no journal and number count as absent: then the value alone speaks."""
    headers = dict(raw.headers)
    journal, number = headers.get("journal"), headers.get("number")
    if journal is not None and number is not None:
        with contextlib.suppress(ValueError):
            name, counted = journal.decode(), int(number)
            if 1 <= counted < 2**63 and 0 < len(name) <= LONGEST_JOURNAL:
                return Record(raw.offset, appended, name, counted, raw.value or b"")
    return Record(raw.offset, appended, None, None, raw.value or b"")
