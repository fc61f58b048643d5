"""A lake that is ahead of its ledger stops the consumer with a word, and nothing else. No Ray here."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deployments.line import Line
from deployments.settings import Settings
from inspection.events import Event, now, uuid7
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.folder import LocalFolder
from tests.services.daemon import wait


def _record(ledger: Ledger, times: int) -> None:
    recorder = ledger.recorder(0.1)
    for _ in range(times):
        draft = Draft(Event(kind="inspection", event_id=uuid7(), occurred_at=now(), verdict="ok"))
        recorder.submit(Entry((draft,), lambda _: b"")).result(30)
    recorder.close()


def test_a_ledger_put_back_without_a_word(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, flush_seconds=0.2)
    ledger = Ledger.open(settings.ledger_url)
    _record(ledger, 1)
    ledger.close()
    backup = tmp_path / "backup.sqlite"
    shutil.copy(tmp_path / "ledger.sqlite", backup)
    ledger = Ledger.open(settings.ledger_url)
    line = Line(ledger, settings)
    line.start()
    _record(ledger, 3)
    wait(lambda: len(list(LocalFolder(tmp_path / "lake").names())) > 0, "a file of the lake", 30)
    line.stop()
    ledger.close()
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    shutil.copy(backup, tmp_path / "ledger.sqlite")
    ledger = Ledger.open(settings.ledger_url)
    with capture_logs() as said:
        line = Line(ledger, settings)
        line.start()
        wait(lambda: any(one["event"] == "worker_ended" for one in said), "the consumer's end", 30)
        line.check()
        line.check()
    assert [one["event"] for one in said].count("lake_and_ledger_disagree") == 1
    assert "is gone" in next(one["reason"] for one in said if one["event"] == "lake_and_ledger_disagree")
    _record(ledger, 2)  # inspecting goes on, and what waits is counted
    wait(lambda: ledger.outbox.backlog().events >= 2, "what waits for the lake", 30)
    line.stop()
    ledger.close()


def test_a_worker_that_ends_otherwise_is_started_again_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: object) -> None:
        raise ValueError("over its own feet")

    monkeypatch.setattr("streaming.relay.EmbeddedRelay.run", stumble)
    settings = Settings(data_dir=tmp_path)
    ledger = Ledger.open(settings.ledger_url)
    line = Line(ledger, settings)
    line.start()
    line._threads["relay"].join(10)
    with pytest.raises(RuntimeError, match="relay has ended: over its own feet"):
        line.check()
    line.stop()
    ledger.close()
