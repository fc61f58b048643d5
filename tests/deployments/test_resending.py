"""``casting relay --resend`` to a topic with fewer partitions than the one that carried the journal had."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from deployments.relay import _again
from inspection.events import Event, now, uuid7
from inspection.outbox import Carried
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.kafka import Kafka, Topic
from streaming.kafka_relay import Sent
from streaming.settings import Settings


def test_every_journal_finds_a_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[Carried] = []

    class Sender:
        topic = Topic("cluster:made-anew", 1)

        def __init__(self, _kafka: Kafka) -> None:
            """Connected at once."""

        def send(self, events: Sequence[Carried]) -> "Future[Sent]":
            got.extend(events)
            sent: Future[Sent] = Future()
            sent.set_result(Sent(tuple(event.position for event in events), None))
            return sent

        def close(self) -> None:
            """Nothing is held."""

    monkeypatch.setattr("streaming.sending.KafkaSender", Sender)
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite")
    recorders = []
    with ledger.outbox.turn() as turn:
        assert turn is not None
        turn.work_on("cluster:lost", 9)
        for _ in range(9):
            recorders.append(ledger.recorder(0.1))
            draft = Draft(Event(kind="inspection", event_id=uuid7(), occurred_at=now(), verdict="ok"))
            recorders[-1].submit(Entry((draft,), lambda _: b"")).result(30)
        turn.position("cluster:lost", 100, sent=True)
    journals = [(carried.journal, 1, 1) for carried in ledger.outbox.from_position(0, 100)]
    kafka = Settings(kafka="unused").broker
    assert kafka is not None
    assert _again(ledger, kafka, journals) == 0
    assert len(got) == 9
    assert {carried.partition for carried in got} == {0}
    for recorder in recorders:
        recorder.close()
    ledger.close()
