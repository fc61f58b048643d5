"""A real topic is deleted with what it holds: made anew, with fewer partitions, it gets all that waits."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from aiokafka.admin import AIOKafkaAdminClient

from ledger import Ledger
from streaming.folder import LocalFolder
from tests.services.broker import Broker
from tests.services.line import consuming, entry, relaying, until_stored


def test_what_waits_leaves_by_the_new_topic(broker: Broker, tmp_path: Path) -> None:
    kafka = broker.kafka("made-anew", 3)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    first = LocalFolder(tmp_path / "first")
    with relaying(ledger, kafka), consuming(kafka, lambda: first):
        recorder = ledger.recorder(0.1)
        recorder.submit(entry(12)).result()
        recorder.close()
        assert until_stored(first, 12).whole
    waiting = [ledger.recorder(0.1) for _ in range(6)]  # each chooses among three partitions
    for recorder in waiting:
        recorder.submit(entry(2)).result()
    with ledger.outbox.turn() as turn:  # the relay of the old topic got as far as this
        assert turn is not None
        assert turn.position(ledger.outbox.lines()[0], 100) >= 12

    async def lose() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        await admin.delete_topics([kafka.topic])
        await admin.close()

    asyncio.run(lose())
    anew = replace(kafka, partitions=1, group="made-anew-again")
    second = LocalFolder(tmp_path / "second")
    with relaying(ledger, anew), consuming(anew, lambda: second):
        for recorder in waiting:
            recorder.submit(entry(1)).result()
        verdict = until_stored(second, 18)
    for recorder in waiting:
        recorder.close()
    assert ledger.outbox.backlog().events == 0
    ledger.close()
    assert verdict.whole, verdict
    kept = Counter(
        kind for name in second.names() for kind in pq.read_table(second.root / name.path)["kind"].to_pylist()
    )
    assert kept["inspection"] == 12 + 6  # what waited, and what came after it
