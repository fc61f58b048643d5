"""From a real ledger over a real broker into the lake: a local folder and a real HDFS, the same code and promise."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import Ledger
from streaming.folder import Folder, LocalFolder
from streaming.root import open_folder
from tests.services.broker import Broker
from tests.services.hadoop import Hdfs
from tests.services.line import consuming, entry, relaying, until_stored

Open = Callable[[], Folder]


@pytest.fixture(params=["local", "hdfs"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    if request.param == "local":
        return lambda: LocalFolder(tmp_path / "lake")
    hdfs: Hdfs = request.getfixturevalue("hdfs")
    monkeypatch.setenv("HADOOP_USER_NAME", "casting")
    return lambda: open_folder(f"{hdfs.root}/{tmp_path.name}", hdfs.web)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_everything_recorded_is_in_the_lake_once(broker: Broker, lake: Open, ledger: Ledger, tmp_path: Path) -> None:
    kafka = broker.kafka(tmp_path.name.replace("_", "-"))
    recorder = ledger.recorder(second_look=0.1)
    with relaying(ledger, kafka), consuming(kafka, lake):
        for receipt in [recorder.submit(entry(3)) for _ in range(100)]:
            receipt.result()
        verdict = until_stored(lake(), 300)
    recorder.close()
    ledger.close()
    assert verdict.whole, verdict
    assert [count.stored for count in verdict.journals if count.stored >= 300] == [300]
