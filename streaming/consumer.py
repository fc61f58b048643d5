"""Exactly once into the lake: the state machine of one partition. Knows no Kafka, no ledger, no clock, no threads.

Rules, each of which closes a hole: a file starts at the resume offset of the file before it; its folder is the append
date of the record at that offset, whatever becomes of that record; it ends where the date changes; a flush that
consumed anything writes a file, with no rows if need be; dead letters are acknowledged before the file that lists
them is renamed; the next rename waits for the success of the one before; after any other outcome everything in memory
is dropped and the folder is read again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from inspection.events import Event, Unreadable, from_json
from streaming.files import Damaged, Footer, Name, belongs, read_footer, to_parquet
from streaming.folder import Folder
from streaming.marks import Marks
from streaming.record import Fenced, Loss, Record, Stream

LEFT_BEHIND = 86_400.0  # seconds after which nobody comes back to a temporary file
LARGEST = 1 << 20  # bytes of a value; the ledger keeps its events at half of that
LONGEST_REASON = 200  # characters: it may quote the record, and must fit into a letter beside it


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that can't be read, where it was, and why."""

    stream: Stream
    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Stored:
    """One file that was renamed into the lake: what an operator sees of it."""

    name: Name
    rows: int
    repeats: int
    dead: int
    resume: int


@dataclass(slots=True)
class _Buffer:
    """What the next file will hold."""

    start: int
    resume: int
    day: date | None = None
    events: list[Event] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    repeats: int = 0
    last: Record | None = None
    size: int = 0


class PartitionConsumer:
    """One partition as one owner sees it. Not thread-safe.

    After construction call :meth:`continues_at` and check the record there with :meth:`confirm`, then give the records
    from :attr:`resume` on to :meth:`add`, and call :meth:`flush` by size and age.
    """

    def __init__(
        self,
        stream: Stream,
        folder: Folder,
        bury: Callable[[Sequence[DeadLetter]], None],
        taken: Callable[[Event], None] | None = None,
    ) -> None:
        """``bury`` keeps dead letters and returns once they are safe; ``taken`` is told of each event, for a log."""
        self._stream = stream
        self._folder = folder
        self._bury = bury
        self._taken = taken
        self._last: tuple[int, str] | None = None
        self._marks = Marks()
        self._buffer = _Buffer(0, 0)
        folder.tidy(LEFT_BEHIND)
        self.take_over()

    def take_over(self) -> None:
        """Forget what is in memory and continue from the newest file, over all date folders.

        Raises:
            Loss: the newest file belongs to another stream, or is damaged.
        """
        mine = (name for name in self._folder.names() if belongs(name, self._stream))
        newest = max(mine, key=lambda name: name.start, default=None)
        self._marks, self._last, resume = Marks(), None, 0
        if newest is not None:
            try:
                with self._folder.open(newest) as file:
                    footer = read_footer(file)
            except Damaged as error:
                raise Loss(f"{newest.path} {error}") from error
            if footer.stream != self._stream.id:
                raise Loss(f"{newest.path} was written from {footer.stream}, not from {self._stream.id}")
            self._marks, resume = footer.marks, footer.resume
            self._last = (footer.last_offset, footer.last_digest)
        self._buffer = _Buffer(resume, resume)

    @property
    def resume(self) -> int:
        """The offset of the next record to add."""
        return self._buffer.resume

    @property
    def pending(self) -> int:
        """Records taken since the last file, whatever became of them."""
        return self._buffer.repeats + len(self._buffer.events) + len(self._buffer.dead)

    @property
    def pending_bytes(self) -> int:
        return self._buffer.size

    def continues_at(self) -> int | None:
        """The offset of the last stored record, to be read again; None when nothing was stored yet."""
        return self._last[0] if self._last else None

    def confirm(self, record: Record | None) -> None:
        """Check that the last stored record still is what it was. Raises Loss."""
        if self._last is None:
            return
        offset, digest = self._last
        if record is None or record.offset != offset:
            raise Loss(f"{self._stream.topic}/{self._stream.partition}: the record at offset {offset} is gone")
        if record.digest != digest:
            raise Loss(f"{self._stream.topic}/{self._stream.partition}: another record lies at offset {offset}")

    def add(self, record: Record) -> Stored | None:
        """Take the next record; returns the file that had to be written first where the date changes.

        Raises Fenced as :meth:`flush` does; the record was not taken then.
        """
        if record.offset < self._buffer.resume:
            return None
        stored = self.flush() if self._buffer.day not in (None, record.date) else None
        buffer = self._buffer
        buffer.day = buffer.day or record.date
        event, reason = _read(record)
        journal, number = (event.journal, event.number) if event else (record.journal, record.number)
        if journal is None or number is None:
            buffer.dead.append(DeadLetter(self._stream, record, reason))
        else:
            self._take(record, journal, number, event, reason)
        buffer.resume, buffer.last = record.offset + 1, record
        buffer.size += len(record.value)
        return stored

    def _take(self, record: Record, journal: str, number: int, event: Event | None, reason: str) -> None:
        marks = self._marks[journal]
        marks.touched = max(marks.touched, record.date)
        if number in marks and (event is None or number not in marks.dead):
            self._buffer.repeats += 1
            return
        marks.add(number)
        if event is not None:
            marks.dead.discard(number)
            self._buffer.events.append(event)
            if self._taken is not None:
                self._taken(event)
        else:
            marks.dead.add(number)
            self._buffer.dead.append(DeadLetter(self._stream, record, reason))

    def flush(self) -> Stored | None:
        """Write what was taken since the last file as one file; None when nothing was.

        Raises:
            Fenced: somebody else has the name. Whatever is raised, this consumer must :meth:`take_over` again.
        """
        buffer = self._buffer
        if buffer.last is None or buffer.day is None:
            return None
        if buffer.dead:
            self._bury(buffer.dead)
        if buffer.events:  # the writers' clocks must agree: a broker whose clock is ahead for an hour forgets nothing
            told = max(datetime.fromisoformat(event.occurred_at) for event in buffer.events)
            self._marks.forget(min(buffer.day, told.date()))
        name = Name(buffer.day, self._stream.topic, self._stream.partition, buffer.start)
        footer = Footer(
            self._stream.id,
            buffer.start,
            buffer.resume,
            self._marks,
            tuple(letter.record.offset for letter in buffer.dead),
            buffer.last.offset,
            buffer.last.digest,
        )
        temporary = self._folder.put(to_parquet(buffer.events, footer))
        try:
            self._folder.publish(temporary, name)
        except Fenced:
            self._folder.discard(temporary)
            raise
        self._last = (buffer.last.offset, buffer.last.digest)
        self._buffer = _Buffer(buffer.resume, buffer.resume)
        return Stored(name, len(buffer.events), buffer.repeats, len(buffer.dead), buffer.resume)


def _read(record: Record) -> tuple[Event | None, str]:
    """The event, or why there is none: headers and value must name the same journal and number."""
    if len(record.value) > LARGEST:
        return None, f"over-size: {len(record.value)} bytes"
    try:
        event = from_json(record.value)
    except Unreadable as error:
        return None, str(error)[:LONGEST_REASON]
    if record.journal is not None and (record.journal, record.number) != (event.journal, event.number):
        return None, "headers and value name different numbers"
    return event, ""
