"""A loss that verify names is repaired by the command that it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import Ledger
from streaming.folder import LocalFolder
from streaming.sending import KafkaSender
from streaming.verify import verify
from tests.services.broker import Broker
from tests.services.daemon import wait
from tests.services.line import consuming, entry, relaying, until_stored


def test_what_is_missing_is_sent_again_from_the_ledger(broker: Broker, tmp_path: Path) -> None:
    kafka = broker.kafka()  # the command knows no other topic than the product's
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    ledger = Ledger.open(url)
    recorder = ledger.recorder(second_look=0.1)
    recorder.submit(entry(6)).result()
    recorder.close()
    lake = LocalFolder(tmp_path / "lake")
    with consuming(kafka, lambda: lake):
        sender = KafkaSender(kafka)
        with ledger.outbox.turn() as turn:
            assert turn is not None
            turn.position(sender.topic.line, 100)
            events = turn.unsent(sender.topic.line, 100)
            assert sender.send([event for event in events if event.number not in (3, 4)]).result().error is None
            turn.mark_sent(sender.topic.line, [event.position for event in events])  # a relay that lies
        sender.close()
        ledger.close()
        wait(lambda: verify(lake).total("missing") > 0, "the loss")
        (damaged,) = verify(lake).journals
        assert damaged.missing == ((3, 4),)
        done = _resend(f"{damaged.journal}:3-4", broker, url)
        assert (done.returncode, done.stdout) == (0, f"{damaged.journal}: 2 of 2 sent again\n")
        assert until_stored(lake, 5).whole
        beyond = _resend(f"{damaged.journal}:5-9", broker, url)
        assert beyond.returncode == 3
        assert "does not hold 3" in beyond.stderr


def test_a_file_lost_in_the_lake_is_written_again_once_those_behind_it_are_moved_away(
    broker: Broker, tmp_path: Path
) -> None:
    kafka = broker.kafka("file-lost", 1)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    lake = LocalFolder(tmp_path / "lake")
    with relaying(ledger, kafka):
        with consuming(kafka, lambda: lake):
            for calls in (1, 2, 3):
                recorder.submit(entry(4)).result()
                assert until_stored(lake, 4 * calls - 1).whole
        (tmp_path / "aside").mkdir()
        files = sorted(lake.root.glob("date=*/*.parquet"), key=lambda file: file.name)
        files[1].unlink()
        assert not verify(lake).whole
        for file in files[2:]:
            file.rename(tmp_path / "aside" / file.name)
        with consuming(kafka, lambda: lake):
            again = until_stored(lake, 11)
    recorder.close()
    ledger.close()
    assert again.whole
    assert 12 in [journal.stored for journal in again.journals]


@pytest.mark.parametrize("command", ["dead list", "dead replay", "relay --resend a:1-2"])
def test_a_kafka_that_is_away_is_said_in_a_line(command: str) -> None:
    environment = {**os.environ, "CASTING_KAFKA": "127.0.0.1:1"}
    program = str(Path(sys.executable).with_name("casting"))
    done = subprocess.run([program, *command.split()], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Kafka at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def _resend(numbers: str, broker: Broker, url: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("casting")), "relay", "--resend", numbers]
    environment = {**os.environ, "CASTING_KAFKA": broker.address, "CASTING_LEDGER": url}
    return subprocess.run(command, env=environment, capture_output=True, text=True)
