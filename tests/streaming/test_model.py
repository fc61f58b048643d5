"""A search for holes in the protocol: the real relay, consumer, files and verify over twins, under random schedules.

Two writers, two relays (one may be stale), two partitions, two owners of each that freeze and thaw, failures between
every two steps of sending and of storing, midnight, clock steps, unreadable records, retention. After every schedule:
nothing lost, nothing stored twice, every dead letter kept; and at any time ``verify`` accuses the lake of nothing.
Each rule of the design is then broken on purpose, and the same search must find that out.
"""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
import structlog.testing

from inspection.errors import Unavailable
from streaming.consumer import DeadLetter, PartitionConsumer, Stored
from streaming.files import Name
from streaming.folder import MemoryFolder
from streaming.kafka_relay import KafkaRelay, Sender
from streaming.record import Fenced, Stream
from streaming.relay import Statements
from streaming.verify import verify
from tests.streaming.twins import (
    PARTITIONS,
    MemoryOutbox,
    MemorySender,
    MemoryTopic,
    MemoryTurn,
    inspection,
    unreadable,
)

SCHEDULES = 100
STEPS = 40


@dataclass(frozen=True)
class Rules:
    """The design; each False breaks one rule."""

    date_of_the_record: bool = True
    name_of_the_resume_offset: bool = True
    empty_flush_is_written: bool = True
    one_rename_at_a_time: bool = True
    bury_before_rename: bool = True
    stop_behind_a_failure: bool = True
    mark_only_what_was_acknowledged: bool = True
    statements_name_the_journals_own_partition: bool = True
    keep_the_newest_file: bool = True


class Violation(AssertionError):
    """The protocol has a hole."""


class _FlakyFolder(MemoryFolder):
    """Fails before or after its work, as a store that is killed does."""

    def __init__(self, fails: Callable[[], bool]) -> None:
        super().__init__()
        self.fails = fails
        self.ever: list[Name] = []
        self.rows: dict[Name, bytes] = {}

    def put(self, data: bytes) -> str:
        if self.fails():
            raise OSError("before writing")
        return super().put(data)

    def publish(self, temporary: str, name: Name) -> None:
        if self.fails():
            raise OSError("before the rename")
        super().publish(temporary, name)
        self.ever.append(name)
        self.rows[name] = self.files[name]
        if self.fails():
            raise OSError("after the rename")


class _Owner(PartitionConsumer):
    """The real consumer, with one rule or another broken."""

    def __init__(self, world: "World", stream: Stream) -> None:
        self.world = world
        super().__init__(stream, world.folder, world.bury)

    def flush(self) -> Stored | None:
        rules, buffer = self.world.rules, self._buffer
        if not rules.date_of_the_record and buffer.day is not None:
            buffer.day = self.world.clock_day()
        if not rules.name_of_the_resume_offset and buffer.events and buffer.repeats:
            buffer.start += buffer.repeats
        if not rules.empty_flush_is_written and not buffer.events and not buffer.dead:
            buffer.start, buffer.day, buffer.last, buffer.repeats = buffer.resume, None, None, 0
            return None
        if not rules.bury_before_rename and buffer.dead:
            late, self._bury = self._bury, lambda letters: None
            try:
                stored = super().flush()
            finally:
                self._bury = late
            late([DeadLetter(self._stream, letter.record, letter.reason) for letter in buffer.dead])
            return stored
        try:
            return super().flush()
        except OSError:
            if rules.one_rename_at_a_time:
                raise
            self._buffer = type(buffer)(buffer.resume, buffer.resume)  # the next rename follows all the same
            return None


class _Relay(KafkaRelay):
    """The real relay, one step at a time."""

    def __init__(self, world: "World") -> None:
        statements = Statements(clock=lambda: world.seconds, quiet=1, busy=3)
        super().__init__(world.outbox, lambda: world.sender(), statements)
        self.world = world
        self.turn: MemoryTurn = world.outbox.take()

    def go(self) -> None:
        """One step; a failure between sending and marking is a crash."""
        try:
            self.step(self.turn)
        except Unavailable:
            self.crash()

    def crash(self) -> None:
        self._drop()
        self.turn = self.world.outbox.take()

    def _reconnect(self, turn: object) -> bool:
        self._sender = self.world.sender()
        self._line = self._sender.topic.line
        return True

    def _landed(self, turn, sender: Sender, flight):  # type: ignore[no-untyped-def]
        if not self.world.rules.mark_only_what_was_acknowledged:
            turn.mark_sent(
                sender.topic.line, [row.position for row in self.world.outbox.rows if row.position is not None]
            )
        return super()._landed(turn, sender, flight)


@dataclass
class World:
    """Everything, and one source of chance."""

    rules: Rules
    chance: random.Random
    calm: bool = False
    seconds: float = 0.0
    clock_days: float = 0.0
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    topic: MemoryTopic = field(default_factory=MemoryTopic)
    buried: Counter[tuple[int, int]] = field(default_factory=Counter)
    dead: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.outbox.broken_statements = not self.rules.statements_name_the_journals_own_partition
        self.folder = _FlakyFolder(self.fails)
        self.relays = [_Relay(self), _Relay(self)]
        self.owners: list[list[_Owner | None]] = [[None, None] for _ in range(PARTITIONS)]

    def fails(self) -> bool:
        return not self.calm and self.chance.random() < 0.07

    def sender(self) -> MemorySender:
        return MemorySender(self.topic, self.fails, goes_on=not self.rules.stop_behind_a_failure)

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        if self.fails():
            raise OSError("the broker is away")
        self.buried.update((letter.stream.partition, letter.record.offset) for letter in letters)

    def clock_day(self):  # type: ignore[no-untyped-def]
        return (self.topic.now + timedelta(days=self.clock_days)).date()

    # --- what may happen

    def issue(self) -> None:
        journal, partition = self.chance.choice((("a", 0), ("b", 1)))
        readable = self.chance.random() > 0.1
        self.outbox.issue(journal, partition, inspection(journal) if readable else unreadable)
        if not readable:
            self.dead.add((journal, self.outbox.issued[journal]))

    def relay(self) -> None:
        self.seconds += 0.5
        self.chance.choice(self.relays).go()

    def crash_relay(self) -> None:
        self.chance.choice(self.relays).crash()

    def consume(self) -> None:
        partition, who = self.chance.randrange(PARTITIONS), self.chance.randrange(2)
        self.own(partition, who, self.chance.randrange(1, 5), self.chance.random() < 0.5)

    def own(self, partition: int, who: int, count: int, flush: bool) -> None:
        owner = self.owners[partition][who]
        try:
            if owner is None:
                owner = self.owners[partition][who] = _Owner(self, Stream("cluster:topic-id", "t", partition))
            for record in self.topic.partitions[partition][owner.resume : owner.resume + count]:
                owner.add(record)
            if flush:
                owner.flush()
        except (Fenced, OSError):
            self.owners[partition][who] = None  # memory is dropped, the lake is read again

    def kill_consumer(self) -> None:
        self.owners[self.chance.randrange(PARTITIONS)][self.chance.randrange(2)] = None

    def midnight(self) -> None:
        self.topic.days += self.chance.choice((0.3, 1.0))

    def clock_step(self) -> None:
        self.clock_days = self.chance.choice((-1.0, 0.0, 1.0))

    def retain(self) -> None:
        partition = self.chance.randrange(PARTITIONS)
        names = sorted((n for n in self.folder.files if n.partition == partition), key=lambda name: name.start)
        if self.rules.keep_the_newest_file:
            names = names[:-1]
        for name in names[: self.chance.randrange(1, 3)]:
            del self.folder.files[name]
        # Files are deleted after months: no owner sleeps so long. (One that did would find its name free again.)
        self.owners[partition] = [None, None]

    # --- what must hold

    def settle(self) -> None:
        """All faults end; one relay and one owner of each partition finish the work."""
        self.calm = True
        relay = self.relays[0]
        relay.crash()
        for _ in range(60):
            self.seconds += 1
            relay.go()
        for partition in range(PARTITIONS):
            self.owners[partition] = [None, None]
            for _ in range(3):
                self.own(partition, 0, 10_000, True)

    def accuse(self) -> None:
        verdict = verify(self.folder, self.topic.now)
        if verdict.total("missing") or verdict.total("doubled") or verdict.breaks:
            raise Violation(f"verify accuses the lake: {verdict}")

    def check(self) -> None:
        stored: Counter[tuple[str, int]] = Counter()
        for name in self.folder.ever:
            stored.update(_rows(self.folder.rows[name]))
        issued = {(journal, number) for journal, last in self.outbox.issued.items() for number in range(1, last + 1)}
        waiting = {(row.carried.journal, row.carried.number) for row in self.outbox.rows if not row.sent}
        lost = issued - set(stored) - self.dead - waiting
        doubled = {key for key, count in stored.items() if count > 1}
        if lost or doubled:
            raise Violation(f"lost {sorted(lost)}, doubled {sorted(doubled)}")
        for partition, records in enumerate(self.topic.partitions):
            first = {}
            for record in records:
                first.setdefault((record.journal, record.number), record)
            for key, record in first.items():
                if key in self.dead and key not in waiting and (partition, record.offset) not in self.buried:
                    raise Violation(f"the dead letter at {partition}/{record.offset} was not kept")
        self.accuse()


def _rows(data: bytes) -> list[tuple[str, int]]:
    table = pq.read_table(io.BytesIO(data), columns=["journal", "number"])
    return list(zip(table["journal"].to_pylist(), table["number"].to_pylist(), strict=True))


ACTIONS: tuple[tuple[Callable[[World], None], int], ...] = (
    (World.issue, 8),
    (World.relay, 12),
    (World.crash_relay, 1),
    (World.consume, 14),
    (World.kill_consumer, 2),
    (World.midnight, 2),
    (World.clock_step, 1),
    (World.retain, 1),
)


def play(rules: Rules, seed: int) -> None:
    """One schedule. Raises Violation."""
    world = World(rules, random.Random(seed))
    actions, weights = zip(*ACTIONS, strict=True)
    for action in world.chance.choices(actions, weights, k=STEPS):
        action(world)
        if action in (World.consume, World.retain):
            world.accuse()
    world.settle()
    world.check()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.mark.parametrize("block", range(5))
def test_no_schedule_loses_or_doubles_anything(block: int) -> None:
    for seed in range(block * SCHEDULES, (block + 1) * SCHEDULES):
        try:
            play(Rules(), seed)
        except Violation as error:
            pytest.fail(f"seed {seed}: {error}")


@pytest.mark.parametrize("rule", Rules.__dataclass_fields__)
def test_every_broken_rule_is_found_out(rule: str) -> None:
    for seed in range(40 * SCHEDULES):
        try:
            play(Rules(**{rule: False}), seed)
        except Violation:
            return
    pytest.fail(f"no schedule shows what goes wrong without: {rule}")
