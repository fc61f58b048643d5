"""``casting consume``: the topic's partitions that this process owns, from Kafka into the lake.

One :class:`PartitionConsumer` for each; several processes share the partitions as a consumer group. The group's
offsets are for display only: where to go on is read from the lake. Whatever fails for a partition (a name that is
taken, a store that is away) drops what is in memory, pauses the partition, and begins anew from the lake.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from inspection.events import Event
from streaming.consumer import PartitionConsumer, Stored
from streaming.folder import Folder
from streaming.kafka import Kafka
from streaming.letters import Burial
from streaming.owned import RETRY, Limits, Owned
from streaming.record import Fenced, Loss, Stream
from streaming.topic import ensure_topic
from streaming.watch import Watch

POLL = 0.2  # seconds between looks at the age of what waits
BATCH = 4_000  # records parsed at a time
LEAVE = 20.0  # seconds for what must be flushed before a partition is handed over
LOOK = 2.0  # seconds between looks at how far the topic is ahead

_log = structlog.get_logger(__name__)
_Work = Callable[[TopicPartition, Owned], Awaitable[None]]


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
        self._owned: dict[TopicPartition, Owned] = {}
        self._locks: dict[Owned, asyncio.Lock] = {}
        self._line = ""
        self._looked = 0.0

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
                reason = str(error) or type(error).__name__
                _log.warning("consumer_waits", reason=reason, retry_seconds=wait)
                self._watch.waits("kafka", reason)
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
            self._hand_over(list(self._owned))
            await self._consumer.stop()
            await self._burial.close()

    async def _turn(self) -> None:
        await self._each(self._take_over, [tp for tp, owned in self._owned.items() if owned.due])
        batches = await self._consumer.getmany(timeout_ms=int(POLL * 1000), max_records=BATCH)
        self._watch.polled()
        await self._each(lambda tp, owned: self._take(tp, owned, batches.get(tp, [])), list(self._owned))
        await self._look()

    async def _each(self, work: _Work, partitions: Iterable[TopicPartition]) -> None:
        await asyncio.gather(*(self._guarded(work, tp) for tp in partitions))

    async def _guarded(self, work: _Work, tp: TopicPartition) -> None:
        """Do ``work`` for a partition that is still ours; a failure costs that partition its memory, not the rest."""
        owned = self._owned.get(tp)
        if owned is None:
            return
        async with self._locks[owned]:
            if self._owned.get(tp) is not owned:
                return  # handed over while this waited
            try:
                await work(tp, owned)
            except (Fenced, OSError) as error:
                self._set_back(tp, owned, error)

    def _set_back(self, tp: TopicPartition, owned: Owned, error: Exception) -> None:
        word = "consumer_fenced" if isinstance(error, Fenced) else "store_waits"
        _log.warning(word, partition=tp.partition, reason=str(error), retry_seconds=owned.retry)
        self._watch.set_back(tp.partition, None if isinstance(error, Fenced) else str(error))
        owned.set_back()
        if tp in self._consumer.assignment():
            self._consumer.pause(tp)

    async def _take_over(self, tp: TopicPartition, owned: Owned) -> None:
        offset = await asyncio.to_thread(owned.take_over)
        first = (await self._consumer.beginning_offsets([tp]))[tp]
        if first == owned.stored_up_to:
            owned.nothing_to_compare()
            offset = first
        if self._owned.get(tp) is not owned or tp not in self._consumer.assignment():
            owned.leave()
            return  # handed over meanwhile
        self._consumer.seek(tp, offset)
        self._consumer.resume(tp)
        _log.info("partition_taken", partition=tp.partition, offset=owned.stored_up_to)

    async def _take(self, tp: TopicPartition, owned: Owned, records: Sequence[ConsumerRecord]) -> None:
        stored = await asyncio.to_thread(owned.work, records)
        await self._tell(tp, stored)

    async def _tell(self, tp: TopicPartition, stored: Sequence[Stored]) -> None:
        """What an operator sees; the group's offset too, for Kafka's own tools: nothing depends on it."""
        for file in stored:
            self._watch.stored(tp.partition, file)
            counts = {"rows": file.rows, "repeats": file.repeats, "dead": file.dead, "next": file.resume}
            _log.info("stored", file=file.name.path, **counts)
        if stored and tp in self._consumer.assignment():
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._consumer.commit({tp: stored[-1].resume}), 5)

    async def _look(self) -> None:
        """How far the topic is ahead of the lake, also of partitions that are paused."""
        if time.monotonic() - self._looked < LOOK or not self._owned:
            return
        self._looked = time.monotonic()
        with contextlib.suppress(KafkaError, TimeoutError):
            ends = await asyncio.wait_for(self._consumer.end_offsets(list(self._owned)), LOOK)
            for tp, owned in list(self._owned.items()):
                stored = owned.stored_up_to
                if stored is None:
                    stored = await asyncio.wait_for(self._consumer.committed(tp), LOOK) or 0
                self._watch.behind(tp.partition, max(0, ends.get(tp, 0) - stored), owned.age)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._leave(list(revoked)), LEAVE)
        self._hand_over(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing is fetched before the lake said from where. No await here: the fetcher must not come first."""
        for tp in assigned:
            self._consumer.seek(tp, 0)
            self._consumer.pause(tp)
            owned = Owned(Stream(self._line, tp.topic, tp.partition), self._limits, self._open)
            self._owned[tp], self._locks[owned] = owned, asyncio.Lock()

    def _open(self, stream: Stream) -> PartitionConsumer:
        return PartitionConsumer(stream, self._folder(), self._burial.bury, self._taken)

    async def _leave(self, partitions: Sequence[TopicPartition]) -> None:
        """Flush what waits; what can't be flushed now is read again by the next owner."""

        async def flush(tp: TopicPartition, owned: Owned) -> None:
            stored = await asyncio.to_thread(owned.flush)
            owned.leave()
            await self._tell(tp, [] if stored is None else [stored])

        await self._each(flush, partitions)

    def _hand_over(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in partitions:
            owned = self._owned.pop(tp, None)
            if owned is not None:
                self._locks.pop(owned)
            self._watch.handed_over(tp.partition)
