"""Real Kafka and real HDFS, started once for the whole run."""

from collections.abc import Iterator

import pytest

from tests.services.broker import Broker
from tests.services.hadoop import Hdfs


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    running = Broker(tmp_path_factory.mktemp("kafka"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    running = Hdfs(tmp_path_factory.mktemp("hdfs"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
