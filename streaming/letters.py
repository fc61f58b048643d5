"""Dead letters in Kafka: records that can't be read, kept with the reason, the place and the original bytes."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streaming.consumer import DeadLetter
from streaming.kafka import Away, Kafka
from streaming.marks import FORGET_AFTER
from streaming.topic import ensure_topic

YOUNG = FORGET_AFTER - timedelta(days=10)  # so long the marks surely know whether a letter's number was stored since
MOST = 1_900_000  # bytes of a letter: what is larger is cut, so that it can be kept at all, and its size is named


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter as it lies in its topic: ``place`` is (topic, partition, offset) where it was found, and when."""

    at: int
    reason: str
    place: tuple[str, int, int]
    appended_at: datetime
    journal: str | None
    number: int | None
    value: bytes


class Burial:
    """Sends dead letters, with one producer, from a running event loop; :meth:`bury` is for other threads."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka.dead
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Returns when all are acknowledged. Raises Away (an OSError) when that is not certain."""
        asyncio.run_coroutine_threadsafe(self._send(letters), self._loop).result()

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def _send(self, letters: Sequence[DeadLetter]) -> None:
        with _away():
            producer = await self._started()
            sent = [
                await producer.send(self._kafka.topic, value=letter.record.value[:MOST], headers=_headers(letter))
                for letter in letters
            ]
            await asyncio.gather(*sent)

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:  # partitions flush side by side
            if self._producer is None:
                await ensure_topic(self._kafka)
                producer = AIOKafkaProducer(
                    **self._kafka.client(), acks="all", enable_idempotence=True, max_request_size=2 << 20
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


async def kept(kafka: Kafka) -> list[Kept]:
    """All dead letters, once each: what was found in one place twice (after a crash) is one letter."""
    with _away():
        await ensure_topic(kafka.dead)
        consumer = AIOKafkaConsumer(**kafka.client(), group_id=None, enable_auto_commit=False)
        await consumer.start()
        try:
            partition = TopicPartition(kafka.dead.topic, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            found: dict[tuple[str, int, int], Kept] = {}
            while await consumer.position(partition) < end:
                for record in (await consumer.getmany(timeout_ms=1000)).get(partition, []):
                    letter = _read(record.offset, dict(record.headers), record.value or b"")
                    found.setdefault(letter.place, letter)
            return list(found.values())
        finally:
            await consumer.stop()


def chosen(letters: Sequence[Kept], at: Collection[int], now: datetime) -> list[Kept]:
    """Those that ``at`` names; where it names none, all that are young: an older one may be stored and forgotten."""
    return [letter for letter in letters if (letter.at in at if at else now - letter.appended_at < YOUNG)]


async def replay(kafka: Kafka, letters: Sequence[Kept]) -> None:
    """Send letters to their partition again, for a consumer that now can read them; what it has seen it drops."""
    with _away():
        producer = AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True, max_request_size=2 << 20)
        await producer.start()
        try:
            for letter in letters:
                named = [] if letter.journal is None else [("journal", letter.journal), ("number", str(letter.number))]
                await producer.send_and_wait(
                    kafka.topic,
                    value=letter.value,
                    key=letter.journal.encode() if letter.journal else None,
                    partition=letter.place[1],
                    headers=[(name, value.encode()) for name, value in named],
                )
        finally:
            await producer.stop()


def _headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    named = {
        "reason": letter.reason,
        "topic": letter.stream.topic,
        "partition": str(letter.stream.partition),
        "offset": str(letter.record.offset),
        "appended_at": letter.record.appended_at.isoformat(),
    }
    if len(letter.record.value) > MOST:
        named["cut_from"] = str(len(letter.record.value))
    if letter.record.journal is not None:
        named |= {"journal": letter.record.journal, "number": str(letter.record.number)}
    return [(name, value.encode()) for name, value in named.items()]


def _read(at: int, headers: dict[str, bytes], value: bytes) -> Kept:
    text = {name: content.decode(errors="replace") for name, content in headers.items()}
    place = (text.get("topic", ""), int(text.get("partition", -1)), int(text.get("offset", -1)))
    number = int(text["number"]) if text.get("number", "").isdecimal() else None
    appended = datetime.fromisoformat(text.get("appended_at", "0001-01-01T00:00:00+00:00"))
    return Kept(at, text.get("reason", ""), place, appended, text.get("journal"), number, value)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise Away(f"Kafka: {type(error).__name__} {error}") from error
