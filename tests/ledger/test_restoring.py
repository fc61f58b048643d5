"""A ledger restored from a backup: its lake goes on, in files of its own, and nothing answered since is lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from inspection.outbox import Carried
from ledger import Ledger
from ledger.commit import Writer
from streaming.consumer import PartitionConsumer
from streaming.embedded import embedded_stream
from streaming.folder import LocalFolder, MemoryFolder
from streaming.record import Record, Stream
from streaming.verify import verify
from tests.ledger.drafts import entry

TOPIC = Stream("cluster:topic", "prediction_results", 0)


def carry(ledger: Ledger, lake: Path) -> None:
    """What relay and consumer do, once: positions, a statement, a file."""
    stream = embedded_stream(ledger.id)
    with ledger.outbox.turn() as turn:
        assert turn is not None
        turn.position(stream.id, 1_000, sent=True)
        turn.state(0, turn.acknowledged(stream.id))
        turn.position(stream.id, 1_000, sent=True)
    consumer = PartitionConsumer(stream, LocalFolder(lake), lambda _: None)
    for c in ledger.outbox.from_position(consumer.resume, 1_000, stream.id):
        consumer.add(Record(c.position, c.positioned_at, c.journal, c.number, c.payload))
    consumer.flush()


def send(ledger: Ledger, topic: list[Record], arrives: Callable[[Carried], bool] = lambda _: True) -> None:
    """What the relay of a ledger with Kafka does, once; what does not arrive is acknowledged all the same."""
    with ledger.outbox.turn() as turn:
        assert turn is not None
        turn.work_on(TOPIC.id, 1)
        turn.position(TOPIC.id, 1_000)
        for statement in (True, False):
            waiting = turn.unsent(TOPIC.id, 1_000)
            topic.extend(
                Record(len(topic) + place, c.positioned_at, c.journal, c.number, c.payload)
                for place, c in enumerate(filter(arrives, waiting))
            )
            turn.mark_sent(TOPIC.id, [c.position for c in waiting])
            if statement:
                turn.state(0, turn.acknowledged(TOPIC.id))
                turn.position(TOPIC.id, 1_000)


def record(ledger: Ledger, count: int) -> None:
    writer = Writer(ledger._engine, 0.0)
    writer.commit([entry() for _ in range(count)])
    writer.leave()


def backup(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def test_the_lake_is_whole_after_a_restore(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite")
    record(ledger, 5)
    carry(ledger, tmp_path / "lake")
    backup(tmp_path / "ledger.sqlite", tmp_path / "restored.sqlite")  # while it is open
    record(ledger, 7)
    carry(ledger, tmp_path / "lake")
    ledger.close()

    restored = Ledger.open(f"sqlite:///{tmp_path}/restored.sqlite")
    assert restored.id == ledger.id
    assert restored.renew() == restored.outbox.ledger_id != ledger.id
    record(restored, 11)
    carry(restored, tmp_path / "lake")
    restored.close()
    verdict = verify(LocalFolder(tmp_path / "lake"))
    assert verdict.whole
    assert sum(j.stored for j in verdict.journals) == 5 + 7 + 11 + 3  # the last are statements
    again = Ledger.open(f"sqlite:///{tmp_path}/restored.sqlite")
    assert again.id == restored.id
    again.close()


def test_statements_count_again_at_once_after_a_restore(tmp_path: Path) -> None:
    """Under the numbers of those that were written after the backup they would be taken for repeats."""
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite")
    topic: list[Record] = []
    record(ledger, 2)
    send(ledger, topic)
    backup(tmp_path / "ledger.sqlite", tmp_path / "restored.sqlite")
    for _ in range(3):
        record(ledger, 1)
        send(ledger, topic)
    ledger.close()

    restored = Ledger.open(f"sqlite:///{tmp_path}/restored.sqlite")
    restored.renew()
    record(restored, 3)
    send(restored, topic, lambda c: c.kind == "statement" or c.number < 3)
    restored.close()
    lake = MemoryFolder()
    consumer = PartitionConsumer(TOPIC, lake, lambda _: None)
    for one in topic:
        consumer.add(one)
    stored = consumer.flush()
    assert stored is not None
    assert stored.repeats == 0
    assert verify(lake).total("missing") == 1
