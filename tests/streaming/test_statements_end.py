"""A statement is something the relay sends, but never a reason to write another. Everything else is one."""

import time
from collections.abc import Sequence

from inspection.events import from_json
from inspection.outbox import JournalCount
from streaming.kafka_relay import KafkaRelay
from streaming.relay import EmbeddedRelay, Statements
from tests.streaming.twins import PARTITIONS, MemoryOutbox, MemorySender, MemoryTopic, MemoryTurn, inspection


def test_without_inspections_statements_come_to_an_end() -> None:
    seconds = 0.0
    outbox, topic = MemoryOutbox(), MemoryTopic()
    statements = Statements(clock=lambda: seconds, quiet=1, busy=3)
    relay = KafkaRelay(outbox, lambda: MemorySender(topic, lambda: False), statements)
    turn = outbox.take()
    outbox.issue("a", 0, inspection("a"))
    for _ in range(200):  # steps of half a second; connecting takes a thread a moment
        relay.step(turn)
        seconds += 0.5
        time.sleep(0.001)
    stated = [row for row in outbox.rows if row.carried.kind == "statement"]
    assert 1 <= len(stated) / PARTITIONS <= 2
    assert turn.unsent(relay._line or "", 100) == []


def test_a_load_that_never_ends_is_stated_all_the_same() -> None:
    seconds = 0.0
    outbox, topic = MemoryOutbox(), MemoryTopic()
    statements = Statements(clock=lambda: seconds, quiet=1, busy=3)
    relay = KafkaRelay(outbox, lambda: MemorySender(topic, lambda: False), statements)
    turn = outbox.take()
    for _ in range(100):  # something always waits
        outbox.issue("a", 0, inspection("a"))
        relay.step(turn)
        seconds += 0.1
        time.sleep(0.001)
    stated = [from_json(row.carried.payload) for row in outbox.rows if row.carried.journal == "statements-0"]
    assert 2 <= len(stated) <= 4


def test_what_is_carried_along_with_a_statement_gets_one_of_its_own() -> None:
    seconds = 0.0
    outbox = MemoryOutbox()

    class Busy(MemoryTurn):
        """Somebody records while the first statement is written."""

        def state(self, partition: int, counts: Sequence[JournalCount]) -> None:
            super().state(partition, counts)
            if outbox.issued["a"] == 1:
                outbox.issue("a", 0, inspection("a"))

    turn = Busy(outbox, outbox.take().number)
    relay = EmbeddedRelay(outbox, Statements(clock=lambda: seconds, quiet=1, busy=3))
    outbox.issue("a", 0, inspection("a"))
    for _ in range(100):
        relay.step(turn)
        seconds += 0.5
    stated = [from_json(row.carried.payload) for row in outbox.rows if row.carried.kind == "statement"]
    assert [statement.journals["a"]["issued"] for statement in stated] == [1, 2]
