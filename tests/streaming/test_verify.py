"""Verify says what is missing, doubled, dead or outstanding, whatever the files claim."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from inspection.events import Event
from inspection.ranges import count
from inspection.reconciliation import Account
from streaming.consumer import PartitionConsumer
from streaming.files import Footer, Name, to_parquet
from streaming.folder import LocalFolder, MemoryFolder
from streaming.marks import Marks
from streaming.record import Record, Stream
from streaming.verify import verify
from tests.streaming.making import NOON, STREAM, days, event, record, records, statement, unreadable

SOON = NOON + timedelta(minutes=1)


def stored(*batches: Sequence[Record]) -> MemoryFolder:
    """A lake with one file for each batch."""
    folder = MemoryFolder()
    taking = PartitionConsumer(STREAM, folder, lambda _: None)
    for batch in batches:
        for item in batch:
            taking.add(item)
        taking.flush()
    return folder


def counts(verdict: Account, journal: str) -> tuple[int, int, int, int, int]:
    (found,) = (one for one in verdict.journals if one.journal == journal)
    return found.stated, found.stored, count(found.missing), found.doubled, count(found.outstanding)


def test_a_whole_lake_is_whole() -> None:
    verdict = verify(stored(records("a", range(1, 6)), [record(5, statement("s", 1, a=5))]), SOON)
    assert verdict.whole
    assert counts(verdict, "a") == (5, 5, 0, 0, 0)
    assert verdict.proven_until == NOON
    assert verdict.files == 2


def test_a_gap_is_missing_with_its_numbers() -> None:
    verdict = verify(stored([*records("a", range(1, 4)), *records("a", range(6, 8), start=3)]), SOON)
    assert not verdict.whole
    assert [journal.missing for journal in verdict.journals] == [((4, 5),)]


def test_a_tail_that_a_statement_of_the_same_partition_names_is_missing() -> None:
    verdict = verify(stored([*records("a", range(1, 4)), record(3, statement("s", 1, a=5))]), SOON)
    assert counts(verdict, "a") == (5, 3, 2, 0, 0)


def test_a_journal_of_which_nothing_is_stored_is_missing() -> None:
    verdict = verify(stored([record(0, statement("s", 1, gone=2))]), SOON)
    assert counts(verdict, "gone") == (2, 0, 2, 0, 0)


@pytest.mark.parametrize(("minutes", "whole"), [(1, True), (11, False)])
def test_what_only_another_partition_states_is_outstanding_and_late_after_ten_minutes(
    minutes: int, whole: bool
) -> None:
    folder = stored(records("a", range(1, 4)))
    other = PartitionConsumer(Stream(STREAM.id, STREAM.topic, 1), folder, lambda _: None)
    other.add(record(0, event("s", 1, kind="statement", journals={"a": {"partition": 0, "issued": 5}})))
    other.flush()
    verdict = verify(folder, NOON + timedelta(minutes=minutes))
    assert counts(verdict, "a") == (5, 3, 0, 0, 2)
    assert verdict.whole is whole


def test_a_number_stored_twice_is_doubled() -> None:
    folder = stored(records("a", range(1, 4)))
    _write(folder, start=3, events=[event("a", 2)], marks=_marks(a=3))
    verdict = verify(folder, SOON)
    assert counts(verdict, "a") == (0, 3, 0, 1, 0)
    assert not verdict.whole


def test_a_number_in_the_marks_without_its_row_is_missing() -> None:
    folder = stored(records("a", range(1, 4)))
    _write(folder, start=3, events=[event("a", 5)], marks=_marks(a=5))
    assert counts(verify(folder, SOON), "a") == (0, 4, 1, 0, 0)


def test_a_missing_file_breaks_the_chain() -> None:
    folder = stored(records("a", range(1, 4)), records("a", range(4, 6), start=3), records("a", range(6, 8), start=5))
    middle = next(name for name in folder.files if name.start == 3)
    del folder.files[middle]
    verdict = verify(folder, SOON)
    assert len(verdict.breaks) == 1
    assert counts(verdict, "a") == (0, 5, 2, 0, 0)


def test_retention_from_the_oldest_on_is_no_loss() -> None:
    folder = stored(records("a", range(1, 4)), records("a", range(4, 6), start=3), records("a", range(6, 8), start=5))
    del folder.files[next(name for name in folder.files if name.start == 0)]
    verdict = verify(folder, SOON)
    assert verdict.whole
    assert counts(verdict, "a") == (0, 4, 0, 0, 0)


def test_dead_letters_are_counted_and_no_loss() -> None:
    verdict = verify(stored([record(0, event("a", 1)), unreadable(1, "a", 2), record(2, event("a", 3))]), SOON)
    assert verdict.whole
    assert (verdict.dead_letters, verdict.total("dead")) == (1, 1)


def _marks(**low: int) -> Marks:
    marks = Marks()
    for journal, number in low.items():
        marks[journal].low = number
    return marks


def _write(folder: MemoryFolder, start: int, events: Sequence[Event], marks: Marks) -> None:
    """A file that breaks the rules, as faulty software would write it."""
    footer = Footer(STREAM.id, start, start + len(events), marks, (), start, "x")
    name = Name(NOON.date(), STREAM.topic, 0, start)
    folder.publish(folder.put(to_parquet(events, footer)), name)


def test_a_number_as_large_as_a_number_can_be_is_counted_and_not_laid_out_in_memory() -> None:
    (found,) = verify(stored([record(0, event("a", 2)), record(1, event("a", 2**63 - 1))])).journals
    assert (found.stored, count(found.missing)) == (2, 2**63 - 3)
    assert found.missing == ((1, 1), (3, 2**63 - 2))


def _flipped(data: bytes, column: str) -> bytes:
    """One bit of what the file holds of ``column`` is another."""
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    (chunk,) = (group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == column)
    end = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size
    return data[: end - 3] + bytes([data[end - 3] ^ 0x10]) + data[end - 2 :]


def _changed(column: str) -> Callable[[bytes], bytes]:
    return lambda data: _flipped(data, column)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[: len(data) // 2],
        *map(_changed, ("journal", "verdict", "p_defect", "event_id")),
    ],
    ids=["empty", "cut off", "journal", "verdict", "p_defect", "event_id"],
)
def test_a_damaged_file_is_named_whatever_column_the_damage_is_in(damage: Callable[[bytes], bytes]) -> None:
    folder = stored(records("a", range(1, 300)), records("a", range(300, 302), start=299))
    (name,) = (name for name in folder.files if name.start == 0)
    folder.files[name] = damage(folder.files[name])
    account = verify(folder, SOON)
    assert not account.whole
    assert (account.breaks[0].what, account.breaks[0].path) == ("damaged", name.path)
    assert account.breaks[0].found.startswith("is damaged: ")
    assert account.files == 2


class _MidnightFolder(MemoryFolder):
    """Lists one day after the other, as real stores do; ``meanwhile`` happens between the first and the second."""

    meanwhile: Callable[[], None] | None = None

    def names(self) -> Iterator[Name]:
        for day in (NOON.date(), days(1).date()):
            yield from [name for name in self.files if name.date == day]
            happens, self.meanwhile = self.meanwhile, None
            if happens is not None:
                happens()


def test_files_of_two_days_that_come_while_the_days_are_listed_break_no_chain() -> None:
    folder = _MidnightFolder()
    taking = PartitionConsumer(STREAM, folder, lambda _: None)

    def take(*batches: Sequence[Record]) -> None:
        for item in (item for batch in batches for item in batch):
            taking.add(item)
        taking.flush()

    take(records("a", range(1, 6)))
    folder.meanwhile = lambda: take(records("a", range(6, 9), start=5), records("a", range(9, 12), 8, days(1)))
    assert verify(folder, days(1)).whole


_COUNTING = """
import sys
from pathlib import Path
from streaming.folder import LocalFolder
from streaming.verify import verify
threads = lambda: len(list(Path("/proc/self/task").iterdir()))
before = threads()
assert verify(LocalFolder(Path(sys.argv[1]))).files == 1
print(threads() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads by /proc")
def test_no_thread_that_may_hold_an_object_of_python_outlives_the_count(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    ((name, data),) = stored(records("a", range(1, 300))).files.items()
    folder.publish(folder.put(data), name)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _COUNTING, str(tmp_path)]
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
