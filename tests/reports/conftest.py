"""One Spark session for all of this folder: starting one takes many seconds."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Two cores of this machine. Spark's own warnings about versions of pandas and sockets are not ours to fix."""
    from reports import session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = session.start("local[2]", memory="1g")
        started.conf.set("spark.sql.shuffle.partitions", "2")
        yield started
        started.stop()
