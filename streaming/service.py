"""``casting consume``: the topic's partitions that this process owns, from Kafka into the lake.

One :class:`PartitionConsumer` for each; several processes share the partitions as a consumer group. The group's
offsets are for display only: where to go on is read from the lake. Whatever fails for a partition (a name that is
taken, a store that is away) drops what is in memory, pauses the partition, and begins anew from the lake.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from inspection.events import Event
from streaming.consumer import PartitionConsumer, Stored
from streaming.folder import Folder
from streaming.kafka import Kafka
from streaming.letters import Burial
from streaming.record import Fenced, Loss, Record, Stream
from streaming.topic import ensure_topic
from streaming.watch import Watch

POLL = 0.2  # seconds between looks at the age of what waits
BATCH = 4_000  # records parsed at a time
RETRY = (0.5, 15.0)  # seconds, the first and the longest, between tries at a store that is away
LEAVE = 20.0  # seconds for what must be flushed before a partition is handed over

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a file is written: whichever comes first."""

    seconds: float = 5.0
    records: int = 50_000
    size: int = 32 << 20


@dataclass(slots=True)
class _Owned:
    """A partition of ours. ``taking`` is None until the lake was read, and again after a failure."""

    stream: Stream
    taking: PartitionConsumer | None = None
    confirmed: bool = False
    oldest: float | None = None
    retry_at: float = 0.0
    retry: float = RETRY[0]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ConsumerService(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs in one event loop; what blocks (parsing, the store) runs in threads, one at a time for each partition."""

    def __init__(
        self,
        kafka: Kafka,
        folder: Callable[[], Folder],
        limits: Limits,
        watch: Watch,
        taken: Callable[[Event], None] | None = None,
    ) -> None:
        """``folder`` opens the lake anew for each partition, so that partitions share no connection."""
        self._kafka = kafka
        self._folder = folder
        self._limits = limits
        self._watch = watch
        self._taken = taken
        self._owned: dict[TopicPartition, _Owned] = {}
        self._line = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop``, flush, leave. Kafka and the store may go away and come back.

        Raises:
            Loss: the topic no longer holds what the lake continues from.
            UnfitTopic: the topic would lose events.
        """
        wait = RETRY[0]
        while not stop.is_set():
            try:
                self._line = (await ensure_topic(self._kafka)).line
                wait = RETRY[0]
                await self._consume(stop)
            except (KafkaError, OSError) as error:
                if isinstance(error, OffsetOutOfRangeError):
                    raise Loss(f"{self._kafka.topic}: the records that the lake continues from are gone") from error
                _log.warning("consumer_waits", reason=str(error) or type(error).__name__, retry_seconds=wait)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait)
                wait = min(wait * 2, RETRY[1])

    async def _consume(self, stop: asyncio.Event) -> None:
        self._consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            group_id=self._kafka.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 << 20,
            session_timeout_ms=10_000,
            rebalance_timeout_ms=60_000,
        )
        self._burial = Burial(self._kafka)
        self._consumer.subscribe([self._kafka.topic], listener=self)
        try:
            await self._consumer.start()
            while not stop.is_set():
                await self._turn()
            await self._leave(list(self._owned))
        finally:
            self._owned.clear()
            await self._consumer.stop()
            await self._burial.close()

    async def _turn(self) -> None:
        await self._each(self._take_over, [tp for tp, owned in self._owned.items() if owned.taking is None])
        batches = await self._consumer.getmany(timeout_ms=int(POLL * 1000), max_records=BATCH)
        self._watch.polled()
        await self._each(lambda tp: self._take(tp, batches.get(tp, [])), list(self._owned))

    async def _each(self, work: Callable[[TopicPartition], object], partitions: Iterable[TopicPartition]) -> None:
        await asyncio.gather(*(self._guarded(work, tp) for tp in partitions))

    async def _guarded(self, work: Callable[[TopicPartition], object], tp: TopicPartition) -> None:
        """Do ``work`` for a partition that is still ours; a failure costs that partition its memory, not the rest."""
        owned = self._owned.get(tp)
        if owned is None:
            return
        async with owned.lock:
            try:
                await work(tp)  # type: ignore[misc]  # a coroutine
            except (Fenced, OSError) as error:
                self._set_back(tp, owned, error)

    def _set_back(self, tp: TopicPartition, owned: _Owned, error: Exception) -> None:
        word = "consumer_fenced" if isinstance(error, Fenced) else "store_waits"
        _log.warning(word, partition=tp.partition, reason=str(error), retry_seconds=owned.retry)
        owned.taking, owned.oldest = None, None
        owned.retry_at = time.monotonic() + owned.retry
        owned.retry = min(owned.retry * 2, RETRY[1])
        self._watch.set_back()
        if tp in self._consumer.assignment():
            self._consumer.pause(tp)

    async def _take_over(self, tp: TopicPartition) -> None:
        owned = self._owned[tp]
        if time.monotonic() < owned.retry_at:
            return
        taking = await asyncio.to_thread(
            PartitionConsumer, owned.stream, self._folder(), self._burial.bury, self._taken
        )
        if self._owned.get(tp) is not owned or tp not in self._consumer.assignment():
            return  # handed over meanwhile
        last = taking.continues_at()
        owned.taking, owned.confirmed = taking, last is None
        self._consumer.seek(tp, taking.resume if last is None else last)
        self._consumer.resume(tp)
        _log.info("partition_taken", partition=tp.partition, offset=taking.resume)

    async def _take(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        owned = self._owned[tp]
        if owned.taking is None:
            return
        stored = await asyncio.to_thread(self._work, owned, owned.taking, records)
        for file in stored:
            owned.retry = RETRY[0]
            self._watch.stored(file)
            _log.info(
                "stored",
                file=file.name.path,
                rows=file.rows,
                repeats=file.repeats,
                dead=file.dead,
                next=file.resume,
            )
        if tp in self._consumer.assignment():
            end = self._consumer.highwater(tp)
            age = 0.0 if owned.oldest is None else time.monotonic() - owned.oldest
            self._watch.behind(tp.partition, max(0, (end or 0) - owned.taking.resume), age)
            if stored:
                await self._show(tp, stored[-1].resume)

    def _work(self, owned: _Owned, taking: PartitionConsumer, records: Sequence[ConsumerRecord]) -> list[Stored]:
        """In a thread: parse, and write what is due."""
        stored = []
        for raw in records:
            record = _record(raw)
            if not owned.confirmed:
                taking.confirm(record)
                owned.confirmed = True
            stored.append(taking.add(record))
            if taking.pending >= self._limits.records or taking.pending_bytes >= self._limits.size:
                stored.append(taking.flush())
                owned.oldest = None
        if taking.pending and owned.oldest is None:
            owned.oldest = time.monotonic()
        if owned.oldest is not None and time.monotonic() - owned.oldest >= self._limits.seconds:
            stored.append(taking.flush())
            owned.oldest = None
        return [file for file in stored if file is not None]

    async def _show(self, tp: TopicPartition, offset: int) -> None:
        """The group's offset, so that Kafka's own tools show the lag; nothing depends on it."""
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._consumer.commit({tp: offset}), 5)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._leave(list(revoked)), LEAVE)
        for tp in revoked:
            self._owned.pop(tp, None)
            self._watch.handed_over(tp.partition)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing is fetched before the lake said from where. No await here: the fetcher must not come first."""
        for tp in assigned:
            self._consumer.seek(tp, 0)
            self._consumer.pause(tp)
            self._owned[tp] = _Owned(Stream(self._line, tp.topic, tp.partition))

    async def _leave(self, partitions: Sequence[TopicPartition]) -> None:
        """Flush what waits; what can't be flushed now is read again by the next owner."""

        async def flush(tp: TopicPartition) -> None:
            taking = self._owned[tp].taking
            stored = await asyncio.to_thread(taking.flush) if taking is not None else None
            if stored is not None:
                self._watch.stored(stored)
                _log.info("stored", file=stored.name.path, rows=stored.rows, next=stored.resume)
                await self._show(tp, stored.resume)
            self._owned[tp].taking = None

        await self._each(flush, partitions)


def _record(raw: ConsumerRecord) -> Record:
    """Headers that are no journal and number count as absent: then the value alone speaks."""
    headers = dict(raw.headers)
    journal, number = headers.get("journal"), headers.get("number")
    named: tuple[str | None, int | None] = (None, None)
    if journal is not None and number is not None:
        with contextlib.suppress(ValueError):
            named = (journal.decode(), int(number))
    appended = datetime.fromtimestamp(raw.timestamp / 1000, UTC)
    return Record(raw.offset, appended, *named, raw.value or b"")
