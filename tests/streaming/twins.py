"""Ledger and topic in memory, small enough to be searched: what the real ones promise and no more."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inspection.errors import Unavailable
from inspection.events import to_json
from inspection.outbox import Backlog, Carried, JournalCount
from streaming.kafka import Topic
from streaming.kafka_relay import Sent
from streaming.record import Record
from tests.streaming.making import NOON, event, statement

PARTITIONS = 2


@dataclass
class Row:
    """One event of the ledger, as the outbox holds it."""

    carried: Carried
    position: int | None = None
    sent: bool = False


@dataclass
class MemoryOutbox:
    """A ledger with one journal for each writer; journal ``a`` goes to partition 0, ``b`` to partition 1."""

    rows: list[Row] = field(default_factory=list)
    issued: dict[str, int] = field(default_factory=dict)
    turns: int = 0
    ledger_id: str = "twin"
    broken_statements: bool = False

    def issue(self, journal: str, partition: int, payload: Callable[[int], bytes], kind: str = "inspection") -> None:
        number = self.issued[journal] = self.issued.get(journal, 0) + 1
        self.rows.append(
            Row(Carried(-1, NOON, journal, number, partition, f"{journal}-{number}", kind, payload(number)))
        )

    @contextmanager
    def turn(self) -> Iterator["MemoryTurn"]:
        yield self.take()

    def take(self) -> "MemoryTurn":
        self.turns += 1
        return MemoryTurn(self, self.turns)

    def backlog(self) -> Backlog:
        return Backlog(sum(not row.sent for row in self.rows), None)


@dataclass
class MemoryTurn:
    """Over when another one was taken, as the real ones are."""

    outbox: MemoryOutbox
    number: int

    def position(self, line: str, limit: int, sent: bool = False) -> int:
        new = [row for row in self._rows() if row.position is None][:limit]
        base = sum(row.position is not None for row in self.outbox.rows)
        for place, row in enumerate(new):
            row.position, row.sent = base + place, sent
        return len(new)

    def unsent(self, line: str, limit: int, after: int = -1) -> Sequence[Carried]:
        found = [row for row in self._rows() if row.position is not None and not row.sent and row.position > after]
        found.sort(key=lambda row: row.position or 0)
        return [replace(row.carried, position=row.position or 0) for row in found[:limit]]

    def mark_sent(self, line: str, positions: Sequence[int]) -> None:
        for row in self._rows():
            row.sent = row.sent or row.position in positions

    def acknowledged(self, line: str) -> Sequence[JournalCount]:
        counts = []
        for journal, issued in self.outbox.issued.items():
            rows = [row for row in self._rows() if row.carried.journal == journal]
            unsent = [row.carried.number for row in rows if not row.sent]
            counts.append(JournalCount(journal, rows[0].carried.partition, min(unsent, default=issued + 1) - 1))
        return counts

    def state(self, partition: int, counts: Sequence[JournalCount]) -> None:
        own = partition if self.outbox.broken_statements else None
        named = {
            c.journal: {"partition": c.partition if own is None else own, "issued": c.acknowledged} for c in counts
        }
        self._rows()
        journal = f"statements-{partition}"
        self.outbox.issue(
            journal, partition, lambda n: to_json(replace(statement(journal, n), journals=named)), "statement"
        )

    def work_on(self, line: str, partitions: int, sent: bool = False) -> None:
        """The twin has one line, and its writers choose their partitions for themselves."""

    def _rows(self) -> list[Row]:
        if self.number != self.outbox.turns:
            raise Unavailable("turn_over", "Another relay has taken over.")
        return self.outbox.rows


@dataclass
class MemoryTopic:
    """Partitions of records with the broker's append time; ``days`` moves its clock."""

    days: float = 0.0
    partitions: list[list[Record]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])

    def append(self, carried: Carried) -> None:
        records = self.partitions[carried.partition]
        at = NOON + timedelta(days=self.days)
        records.append(Record(len(records), at, carried.journal, carried.number, carried.payload))

    @property
    def now(self) -> datetime:
        return NOON + timedelta(days=self.days)


class MemorySender:
    """Fails where told to: that event and all behind it are not acknowledged, though some may have arrived."""

    topic = Topic("cluster:topic-id", PARTITIONS)

    def __init__(self, topic: MemoryTopic, fails: Callable[[], bool], goes_on: bool = False) -> None:
        self._topic = topic
        self._fails = fails
        self._goes_on = goes_on

    def send(self, events: Sequence[Carried]) -> "Future[Sent]":
        acknowledged = []
        error = None
        for carried in events:
            if self._fails():
                error = "failed"
                if self._goes_on:
                    continue
                break
            self._topic.append(carried)
            if self._fails() and not self._goes_on:  # arrived, and the answer was lost
                error = "failed"
                break
            acknowledged.append(carried.position)
        future: Future[Sent] = Future()
        future.set_result(Sent(tuple(acknowledged), error))
        return future

    def close(self) -> None:
        """Nothing is held."""


def inspection(journal: str) -> Callable[[int], bytes]:
    return lambda number: to_json(event(journal, number))


def unreadable(_: int) -> bytes:
    return b"{not json"
