"""The topic that carries the events: made when missing, refused when it can't keep them.

Knows the wire of Kafka's administration; knows no events and no lake.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from streaming.kafka import TIMEOUT, Away, Kafka, Topic, UnfitTopic
from streaming.metadata import DescribeTopic

_EXISTS, _UNKNOWN = 36, 3  # Kafka's error codes
_LARGEST = 1 << 20  # bytes of a record; the ledger keeps events far below
_EVENT = 600 * 1024  # bytes of the largest event with its headers: where less is taken, the relay would stand still


async def ensure_topic(kafka: Kafka) -> Topic:
    """Find the topic, or create it; whichever process comes first does.

    Raises:
        UnfitTopic: it would drop or rewrite records, or does not keep the time at which they were appended.
        Away: Kafka could not be reached.
    """
    async with _admin(kafka) as admin:
        found = await _describe(admin, kafka.topic)
        if found is None:
            await _create(admin, kafka)
            found = await _described(admin, kafka.topic)
        await _check(admin, kafka)
        return found


@asynccontextmanager
async def _admin(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**kafka.client())
    try:
        await asyncio.wait_for(admin.start(), TIMEOUT)
        yield admin
    except (KafkaError, TimeoutError) as error:
        raise Away(f"Kafka at {kafka.servers}: {error or type(error).__name__}") from error
    finally:
        await admin.close()


async def _describe(admin: AIOKafkaAdminClient, topic: str) -> Topic | None:
    answer = await admin._send_request(DescribeTopic(topic))
    code, _, id_, _, partitions, *_ = answer.topics[0]
    if code == _UNKNOWN:
        return None
    if code:
        raise for_code(code)(topic)
    return Topic(f"{answer.cluster_id}:{UUID(bytes=id_)}", len(partitions))


async def _described(admin: AIOKafkaAdminClient, topic: str) -> Topic:
    """A topic that was just created is known everywhere a moment later."""
    for _ in range(100):
        found = await _describe(admin, topic)
        if found is not None and found.partitions:
            return found
        await asyncio.sleep(0.1)
    raise Away(f"The topic {topic} was created and is still unknown.")


async def _create(admin: AIOKafkaAdminClient, kafka: Kafka) -> None:
    settings = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, kafka.replication - 1)),
        "retention.ms": "-1" if kafka.topic.endswith(".dead") else str(30 * 24 * 3600 * 1000),
        # A dead letter holds the original bytes and says more of them.
        "max.message.bytes": str(_LARGEST * 2 if kafka.topic.endswith(".dead") else _LARGEST + 4096),
    }
    answer = await admin.create_topics(
        [NewTopic(kafka.topic, kafka.partitions, kafka.replication, topic_configs=settings)]
    )
    for _, code, *words in answer.topic_errors:
        if code not in (0, _EXISTS):
            raise for_code(code)(words[0] if words else kafka.topic)


async def _check(admin: AIOKafkaAdminClient, kafka: Kafka) -> None:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, kafka.topic)])
    entries = answer.resources[0][4]
    settings = {name: value for name, value, *_ in entries}
    wanted = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
    least = {"min.insync.replicas": max(1, kafka.replication - 1), "max.message.bytes": _EVENT}
    wrong = [f"{name} is {settings[name]}, not {value}" for name, value in wanted.items() if settings[name] != value]
    wrong += [
        f"{name} is {settings[name]}, below {value}" for name, value in least.items() if int(settings[name]) < value
    ]
    if wrong:
        raise UnfitTopic(f"The topic {kafka.topic} is unfit: {'; '.join(wrong)}. Mend it with kafka-configs.")
