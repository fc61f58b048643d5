"""A statement is something the relay sends, but never a reason to write another."""

import time

from streaming.kafka_relay import KafkaRelay
from streaming.relay import Statements
from tests.streaming.twins import PARTITIONS, MemoryOutbox, MemorySender, MemoryTopic, inspection


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
