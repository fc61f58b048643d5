"""The line that carries a ledger's events changes: another topic, fewer partitions, Kafka after none and none after."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from inspection.outbox import Carried
from inspection.record import Receipt
from ledger import Ledger
from ledger.commit import Writer
from streaming import kafka_relay
from streaming.embedded import EarlierLines, EmbeddedConsumer, embedded_stream
from streaming.files import Name
from streaming.folder import Folder, MemoryFolder
from streaming.kafka import Away, Topic
from streaming.kafka_relay import KafkaRelay, Sender, Sent
from streaming.relay import EmbeddedRelay, embedded_line
from streaming.verify import verify
from tests.streaming.test_embedded import entry


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield opened
    opened.close()


class Broker:
    """One topic after another, with what each got; a sender of an earlier one, or of one that is away, fails."""

    def __init__(self, partitions: int = 1) -> None:
        self.away = False
        self.topics = [Topic("cluster:topic-0", partitions)]
        self.got: list[list[Carried]] = [[]]

    def made_anew(self, partitions: int = 1) -> None:
        self.topics.append(Topic(f"cluster:topic-{len(self.topics)}", partitions))
        self.got.append([])

    def connect(self) -> Sender:
        if self.away:
            raise Away("away")
        return MemorySender(self)


class MemorySender:
    """Sending ends at the first event that can't be queued, as the real one's does."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.topic = broker.topics[-1]

    def send(self, events: Sequence[Carried]) -> "Future[Sent]":
        acknowledged, error = [], None
        for event in events:
            if self._broker.away or self.topic is not self._broker.topics[-1]:
                error = "away"
            elif event.partition >= self.topic.partitions:
                error = "Unrecognized partition"
            if error is not None:
                break
            self._broker.got[-1].append(event)
            acknowledged.append(event.position)
        future: Future[Sent] = Future()
        future.set_result(Sent(tuple(acknowledged), error))
        return future

    def close(self) -> None:
        """Nothing is held."""


def record(writer: Writer, count: int) -> set[str]:
    """The ids of what was answered."""
    (receipt,) = writer.commit([entry(count)])
    assert isinstance(receipt, Receipt)
    return {event.event_id for event in receipt.events}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_relay, "RETRY", (0.0, 0.0))


def work(ledger: Ledger, relay: KafkaRelay) -> None:
    """Go on until the relay has nothing to do, or has nothing that it could do."""
    with ledger.outbox.turn() as turn:
        assert turn is not None
        end, still = time.monotonic() + 10, 0
        while still < 20 and time.monotonic() < end:
            still = 0 if relay.step(turn) else still + 1
            time.sleep(0.001)


def test_what_a_lost_topic_never_acknowledged_leaves_by_its_successor(ledger: Ledger) -> None:
    broker, writer = Broker(), Writer(ledger._engine, 0.0)
    relay = KafkaRelay(ledger.outbox, broker.connect)
    answered = record(writer, 3)
    work(ledger, relay)
    broker.away = True
    writer.leave()
    writer = Writer(ledger._engine, 0.0)
    answered |= record(writer, 20)  # 200 while the broker is away
    work(ledger, relay)
    assert ledger.outbox.next_position() == 23  # the live feed goes on
    writer.leave()
    broker.away = False
    broker.made_anew()
    answered |= record(Writer(ledger._engine, 0.0), 5)
    work(ledger, relay)
    assert [event.number for event in broker.got[0]] == [1, 2, 3]
    assert {event.event_id for topic in broker.got for event in topic} == answered
    assert len(broker.got[1]) == 25
    assert ledger.outbox.backlog().events == 0


def test_a_topic_with_fewer_partitions_goes_on(ledger: Ledger) -> None:
    broker = Broker(3)
    relay = KafkaRelay(ledger.outbox, broker.connect)
    work(ledger, relay)
    writers = [Writer(ledger._engine, 0.0) for _ in range(9)]
    answered = {event for writer in writers for event in record(writer, 1)}  # they have chosen among three
    broker.made_anew(1)
    work(ledger, relay)
    answered |= {event for writer in writers for event in record(writer, 1)}
    work(ledger, relay)
    assert {event.event_id for event in broker.got[1]} == answered
    assert ledger.outbox.backlog().events == 0


def carried(ledger: Ledger, lake: Folder, dead: Path, stored: bool = True) -> None:
    """What relay and consumer of the embedded line do until they are stopped; or the consumer is killed before."""
    relay = EmbeddedRelay(ledger.outbox)
    relay.stop()
    with ledger.outbox.turn() as turn:
        assert turn is not None
        relay._work(turn)
    if stored:
        EmbeddedConsumer(ledger.outbox, embedded_stream(ledger.id), lake, dead, 5.0).drain(threading.Event())


def earlier(ledger: Ledger, lake: Folder, dead: Path, current: str | None = None) -> EarlierLines:
    return EarlierLines(ledger.outbox, current, lambda stream: EmbeddedConsumer(ledger.outbox, stream, lake, dead, 5.0))


def inspections(lake: MemoryFolder) -> int:
    return sum(pq.read_table(BytesIO(data))["kind"].to_pylist().count("inspection") for data in lake.files.values())


def test_what_the_embedded_line_had_not_stored_is_stored_beside_kafka(ledger: Ledger, tmp_path: Path) -> None:
    lake, writer = MemoryFolder(), Writer(ledger._engine, 0.0)
    record(writer, 3)
    carried(ledger, lake, tmp_path)
    record(writer, 7)
    carried(ledger, lake, tmp_path, stored=False)  # killed within the seconds of a flush
    broker = Broker()
    relay = KafkaRelay(ledger.outbox, broker.connect)
    later = record(writer, 5)
    work(ledger, relay)
    assert {event.event_id for event in broker.got[0]} == later
    assert inspections(lake) == 3
    assert earlier(ledger, lake, tmp_path).look()
    assert inspections(lake) == 10
    assert verify(lake).whole
    files = len(lake.files)
    assert earlier(ledger, lake, tmp_path).look()
    assert len(lake.files) == files


def test_a_lake_that_is_older_than_the_ledger_is_filled_after_both_were_restored(
    ledger: Ledger, tmp_path: Path
) -> None:
    lake, writer = MemoryFolder(), Writer(ledger._engine, 0.0)
    record(writer, 5)
    carried(ledger, lake, tmp_path)
    copy = dict(lake.files)
    record(writer, 7)
    carried(ledger, lake, tmp_path)
    lake.files = copy
    ledger.renew()
    record(writer, 11)
    carried(ledger, lake, tmp_path)
    assert inspections(lake) == 16
    assert earlier(ledger, lake, tmp_path, embedded_line(ledger.id)).look()
    assert inspections(lake) == 23
    assert verify(lake).whole


def test_a_lake_that_is_ahead_of_a_restored_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    lake, writer = MemoryFolder(), Writer(ledger._engine, 0.0)
    record(writer, 5)
    carried(ledger, lake, tmp_path)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(tmp_path / "backup.sqlite")) as target:
        source.backup(target)
    record(writer, 7)
    carried(ledger, lake, tmp_path)
    ledger.close()
    restored = Ledger.open(f"sqlite:///{tmp_path / 'backup.sqlite'}")
    restored.renew()
    files = dict(lake.files)
    assert earlier(restored, lake, tmp_path, embedded_line(restored.id)).look()
    assert lake.files == files
    restored.close()


def test_an_earlier_line_whose_lake_is_away_is_tried_again(ledger: Ledger, tmp_path: Path) -> None:
    class Away(MemoryFolder):
        def names(self) -> list[Name]:
            raise OSError("away")

    record(Writer(ledger._engine, 0.0), 3)
    carried(ledger, MemoryFolder(), tmp_path, stored=False)
    assert not earlier(ledger, Away(), tmp_path).look()
    lake = MemoryFolder()
    assert earlier(ledger, lake, tmp_path).look()
    assert inspections(lake) == 3


def test_the_embedded_line_takes_what_a_topic_never_acknowledged(ledger: Ledger, tmp_path: Path) -> None:
    lake, broker, writer = MemoryFolder(), Broker(3), Writer(ledger._engine, 0.0)
    relay = KafkaRelay(ledger.outbox, broker.connect)
    record(writer, 2)
    carried(ledger, lake, tmp_path)
    record(writer, 2)
    work(ledger, relay)
    assert len(broker.got[0]) == 2
    broker.away = True
    left = [Writer(ledger._engine, 0.0) for _ in range(9)]
    for other in left:
        record(other, 2)
    work(ledger, relay)
    for other in left:
        other.leave()
    carried(ledger, lake, tmp_path)
    assert inspections(lake) == 2 + 18
    verdict = verify(lake)
    assert {count.partition for count in verdict.journals} == {0}
    assert verdict.total("outstanding") == 0
    assert ledger.outbox.backlog().events == 0
