"""What the way from the ledger to the lake carries: ``python -m bench.stream consume|relay|latency|verify|size``.

A real broker of its own on this machine, which shares its cores. Prints one JSON object: the figures of one run.

- consume: events a second from Kafka into Parquet by two ``casting consume``, beside Kafka's own consumer-perf
- relay: events a second from a ledger (SQLite) to Kafka
- latency: milliseconds from the commit until the event is read from the topic, at 50 events a second
- verify: seconds for a lake of ten million events
- size: bytes an event on the topic (JSON) and in the lake, in files of 500 and of 50,000
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from inspection.events import Event, now, to_json, uuid7
from inspection.outbox import Carried
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.files import Footer, Name, to_parquet, to_table
from streaming.folder import LocalFolder
from streaming.kafka import Kafka
from streaming.kafka_relay import KafkaRelay
from streaming.marks import JournalMarks, Marks
from streaming.sending import KafkaSender, headers
from streaming.topic import ensure_topic
from streaming.verify import verify
from tests.services.broker import Broker
from tests.services.daemon import jars

EVENTS = int(os.environ.get("EVENTS", "300000"))
PARTITIONS = 2
JOURNALS = 4


def inspection(journal: str = "", number: int = 0) -> Event:
    """As large as a real one: about 800 bytes of JSON."""
    return Event(
        kind="inspection",
        event_id=uuid7(),
        occurred_at=now(),
        journal=journal,
        number=number,
        request_id=uuid7(),
        origin="api",
        filename=f"part-{number}.png",
        image_sha256="94cdcd38b0f21c029aaa6d51b2fa8141ac72e33600912e721916428871f7f626",
        image_width=300,
        image_height=300,
        model_version="2026.11",
        prediction="ok_front",
        verdict="ok",
        reasons=(),
        p_defect=0.0123,
        latency_ms=51.441,
        audit_probability=0.02,
        brightness=158.408,
        sharpness=58.142,
        part_id=f"P{number}",
        lot="L7",
        line="A",
        camera="c1",
        shift="day",
    )


def consume(folder: Path) -> dict[str, float]:
    with _broker(folder) as broker:
        kafka = broker.kafka(partitions=PARTITIONS)
        asyncio.run(_produce(kafka))
        perf = _consumer_perf(kafka)
        lake = folder / "lake"
        settings = {"CASTING_KAFKA": broker.address, "CASTING_LAKE": str(lake), "CASTING_DATA_DIR": str(folder)}
        settings["CASTING_FLUSH_SECONDS"] = "1"  # the last rows wait no longer
        log = folder / "consume.log"
        with log.open("wb") as out:
            command = [str(Path(sys.executable).with_name("casting")), "consume"]
            consumers = [
                subprocess.Popen(command, env={**os.environ, **settings}, stdout=out, stderr=out)
                for _ in range(PARTITIONS)
            ]
        begin = 0.0
        while _rows(lake) < EVENTS:
            time.sleep(0.05)
            if not begin and b"partition_taken" in log.read_bytes():
                begin = time.perf_counter()
        end = time.perf_counter()
        for consumer in consumers:
            consumer.terminate()
        for consumer in consumers:
            consumer.wait()
    return {"consumed_per_s": round(EVENTS / (end - begin)), "consumer_perf_per_s": round(perf)}


def relay(folder: Path) -> dict[str, float]:
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    count = EVENTS // 6
    receipts = [recorder.submit(_entry(50)) for _ in range(count // 50)]
    for receipt in receipts:
        receipt.result()
    with _broker(folder) as broker, _relaying(ledger, broker.kafka(partitions=PARTITIONS)) as connected:
        connected()
        begin = time.perf_counter()
        left = ledger.outbox.backlog().events
        while (waiting := ledger.outbox.backlog().events) > 10:  # a statement may come at any time
            time.sleep(0.2)
        seconds = time.perf_counter() - begin
    recorder.close()
    ledger.close()
    return {"relayed_per_s": round((left - waiting) / seconds)}


def latency(folder: Path) -> dict[str, float]:
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    count, rate = EVENTS // 200, 50.0
    with _broker(folder) as broker, _relaying(ledger, kafka := broker.kafka(partitions=PARTITIONS)) as ready:
        ready()
        seen: dict[str, float] = {}
        stop = threading.Event()
        reading = threading.Thread(target=lambda: asyncio.run(_read(kafka, seen, stop)))
        reading.start()
        time.sleep(2)
        committed = {}
        for _ in range(count):
            receipt = recorder.submit(_entry(1))
            (event,) = receipt.result().events
            committed[event.event_id] = time.perf_counter()
            time.sleep(1 / rate)
        time.sleep(1)
        stop.set()
        reading.join()
    recorder.close()
    ledger.close()
    waits = np.array([seen[name] - at for name, at in committed.items()]) * 1000
    return {f"p{p}_ms": round(float(np.percentile(waits, p)), 1) for p in (50, 99)} | {"events": len(waits)}


def verifying(folder: Path) -> dict[str, float]:
    lake = LocalFolder(folder / "lake")
    per_file, files = 50_000, 200
    journals = [uuid7() for _ in range(JOURNALS)]
    blank = Footer("cluster:topic", 0, 0, Marks(), (), 0, "x")
    rows = to_table([inspection(journals[i % JOURNALS], 1) for i in range(per_file)], blank)
    day = datetime.now(UTC).date()
    for place in range(files):
        start = place * per_file
        numbers = pa.array((start + np.arange(per_file)) // JOURNALS + 1)
        marks = Marks({j: JournalMarks((start + per_file) // JOURNALS, touched=day) for j in journals})
        footer = replace(blank, start=start, resume=start + per_file, marks=marks)
        table = rows.set_column(rows.schema.get_field_index("number"), "number", numbers)
        sink = pa.BufferOutputStream()
        named = table.replace_schema_metadata(footer.to_metadata())
        pq.write_table(named, sink, compression="zstd", write_page_checksum=True)
        lake.publish(lake.put(bytes(sink.getvalue())), Name(day, "prediction_results", 0, start))
    begin = time.perf_counter()
    verdict = verify(lake)
    seconds = time.perf_counter() - begin
    assert verdict.total("stored") == per_file * files
    assert verdict.whole
    return {"events": per_file * files, "files": files, "verify_s": round(seconds, 1)}


def _entry(count: int) -> Entry:
    return Entry(tuple(Draft(inspection()) for _ in range(count)), lambda _: b"")


def _rows(lake: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in lake.glob("date=*/*.parquet"))


@contextmanager
def _broker(folder: Path) -> Iterator[Broker]:
    broker = Broker(folder / "kafka")
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@contextmanager
def _relaying(ledger: Ledger, kafka: Kafka) -> Iterator[Any]:
    connected = threading.Event()

    def connect() -> KafkaSender:
        sender = KafkaSender(kafka)
        connected.set()
        return sender

    working = KafkaRelay(ledger.outbox, connect)
    thread = threading.Thread(target=working.run)
    thread.start()
    try:
        yield connected.wait
    finally:
        working.stop()
        thread.join()


async def _produce(kafka: Kafka) -> None:
    await ensure_topic(kafka)
    producer = AIOKafkaProducer(**kafka.client(), acks="all", compression_type="gzip", max_batch_size=1 << 18)
    async with producer:
        for number in range(1, EVENTS // JOURNALS + 1):
            for place in range(JOURNALS):
                event = inspection(f"{place:032x}", number)
                carried = Carried(
                    0, datetime.now(UTC), event.journal, number, 0, event.event_id, event.kind, to_json(event)
                )
                await producer.send(
                    kafka.topic, carried.payload, partition=place % PARTITIONS, headers=headers(carried)
                )


async def _read(kafka: Kafka, seen: dict[str, float], stop: threading.Event) -> None:
    consumer = AIOKafkaConsumer(kafka.topic, **kafka.client(), group_id=None)
    async with consumer:
        while not stop.is_set():
            for records in (await consumer.getmany(timeout_ms=200)).values():
                at = time.perf_counter()
                for record in records:
                    seen.setdefault(dict(record.headers)["ce_id"].decode(), at)


def _consumer_perf(kafka: Kafka) -> float:
    """Kafka's own: it reads and throws away, in Java; events a second while it fetches."""
    path = f"{jars('org.apache.kafka', 'kafka-tools', '4.3.1')}:{jars('org.apache.kafka', 'kafka_2.13', '4.3.1')}"
    tool = ["java", "-cp", path, "org.apache.kafka.tools.ConsumerPerformance"]
    there = ["--bootstrap-server", kafka.servers, "--topic", kafka.topic, "--messages", str(EVENTS), "--hide-header"]
    done = subprocess.run([*tool, *there], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return float(done.stdout.strip().splitlines()[-1].split(",")[-1])


def size(_: Path) -> dict[str, float]:
    """With figures and hashes that differ, as real ones do: equal ones would pack to nothing."""
    random, journal = Random(1), uuid7()
    events = [
        replace(
            inspection(journal, number),
            image_sha256=random.randbytes(32).hex(),
            p_defect=random.random(),
            latency_ms=round(random.gauss(50, 9), 3),
            brightness=round(random.gauss(158, 5), 3),
            sharpness=round(random.gauss(58, 5), 3),
        )
        for number in range(50_000)
    ]
    told = {"json_bytes": sum(len(to_json(event)) for event in events) / len(events)}
    for rows in (500, 50_000):
        file = to_parquet(events[:rows], Footer("topic", 0, rows, Marks(), (), rows, ""))
        told[f"parquet_bytes_in_files_of_{rows}"] = len(file) / rows
    return {name: round(value) for name, value in told.items()}


if __name__ == "__main__":
    parts = {"consume": consume, "relay": relay, "latency": latency, "verify": verifying, "size": size}
    with tempfile.TemporaryDirectory(prefix="stream-") as made:
        print(json.dumps({"cores": os.cpu_count(), **parts[sys.argv[1]](Path(made))}))
