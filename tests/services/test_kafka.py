"""What a real broker does to relay and consumer: topics, dead letters, handing over, being killed and frozen."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from inspection.events import to_json
from ledger import Ledger
from streaming.folder import LocalFolder
from streaming.kafka import Kafka, UnfitTopic
from streaming.letters import chosen, kept, replay
from streaming.record import Loss
from streaming.topic import ensure_topic
from streaming.verify import verify
from tests.services.broker import Broker
from tests.services.line import Consuming, consuming, entry, relaying, until_stored
from tests.streaming.making import event


@pytest.fixture
def kafka(broker: Broker, tmp_path: Path) -> Kafka:
    return broker.kafka(tmp_path.name.replace("_", "-"))


@pytest.fixture
def lake(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "lake")


def test_the_topic_is_made_once_and_named_by_its_id(kafka: Kafka) -> None:
    async def both() -> tuple[object, object]:
        return await asyncio.gather(ensure_topic(kafka), ensure_topic(kafka))  # type: ignore[return-value]

    first, second = asyncio.run(both())
    assert first == second


def test_a_topic_that_would_lose_events_is_refused_with_what_is_wrong(kafka: Kafka) -> None:
    async def make() -> None:
        admin = AIOKafkaAdminClient(**kafka.client())
        await admin.start()
        unfit = {"cleanup.policy": "compact", "max.message.bytes": "1000"}
        await admin.create_topics([NewTopic(kafka.topic, 1, 1, topic_configs=unfit)])
        await admin.close()
        await asyncio.sleep(1)
        await ensure_topic(kafka)

    with pytest.raises(
        UnfitTopic, match=r"cleanup.policy is compact, not delete; .*LogAppendTime; max.message.bytes is 1000"
    ):
        asyncio.run(make())


@pytest.mark.parametrize("packing", ["gzip", "lz4", "snappy", "zstd"])
def test_what_a_broker_packs_is_read(kafka: Kafka, lake: LocalFolder, packing: str) -> None:
    async def make() -> None:
        admin = AIOKafkaAdminClient(**kafka.client())
        await admin.start()
        settings = {"compression.type": packing, "message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(kafka.topic, 1, 1, topic_configs=settings)])
        await admin.close()
        await asyncio.sleep(1)
        await _produce(kafka, [(to_json(event("a", number)), "a", number) for number in range(1, 4)])

    asyncio.run(make())
    with consuming(kafka, lambda: lake):
        _until(lambda: verify(lake).total("stored") == 3)


def test_dead_letters_are_kept_listed_and_sent_again(kafka: Kafka, lake: LocalFolder) -> None:
    asyncio.run(_produce(kafka, [(b"{not json", "a", 1), (to_json(event("a", 2)), "a", 2)]))
    with consuming(kafka, lambda: lake):
        _until(lambda: verify(lake).dead_letters == 1)
        (letter,) = asyncio.run(kept(kafka))
        assert (letter.place, letter.number, letter.value) == ((kafka.topic, 0, 0), 1, b"{not json")
        assert chosen([letter], [], datetime.now(UTC)) == [letter]
        asyncio.run(replay(kafka, [letter]))  # still unreadable: dropped, as its number was seen
        asyncio.run(_produce(kafka, [(to_json(event("a", 1)), "a", 1)]))
        _until(lambda: verify(lake).total("stored") == 2)
    assert len(asyncio.run(kept(kafka))) == 1


def test_two_consumers_share_partitions_and_hand_them_over(kafka: Kafka, lake: LocalFolder, tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    with relaying(ledger, kafka):
        for _ in range(3):
            one, two = Consuming(kafka, lambda: lake), Consuming(kafka, lambda: lake)
            for receipt in [recorder.submit(entry(2)) for _ in range(50)]:
                receipt.result()
            one.stop()
            two.stop()
            assert (one.error, two.error) == (None, None)
        with consuming(kafka, lambda: lake):
            verdict = until_stored(lake, 300)
    recorder.close()
    ledger.close()
    assert verdict.whole, verdict
    assert max(count.stored for count in verdict.journals) == 300


def test_a_broker_that_is_killed_or_frozen_costs_nothing_but_time(
    broker: Broker, kafka: Kafka, lake: LocalFolder, tmp_path: Path
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    with relaying(ledger, kafka), consuming(kafka, lambda: lake):
        for fault in ("kill", "freeze"):
            for receipt in [recorder.submit(entry(2)) for _ in range(50)]:
                receipt.result()
            getattr(broker, fault)()
            for receipt in [recorder.submit(entry(2)) for _ in range(50)]:
                receipt.result()  # answers go on
            time.sleep(1)
            broker.thaw() if fault == "freeze" else broker.start()
        verdict = until_stored(lake, 400)
    recorder.close()
    ledger.close()
    assert verdict.whole, verdict
    assert max(count.stored for count in verdict.journals) == 400


def test_a_topic_that_was_made_anew_is_a_loss_and_not_skipped(kafka: Kafka, lake: LocalFolder) -> None:
    asyncio.run(_produce(kafka, [(to_json(event("a", 1)), "a", 1)]))
    with consuming(kafka, lambda: lake):
        _until(lambda: verify(lake).total("stored") == 1)

    async def anew() -> None:
        admin = AIOKafkaAdminClient(**kafka.client())
        await admin.start()
        await admin.delete_topics([kafka.topic])
        await admin.close()
        await asyncio.sleep(1)

    asyncio.run(anew())
    running = Consuming(kafka, lambda: lake)
    running.join()
    assert isinstance(running.error, Loss)


def test_a_topic_that_outlived_all_its_stored_records_is_carried_on(kafka: Kafka, lake: LocalFolder) -> None:
    asyncio.run(_produce(kafka, [(to_json(event("a", 1)), "a", 1), (to_json(event("a", 2)), "a", 2)]))
    with consuming(kafka, lambda: lake):
        _until(lambda: verify(lake).total("stored") == 2)
    asyncio.run(_forget(kafka, 2))  # as retention does when nothing came for long
    with consuming(kafka, lambda: lake):
        asyncio.run(_produce(kafka, [(to_json(event("a", 2)), "a", 2), (to_json(event("a", 3)), "a", 3)]))
        _until(lambda: verify(lake).total("stored") == 3)
    assert verify(lake).whole
    asyncio.run(_produce(kafka, [(to_json(event("a", 4)), "a", 4)]))
    asyncio.run(_forget(kafka, 5))  # one that nobody stored
    running = Consuming(kafka, lambda: lake)
    running.join()
    assert isinstance(running.error, Loss)


async def _forget(kafka: Kafka, before: int) -> None:
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.delete_records({TopicPartition(kafka.topic, 0): RecordsToDelete(before_offset=before)})
    await admin.close()


async def _produce(kafka: Kafka, values: list[tuple[bytes, str, int]]) -> None:
    await ensure_topic(kafka)
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for value, journal, number in values:
            headers = [("journal", journal.encode()), ("number", str(number).encode())]
            await producer.send_and_wait(kafka.topic, value, partition=0, headers=headers)


def _until(done: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)
