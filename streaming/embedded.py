"""The consumer of a ledger that carries its own events: the same state machine as behind Kafka, into a folder."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import structlog

from inspection.errors import Unavailable
from inspection.events import timestamp
from inspection.outbox import Carried, Positioned
from streaming.consumer import DeadLetter, PartitionConsumer, Stored
from streaming.folder import Folder
from streaming.record import Fenced, Loss, Record, Stream
from streaming.relay import EMBEDDED_PARTITION, embedded_ledger, embedded_line

BATCH = 2_000
FLUSH_RECORDS = 50_000
TICK = 0.25  # seconds between looks at the ledger
LOOK, AGAIN = 3600.0, 60.0  # seconds between looks at earlier lines: when all went well, and when not

_log = structlog.get_logger(__name__)


def embedded_stream(ledger_id: str) -> Stream:
    """How a ledger's own events are named in the lake."""
    return Stream(embedded_line(ledger_id), f"ledger-{ledger_id}", EMBEDDED_PARTITION)


class EmbeddedConsumer:
    """Runs until stopped, in a thread of its own; positions are the offsets."""

    def __init__(
        self,
        positioned: Positioned,
        stream: Stream,
        folder: Folder,
        dead: Path,
        flush_seconds: float,
        stored: Callable[[Stored], None] | None = None,
    ) -> None:
        self._positioned = positioned
        self._stream = stream
        self._folder = folder
        self._dead = dead
        self._flush_seconds = flush_seconds
        self._stored = stored or _say
        self._stop = threading.Event()

    def run(self) -> None:
        """Consume until :meth:`stop`, flush, return. A ledger or folder that is away is tried again.

        Raises:
            Loss: the ledger no longer holds what the lake continues from.
        """
        while not self._stop.is_set():
            try:
                self._consume(PartitionConsumer(self._stream, self._folder, self._bury))
            except Fenced as error:
                _log.warning("consumer_fenced", file=str(error))
            except (OSError, Unavailable) as error:
                _log.warning("consumer_waits", reason=type(error).__name__)
            self._stop.wait(1.0)

    def stop(self) -> None:
        self._stop.set()

    def drain(self, told: threading.Event) -> None:
        """Store what is left of a line that gets nothing more, and return; also when told to stop.

        Raises Loss as :meth:`run` does; Fenced, OSError, Unavailable: the same call may succeed later.
        """
        consumer = PartitionConsumer(self._stream, self._folder, self._bury)
        self._confirm(consumer)
        while not told.is_set() and self._take(consumer):
            if consumer.pending >= FLUSH_RECORDS:
                self._flush(consumer)
        self._flush(consumer)

    def _confirm(self, consumer: PartitionConsumer) -> None:
        last = consumer.continues_at()
        if last is not None:
            again = self._read(last, 1)
            consumer.confirm(again[0] if again else None)

    def _consume(self, consumer: PartitionConsumer) -> None:
        self._confirm(consumer)
        self._positioned.note_stored(self._stream.id, consumer.resume)
        oldest: float | None = None
        stopping = False
        while True:
            stopping = stopping or self._stop.is_set()
            more = self._take(consumer)
            if consumer.pending and oldest is None:
                oldest = time.monotonic()
            full = consumer.pending >= FLUSH_RECORDS
            if oldest is not None and (stopping or full or time.monotonic() - oldest >= self._flush_seconds):
                self._flush(consumer)
                oldest = None
            if not more:
                if stopping:
                    return
                self._stop.wait(TICK)

    def _read(self, position: int, limit: int) -> list[Record]:
        return [_record(c) for c in self._positioned.from_position(position, limit, self._stream.id)]

    def _take(self, consumer: PartitionConsumer) -> bool:
        """Add the next records; False when there are none."""
        records = self._read(consumer.resume, BATCH)
        for record in records:
            self._report(consumer.add(record))
        return bool(records)

    def _flush(self, consumer: PartitionConsumer) -> None:
        self._report(consumer.flush())
        self._positioned.note_stored(self._stream.id, consumer.resume)

    def _report(self, stored: Stored | None) -> None:
        if stored is not None:
            self._stored(stored)

    def _bury(self, letters: Sequence[DeadLetter]) -> None:
        """Dead letters of an embedded ledger lie in a folder beside the lake, one JSON file each."""
        self._dead.mkdir(parents=True, exist_ok=True)
        for letter in letters:
            path = self._dead / f"{letter.stream.topic}+{letter.stream.partition}+{letter.record.offset:020}.json"
            content = {
                "reason": letter.reason,
                "appended_at": timestamp(letter.record.appended_at),
                "value": letter.record.value.decode(errors="replace"),
            }
            path.write_text(json.dumps(content, ensure_ascii=False))


class EarlierLines:
    """Stores what embedded lines of this ledger left that are not its line any more: before Kafka, before a restore.

    What such a line gave a position counts as carried, and lies in the ledger alone until it is in the lake. Its
    consumer may have been killed before that, or the lake was put back from a copy older than the ledger's.
    """

    def __init__(
        self, positioned: Positioned, current: str | None, consumer: Callable[[Stream], EmbeddedConsumer]
    ) -> None:
        """``current``: the embedded line that works now, which has a consumer of its own."""
        self._positioned = positioned
        self._current = current
        self._consumer = consumer
        self._stop = threading.Event()

    def run(self) -> None:
        """Look at once, then every hour, until :meth:`stop`: another version's relay may still be at work on one."""
        pause = 0.0
        while not self._stop.wait(pause):
            pause = LOOK if self.look() else AGAIN

    def stop(self) -> None:
        self._stop.set()

    def look(self) -> bool:
        """Store what is left of every earlier line; False when one has to be tried again."""
        try:
            lines = self._positioned.lines()
        except Unavailable as error:
            _log.warning("earlier_lines_wait", reason=error.code)
            return False
        earlier = {line: embedded_ledger(line) for line in lines if line != self._current}
        drained = [self._drained(line, ledger_id) for line, ledger_id in earlier.items() if ledger_id is not None]
        return all(drained)

    def _drained(self, line: str, ledger_id: str) -> bool:
        try:
            self._consumer(embedded_stream(ledger_id)).drain(self._stop)
        except Loss as error:  # the lake is ahead of a ledger that was restored: it lacks nothing of this line
            _log.info("earlier_line_is_ahead", line=line, reason=str(error))
            self._positioned.note_stored(line, self._positioned.next_position())
        except Exception as error:  # whatever is wrong with an old line, those who work now go on
            _log.warning("earlier_line_waits", line=line, reason=repr(error))
            return False
        return True


def _record(carried: Carried) -> Record:
    appended: datetime = carried.positioned_at
    return Record(carried.position, appended, carried.journal, carried.number, carried.payload)


def _say(stored: Stored) -> None:
    _log.info(
        "stored", file=stored.name.path, rows=stored.rows, repeats=stored.repeats, dead=stored.dead, next=stored.resume
    )
