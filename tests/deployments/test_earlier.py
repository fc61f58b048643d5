"""A service that was embedded and is given Kafka fills the lake that its embedded line left unfilled. No Ray here."""

import time
from pathlib import Path

from deployments.line import Line
from deployments.settings import Settings
from inspection.events import Event, now, uuid7
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.folder import LocalFolder
from streaming.relay import embedded_line


def test_kafka_after_an_embedded_line(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    ledger = Ledger.open(settings.ledger_url)
    recorder = ledger.recorder(0.1)
    draft = Draft(Event(kind="inspection", event_id=uuid7(), occurred_at=now(), verdict="ok"))
    recorder.submit(Entry((draft,), lambda _: b"")).result(30)
    recorder.close()
    with ledger.outbox.turn() as turn:  # then everything was killed, before a file was written
        assert turn is not None
        assert turn.position(embedded_line(ledger.id), 10, sent=True) == 1
    line = Line(ledger, Settings(data_dir=tmp_path, kafka="127.0.0.1:1"))
    line.start()
    end = time.monotonic() + 30
    while not list(LocalFolder(tmp_path / "lake").names()) and time.monotonic() < end:
        time.sleep(0.05)
    line.check()
    line.stop()
    ledger.close()
    (name,) = LocalFolder(tmp_path / "lake").names()
    assert (name.topic, name.start) == (f"ledger-{ledger.id}", 0)
