"""Events to Kafka, as the relay sees it: connect, send a batch, hear exactly what was acknowledged.

The producer is idempotent with ``acks=all``, so what one batch holds of a journal arrives in its order, or a later
part of it not at all. After any failure the sender is thrown away by the relay.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from inspection.outbox import Carried
from streaming.kafka import TIMEOUT, Away, Kafka, Topic
from streaming.kafka_relay import Sent
from streaming.topic import ensure_topic

CONNECT = 20.0  # seconds


class KafkaSender:
    """One idempotent producer, in an event loop and thread of its own."""

    def __init__(self, kafka: Kafka) -> None:
        """Connect, and create the topic where it is missing. Raises Away, UnfitTopic."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka-sender", daemon=True)
        self._thread.start()
        self._kafka = kafka
        self._producer: Any = None  # until the topic is known
        try:
            self._topic: Topic = self._wait(self._connect(), CONNECT)
        except BaseException:
            self.close()
            raise

    @property
    def topic(self) -> Topic:
        return self._topic

    def send(self, events: Sequence[Carried]) -> "Future[Sent]":
        return asyncio.run_coroutine_threadsafe(self._send(events), self._loop)

    def close(self) -> None:
        """Let go of the producer; what is in flight may still arrive, which is fine."""
        try:
            self._wait(self._stop(), TIMEOUT)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _connect(self) -> Topic:
        topic = await ensure_topic(self._kafka)
        self._producer = AIOKafkaProducer(
            **self._kafka.client(),
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",  # the one that Python has built in; others need a package on either side
            max_batch_size=1 << 18,
            max_request_size=1 << 20,
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            raise Away(str(error)) from error
        return topic

    async def _send(self, events: Sequence[Carried]) -> Sent:
        """At the first event that could not even be queued sending ends: nothing goes on behind it."""
        queued: list[tuple[int, asyncio.Future[Any]]] = []
        error: str | None = None
        for event in events:
            try:
                future = await self._producer.send(
                    self._kafka.topic,
                    value=event.payload,
                    key=event.journal.encode(),
                    partition=event.partition,
                    headers=headers(event),
                )
            except (KafkaError, ValueError, AssertionError) as failed:
                error = f"{type(failed).__name__}: {failed}"
                break
            queued.append((event.position, future))
        outcomes = await asyncio.gather(*(future for _, future in queued), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        acknowledged = [
            position
            for (position, _), outcome in zip(queued, outcomes, strict=True)
            if not isinstance(outcome, BaseException)
        ]
        return Sent(tuple(acknowledged), repr(failures[0]) if failures else error)

    async def _stop(self) -> None:
        """A producer whose broker is away never ends by itself: its sender waits for acknowledgements."""
        if self._producer is not None:
            try:
                await asyncio.wait_for(self._producer.stop(), 2)
            except (TimeoutError, KafkaError):
                await self._producer.client.close()
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def _wait(self, work: Any, seconds: float) -> Any:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError as error:
            future.cancel()
            raise Away(f"Kafka at {self._kafka.servers} does not answer.") from error


def headers(event: Carried) -> list[tuple[str, bytes]]:
    """Journal and number, which the consumer trusts where the value can't be read, and CloudEvents (binary mode)."""
    named = {
        "journal": event.journal,
        "number": str(event.number),
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_type": f"casting.{event.kind}",
        "ce_source": f"/journals/{event.journal}",
        "ce_time": event.positioned_at.isoformat(),
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in named.items()]
