"""``casting verify`` and the report over the same lakes, written by the consumer itself: one account."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from inspection.events import timestamp
from inspection.reconciliation import Account, reconcile
from reports import counting, tables
from reports.storage import LocalStorage
from streaming.consumer import PartitionConsumer
from streaming.folder import LocalFolder
from streaming.record import Record, Stream
from streaming.verify import verify
from tests.streaming.making import NOON, event, record, records, unreadable

NOW = NOON + timedelta(hours=2)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


class Lake:
    """Streams of a lake, each with the consumer's own code and its offsets."""

    def __init__(self, root: Path) -> None:
        self.folder = LocalFolder(root)
        self._streams: dict[tuple[str, int], tuple[PartitionConsumer, count[int]]] = {}

    def add(self, made: Record, partition: int = 0, topic: str = "t") -> None:
        if (topic, partition) not in self._streams:
            stream = Stream(f"cluster:{topic}", topic, partition)
            self._streams[topic, partition] = PartitionConsumer(stream, self.folder, lambda _: None), count()
        consumer, offsets = self._streams[topic, partition]
        consumer.add(replace(made, offset=next(offsets)))

    def state(self, number: int, at: datetime, issued: int, partition: int = 0, topic: str = "t") -> None:
        """A statement about journal j of partition 0."""
        said = event(
            f"s-{topic}-{partition}", number, kind="statement", journals={"j": {"partition": 0, "issued": issued}}
        )
        self.add(record(0, replace(said, occurred_at=timestamp(at)), at), partition, topic)

    def flush(self) -> None:
        for consumer, _ in self._streams.values():
            consumer.flush()


def _whole(lake: Lake) -> None:
    for made in records("j", range(1, 6)):
        lake.add(made)
    lake.state(1, NOW - MINUTE, 5)
    lake.state(1, NOW - MINUTE + SECOND, 5, partition=1)


def _minutely(lake: Lake, minutes: int) -> None:
    """An hour with a statement a minute; partition 0 has stored that of so many of them, and what was issued then."""
    for minute in range(1, 61):
        at = NOW - (61 - minute) * MINUTE
        if minute <= minutes:
            lake.add(record(0, event("j", minute), at))
            lake.state(minute, at, minute)
        lake.state(minute, at + SECOND, min(minute, minutes + 1), partition=1)


def _torn(lake: Lake) -> None:
    for number in (1, 2, 5):
        lake.add(record(0, event("j", number)))
    lake.state(1, NOW, 7)


def _letters(lake: Lake) -> None:
    """One without a number, one that was settled the next day, one that was not."""
    lake.add(record(0, event("j", 1)))
    for journal, number in ((None, None), ("j", 2), ("j", 3)):
        lake.add(unreadable(0, journal, number))
    lake.flush()
    lake.add(record(0, event("j", 2), NOON + DAY))
    lake.state(1, NOW, 3)


def _kept(lake: Lake) -> None:
    """Retention took the first file."""
    for numbers in (range(1, 6), range(6, 9)):
        for made in records("j", numbers):
            lake.add(made)
        lake.flush()
    oldest = min(lake.folder.names(), key=lambda name: name.start)
    (lake.folder.root / oldest.path).unlink()
    lake.state(1, NOW, 8)


def _moved(lake: Lake) -> None:
    """Kafka with two partitions until yesterday, one of which never got its last statement; embedded now."""
    for partition in (0, 1):
        lake.state(1, NOW - DAY, 0, partition)
    lake.state(2, NOW - DAY + 30 * MINUTE, 0)
    lake.add(record(0, event("j", 1)), topic="ledger-x")
    lake.state(1, NOW, 1, topic="ledger-x")


def _unheard(lake: Lake, days: int) -> None:
    """Partition 1 has a file since so many days, and no statement."""
    lake.add(record(0, event("k", 1), NOON - days * DAY), partition=1)
    lake.state(1, NOW - 90 * MINUTE, 0)
    lake.state(2, NOW - MINUTE, 0)


#: Issued, stored, missing, outstanding, open letters; what is late; up to when it speaks.
LAKES: list[tuple[Callable[[Lake], None], tuple[int, ...], list[str], datetime | None]] = [
    (_whole, (7, 7, 0, 0, 0), [], NOW - MINUTE),
    (partial(_minutely, minutes=59), (179, 178, 0, 1, 0), [], NOW - 2 * MINUTE),
    (partial(_minutely, minutes=40), (141, 140, 0, 1, 0), ["numbers", "partition"], NOW - 21 * MINUTE),
    (_torn, (8, 4, 4, 0, 0), [], NOW),
    (_letters, (4, 3, 0, 0, 2), [], NOW),
    (_kept, (9, 4, 0, 0, 0), [], NOW),
    (_moved, (5, 5, 0, 0, 0), [], NOW),
    (partial(_unheard, days=0), (3, 3, 0, 0, 0), [], None),
    (partial(_unheard, days=2), (3, 3, 0, 0, 0), ["partition"], None),
]


@pytest.mark.parametrize("counts", ["verify", "report"])
@pytest.mark.parametrize(("make", "figures", "late", "until"), LAKES)
def test_the_same_lake_is_counted_alike(
    spark: Any,
    tmp_path: Path,
    counts: str,
    make: Callable[[Lake], None],
    figures: tuple[int, ...],
    late: list[str],
    until: datetime | None,
) -> None:
    lake = Lake(tmp_path)
    make(lake)
    lake.flush()
    account = verify(lake.folder, NOW) if counts == "verify" else _reported(spark, tmp_path)
    totals = (account.total(name) for name in ("issued", "stored", "missing", "outstanding"))
    assert (*totals, account.open_letters) == figures
    assert [found.what for found in account.late] == late
    assert account.whole is not bool(late or figures[2])
    assert account.proven_until == until


def _reported(spark: Any, root: Path) -> Account:
    files = LocalStorage().lake_files(str(root))
    rows = tables.events(spark, str(root), files)
    return reconcile(
        counting.read_links(LocalStorage(), files),
        counting.stored_numbers(tables.numbers(rows).toArrow()),
        counting.statements(tables.statements(rows).toArrow()),
        counting.heard(tables.heard(rows), NOW),
        NOW,
    )
