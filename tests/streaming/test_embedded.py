"""From a real ledger to a real folder, without any service; also when the process is killed in between."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from inspection.events import Event, now, uuid7
from inspection.record import Draft, Entry
from ledger import Ledger
from streaming.embedded import EmbeddedConsumer, embedded_stream
from streaming.folder import LocalFolder
from streaming.record import Loss
from streaming.relay import EmbeddedRelay, Statements
from streaming.verify import verify
from tests.services.daemon import wait


def entry(count: int = 1) -> Entry:
    drafts = (Draft(Event(kind="inspection", event_id=uuid7(), occurred_at=now(), verdict="ok")) for _ in range(count))
    return Entry(tuple(drafts), lambda _: b"")


class Line:
    """Relay and consumer in threads, as the relay deployment runs them."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.relay = EmbeddedRelay(ledger.outbox, Statements(quiet=0.2))
        self.consumer = EmbeddedConsumer(
            ledger.outbox, embedded_stream(ledger.id), LocalFolder(folder), folder.parent / "dead", 0.2
        )
        self.threads = [threading.Thread(target=part.run) for part in (self.relay, self.consumer)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.relay.stop()
        self.threads[0].join()
        self.consumer.stop()
        self.threads[1].join()


def test_everything_recorded_is_in_the_lake_once_over_many_restarts(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    for _ in range(4):
        line = Line(ledger, tmp_path / "lake")
        receipts = [recorder.submit(entry(3)) for _ in range(50)]
        for receipt in receipts:
            receipt.result()
        line.stop()
    recorder.close()
    ledger.close()
    verdict = verify(LocalFolder(tmp_path / "lake"))
    assert verdict.whole
    inspections = [journal for journal in verdict.journals if journal.stored >= 600]
    assert [(journal.stated, journal.stored) for journal in inspections] == [(600, 600)]


_CHILD = """
import sys
from pathlib import Path
from ledger import Ledger
from tests.streaming.test_embedded import Line, entry
folder = Path(sys.argv[1])
ledger = Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}")
line = Line(ledger, folder / "lake")
recorder = ledger.recorder(second_look=0.1)
while True:
    receipt = recorder.submit(entry(2)).result()
    for event in receipt.events:
        print(event.journal, event.number, flush=True)
"""


def test_nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged: set[tuple[str, int]] = set()
    for round_ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(0.3 + 0.17 * round_)
            child.send_signal(signal.SIGKILL)
            for line in [first, *child.stdout]:
                if told := re.fullmatch(r"([0-9a-f]{32}) (\d+)\n", line):  # the child logs to the same pipe
                    acknowledged.add((told[1], int(told[2])))
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    line_ = Line(ledger, tmp_path / "lake")
    time.sleep(1.5)
    line_.stop()
    ledger.close()
    verdict = verify(LocalFolder(tmp_path / "lake"))
    assert verdict.whole
    stored = {journal.journal: journal.stored for journal in verdict.journals}
    for journal, number in acknowledged:
        assert number <= stored[journal]
    assert len(acknowledged) > 100


def test_a_lake_of_another_ledger_stops_the_consumer_with_a_clear_word(tmp_path: Path) -> None:
    first = Ledger.open(f"sqlite:///{tmp_path / 'first.sqlite'}")
    recorder = first.recorder(second_look=0.1)
    recorder.submit(entry()).result()
    line = Line(first, tmp_path / "lake")
    time.sleep(0.6)
    line.stop()
    recorder.close()
    restored = Ledger.open(f"sqlite:///{tmp_path / 'second.sqlite'}")
    stream = embedded_stream(first.id)
    consumer = EmbeddedConsumer(restored.outbox, stream, LocalFolder(tmp_path / "lake"), tmp_path / "dead", 5.0)
    with pytest.raises(Loss, match="is gone"):
        consumer.run()
    restored.close()
    first.close()


def test_a_file_lost_in_the_lake_is_written_again_once_those_behind_it_are_moved_away(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    for _ in range(3):
        recorder.submit(entry(4)).result()
        line = Line(ledger, tmp_path / "lake")
        line.stop()
    recorder.close()
    lost, *behind = sorted((tmp_path / "lake").glob("date=*/*.parquet"), key=lambda file: file.name)[1:]
    lost.unlink()
    assert not verify(LocalFolder(tmp_path / "lake")).whole
    for file in behind:
        file.rename(tmp_path / file.name)
    line = Line(ledger, tmp_path / "lake")
    line.stop()
    ledger.close()
    verdict = verify(LocalFolder(tmp_path / "lake"))
    assert verdict.whole
    assert 12 in [journal.stored for journal in verdict.journals]


def test_what_waits_for_a_lake_that_takes_nothing_is_told(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    (tmp_path / "lake").write_text("where the lake's folder should be lies a file")
    line = Line(ledger, tmp_path / "lake")
    first = recorder.submit(entry(3)).result().events[0]
    wait(lambda: ledger.outbox.next_position() >= 3, "positions", 30)
    waiting = ledger.outbox.backlog()
    assert waiting.events >= 3  # a statement may wait, too
    assert waiting.oldest == datetime.fromisoformat(first.occurred_at)
    (tmp_path / "lake").unlink()
    wait(lambda: ledger.outbox.backlog().events == 0, "the lake", 30)
    assert ledger.outbox.backlog().oldest is None
    line.stop()
    recorder.close()
    ledger.close()
    assert verify(LocalFolder(tmp_path / "lake")).whole
