"""The rules of the consumer, one test each; the search over all schedules is in test_model.py."""

import io
import re
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from inspection.events import FIELDS, timestamp
from streaming.consumer import DeadLetter, PartitionConsumer
from streaming.files import read_footer
from streaming.folder import MemoryFolder
from streaming.record import Fenced, Loss, Record, Stream
from tests.streaming.making import NOON, STREAM, days, event, record, records, unreadable


@pytest.fixture
def folder() -> MemoryFolder:
    return MemoryFolder()


@pytest.fixture
def buried() -> list[DeadLetter]:
    return []


def consumer(folder: MemoryFolder, buried: list[DeadLetter] | None = None) -> PartitionConsumer:
    return PartitionConsumer(STREAM, folder, (buried if buried is not None else []).extend)


def numbers(folder: MemoryFolder) -> list[tuple[str, int]]:
    found = []
    for name in sorted(folder.names(), key=lambda name: name.start):
        table = pq.read_table(io.BytesIO(folder.files[name]), columns=["journal", "number"])
        found += [(row["journal"], row["number"]) for row in table.to_pylist()]
    return found


def test_a_file_holds_every_column_of_the_contract(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1, reasons=("blurred",), extra={"alloy": 7}, filename="한글.png")))
    stored = taking.flush()
    assert stored is not None
    row = pq.read_table(io.BytesIO(folder.files[stored.name])).to_pylist()[0]
    assert list(row) == [name for name, _ in FIELDS]
    assert (row["reasons"], row["extra"], row["filename"]) == (["blurred"], '{"alloy": 7}', "한글.png")
    assert row["occurred_at"] == NOON


def test_repeats_are_dropped_also_after_taking_over(folder: MemoryFolder) -> None:
    first = consumer(folder)
    for item in records("a", range(1, 6)):
        first.add(item)
    first.add(record(5, event("a", 3)))
    assert first.flush() is not None
    second = consumer(folder)
    assert second.resume == 6
    second.add(record(6, event("a", 5)))
    second.add(record(7, event("a", 6)))
    stored = second.flush()
    assert stored is not None
    assert (stored.rows, stored.repeats, stored.name.start) == (1, 1, 6)
    assert numbers(folder) == [("a", n) for n in range(1, 7)]


def test_a_flush_of_repeats_alone_writes_a_file_without_rows(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1)))
    taking.flush()
    taking.add(record(1, event("a", 1)))
    stored = taking.flush()
    assert stored is not None
    assert (stored.rows, stored.resume) == (0, 2)
    assert consumer(folder).resume == 2


def test_a_file_lies_under_the_date_of_the_record_at_its_start_and_ends_where_the_date_changes(
    folder: MemoryFolder,
) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1)))
    taking.add(record(1, event("a", 1), days(1)))  # a repeat rules the date of the next file all the same
    taking.add(record(2, event("a", 2), days(1)))
    taking.flush()
    found = sorted((name.start, name.date.isoformat()) for name in folder.names())
    assert found == [(0, "2026-05-04"), (1, "2026-05-05")]


def test_two_owners_want_the_same_name_and_the_second_is_fenced(folder: MemoryFolder) -> None:
    frozen, awake = consumer(folder), consumer(folder)
    for item in records("a", range(1, 4)):
        frozen.add(item)
    for item in records("a", range(1, 6)):
        awake.add(item)
    awake.flush()
    with pytest.raises(Fenced):
        frozen.flush()
    frozen.take_over()
    assert frozen.resume == 5
    assert numbers(folder) == [("a", n) for n in range(1, 6)]
    assert folder.temporary == {}


def test_dead_letters_are_buried_before_the_file_is_renamed(folder: MemoryFolder) -> None:
    seen: list[tuple[int, int]] = []

    def bury(letters: object) -> None:
        seen.append((len(list(letters)), len(folder.files)))  # type: ignore[call-overload]

    taking = PartitionConsumer(STREAM, folder, bury)
    taking.add(unreadable(0, "a", 1))
    taking.add(unreadable(1, None, None))
    taking.flush()
    assert seen == [(2, 0)]
    (name,) = folder.names()
    footer = read_footer(io.BytesIO(folder.files[name]))
    assert footer.dead == (0, 1)
    assert footer.marks["a"].dead == {1}


def test_when_burying_fails_nothing_is_renamed(folder: MemoryFolder) -> None:
    def bury(_: object) -> None:
        raise OSError("the broker is away")

    taking = PartitionConsumer(STREAM, folder, bury)
    taking.add(unreadable(0, "a", 1))
    with pytest.raises(OSError, match="away"):
        taking.flush()
    assert folder.files == {}


def test_a_readable_record_settles_a_dead_number_once(folder: MemoryFolder, buried: list[DeadLetter]) -> None:
    taking = consumer(folder, buried)
    taking.add(unreadable(0, "a", 1))
    taking.add(unreadable(1, "a", 1))
    taking.add(record(2, event("a", 1)))
    taking.add(record(3, event("a", 1)))
    taking.flush()
    assert numbers(folder) == [("a", 1)]
    assert [letter.record.offset for letter in buried] == [0]
    assert taking.resume == 4


def test_headers_and_value_must_agree(folder: MemoryFolder, buried: list[DeadLetter]) -> None:
    taking = consumer(folder, buried)
    lying = record(0, event("a", 2))
    taking.add(type(lying)(0, lying.appended_at, "a", 1, lying.value))
    taking.flush()
    assert [letter.reason for letter in buried] == ["headers and value name different numbers"]


def test_a_stream_that_lost_its_past_is_a_loss_and_never_skipped(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    for item in records("a", range(1, 4)):
        taking.add(item)
    taking.flush()
    again = consumer(folder)
    assert again.continues_at() == 2
    again.confirm(record(2, event("a", 3)))
    for other in (None, record(2, event("b", 3)), record(3, event("a", 3))):
        with pytest.raises(Loss):
            again.confirm(other)


def test_a_folder_of_another_stream_is_refused(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1)))
    taking.flush()
    with pytest.raises(Loss):
        PartitionConsumer(Stream("other:topic-id", STREAM.topic, 0), folder, lambda _: None)


def test_what_is_too_large_is_a_dead_letter_and_its_number_is_seen(
    folder: MemoryFolder, buried: list[DeadLetter]
) -> None:
    taking = consumer(folder, buried)
    taking.add(record(0, event("a", 1, note="x" * (1 << 20))))
    taking.add(record(1, event("a", 2)))
    assert taking.flush() is not None
    assert [letter.reason.split(":")[0] for letter in buried] == ["over-size"]
    assert numbers(folder) == [("a", 2)]


def test_a_reason_that_quotes_the_record_leaves_its_letter_room(folder: MemoryFolder, buried: list[DeadLetter]) -> None:
    taking = consumer(folder, buried)
    value = b'{"schema":"inspection/1","kind":"audit","' + b"k" * 1_048_480 + b'":1e999}'
    taking.add(Record(0, NOON, "a", 1, value))
    taking.flush()
    (letter,) = buried
    assert len(letter.reason) == 200


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:-9], lambda data: data[:-200] + bytes(200)])
def test_a_damaged_newest_file_stops_the_consumer_and_is_named(
    folder: MemoryFolder, damage: Callable[[bytes], bytes]
) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1)))
    taking.flush()
    ((name, data),) = folder.files.items()
    folder.files[name] = damage(data)
    with pytest.raises(Loss, match=re.escape(f"{name.path} is damaged")):
        consumer(folder)


def test_a_broker_whose_clock_is_months_ahead_makes_nobody_forgotten(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    for item in records("a", range(1, 11)):
        taking.add(item)
    for offset in (10, 11):  # two files: the clock stays wrong for a while
        taking.add(record(offset, event("b", offset), days(61 + offset)))
    taking.add(record(12, event("a", 10)))  # sent again
    stored = taking.flush()
    assert stored is not None
    assert (stored.rows, stored.repeats) == (0, 1)


def test_a_journal_is_forgotten_when_broker_and_writers_say_that_sixty_days_are_over(folder: MemoryFolder) -> None:
    taking = consumer(folder)
    taking.add(record(0, event("a", 1)))
    taking.add(record(1, event("b", 1, occurred_at=timestamp(days(61))), days(61)))
    stored = taking.flush()
    assert stored is not None
    footer = read_footer(io.BytesIO(folder.files[stored.name]))
    assert [journal for journal, _ in footer.marks.items()] == ["b"]
