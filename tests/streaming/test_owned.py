"""Records as Kafka hands them over, whoever wrote them: each becomes a row or a dead letter and stops nothing."""

import io
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from inspection.events import to_json
from streaming.consumer import DeadLetter, PartitionConsumer
from streaming.folder import MemoryFolder
from streaming.owned import Limits, Owned
from streaming.verify import verify
from tests.streaming.making import NOON, STREAM, event


@dataclass(frozen=True)
class Raw:
    """What aiokafka gives of a record."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = int(NOON.timestamp() * 1000)


class Taken:
    """A partition that takes ``raws``, all of them into one file."""

    def __init__(self, *raws: Raw) -> None:
        self.folder = MemoryFolder()
        self.letters: list[DeadLetter] = []
        owned = Owned(
            STREAM,
            Limits(seconds=5.0, records=50_000, size=32 << 20),
            lambda stream: PartitionConsumer(stream, self.folder, self.letters.extend),
        )
        owned.take_over()
        owned.work(raws)
        self.stored = owned.flush()


def numbered(name: bytes, number: bytes) -> tuple[tuple[str, bytes], ...]:
    return (("journal", name), ("number", number))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        numbered(b"a", b"0"),
        numbered(b"a", b"-5"),
        numbered(b"a", str(2**63).encode()),
        numbered(b"a", b"one"),
        numbered(b"", b"2"),
        numbered(b"\xff", b"2"),
        numbered(b"x" * 500_000, b"2"),
    ],
)
def test_headers_that_name_no_number_leave_a_dead_letter_and_a_whole_lake(
    headers: tuple[tuple[str, bytes], ...],
) -> None:
    taken = Taken(Raw(0, b"{not json", headers), Raw(1, None, headers), Raw(2, to_json(event("a", 1))))
    assert [(letter.record.offset, letter.record.journal) for letter in taken.letters] == [(0, None), (1, None)]
    verdict = verify(taken.folder)
    assert (verdict.whole, verdict.dead_letters, verdict.total("stored")) == (True, 2, 1)


@pytest.mark.parametrize("depth", [1, 60, 70, *range(970, 1000)])
def test_no_depth_of_nesting_can_be_read_and_then_not_be_stored(depth: int) -> None:
    value = to_json(event("a", 1))[:-1] + b',"new":' + b"[" * depth + b"]" * depth + b"}"
    taken = Taken(Raw(0, value))
    assert taken.stored is not None
    assert taken.stored.rows + taken.stored.dead == 1
    assert taken.stored.rows == (depth <= 64)
    assert pq.read_table(io.BytesIO(taken.folder.files[taken.stored.name])).num_rows == taken.stored.rows
