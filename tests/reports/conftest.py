"""One Spark session for all of this folder: starting one takes many seconds."""

import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Two cores of this machine. Spark's own warnings about versions of pandas and sockets are not ours to fix."""
    from reports import session

    # Code that runs for seconds is not worth the second compiler: this halves what the tests cost.
    os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = session.start("local[2]", memory="1g")
        del os.environ["JDK_JAVA_OPTIONS"]
        started.conf.set("spark.sql.shuffle.partitions", "2")
        yield started
        started.stop()
