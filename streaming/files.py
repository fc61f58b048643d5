"""The file contract of the lake: names, columns, and the metadata by which a file continues the one before it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inspection.events import FIELDS, Event
from streaming.marks import Marks
from streaming.record import Stream

_ARROW = {
    "string": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "strings": pa.list_(pa.string()),
    "json": pa.string(),
}
#: One column per field of the event; JSON fields are JSON text.
SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in FIELDS])
_JSON = tuple(name for name, kind in FIELDS if kind == "json")
_TIMES = tuple(name for name, kind in FIELDS if kind == "timestamp")
_NAME = re.compile(r"(?P<topic>.+)\+(?P<partition>\d+)\+(?P<start>\d{20})\.parquet")
_KEY = b"casting"


class Damaged(Exception):
    """A file of the lake can't be read as one; the text says why, and whoever named the file says which."""


@dataclass(frozen=True, slots=True)
class Name:
    """Where a file lies: ``date=<append date>/<topic>+<partition>+<start offset>.parquet``."""

    date: date
    topic: str
    partition: int
    start: int

    @property
    def folder(self) -> str:
        return f"date={self.date.isoformat()}"

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.topic}+{self.partition}+{self.start:020}.parquet"

    @classmethod
    def parse(cls, folder: str, file: str) -> "Name | None":
        """None for anything that is no file of the lake."""
        match = _NAME.fullmatch(file)
        if match is None or not folder.startswith("date="):
            return None
        try:
            day = date.fromisoformat(folder.removeprefix("date="))
        except ValueError:
            return None
        return cls(day, match["topic"], int(match["partition"]), int(match["start"]))


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says of itself: its offsets, the marks after it, its dead letters, its last record."""

    stream: str
    start: int
    resume: int
    marks: Marks
    dead: tuple[int, ...]
    last_offset: int
    last_digest: str

    def to_metadata(self) -> dict[bytes, bytes]:
        raw = {
            "stream": self.stream,
            "start": self.start,
            "resume": self.resume,
            "marks": self.marks.to_json(),
            "dead": list(self.dead),
            "last": {"offset": self.last_offset, "digest": self.last_digest},
        }
        return {_KEY: json.dumps(raw, separators=(",", ":")).encode()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> "Footer":
        """Raises ValueError when the metadata are not those of a lake file."""
        if not metadata or _KEY not in metadata:
            raise ValueError("no file of the lake: its metadata are missing")
        raw: dict[str, Any] = json.loads(metadata[_KEY])
        return cls(
            raw["stream"],
            raw["start"],
            raw["resume"],
            Marks.from_json(raw["marks"]),
            tuple(raw["dead"]),
            raw["last"]["offset"],
            raw["last"]["digest"],
        )


def to_table(events: Sequence[Event], footer: Footer) -> pa.Table:
    """Events as columns, with the footer in the schema's metadata."""
    columns: dict[str, list[Any]] = {name: list(map(attrgetter(name), events)) for name, _ in FIELDS}
    for name in _JSON:
        columns[name] = [json.dumps(value, ensure_ascii=False) if value else None for value in columns[name]]
    for name in _TIMES:
        columns[name] = [datetime.fromisoformat(value) for value in columns[name]]
    return pa.table(columns, schema=SCHEMA.with_metadata(footer.to_metadata()))


def to_parquet(events: Sequence[Event], footer: Footer) -> bytes:
    """The whole file as bytes: zstd, one row group, a checksum for every page."""
    sink = pa.BufferOutputStream()
    pq.write_table(to_table(events, footer), sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def read_footer(file: Any) -> Footer:
    """What a file says of itself. Raises Damaged."""
    data = file.read()
    with _believed():
        return Footer.from_metadata(pq.ParquetFile(pa.BufferReader(data)).schema_arrow.metadata)


def read_rows(file: Any, columns: Sequence[str]) -> tuple[Footer, pa.Table]:
    """Footer and ``columns``, after every page of all columns was held against its checksum. Raises Damaged."""
    data = file.read()
    with _believed():
        parquet = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        # Not in Arrow's threads: one that lets go of Python's bytes while the process ends would abort it.
        table = parquet.read(use_threads=False)
        return Footer.from_metadata(parquet.schema_arrow.metadata), table.select(columns)


@contextmanager
def _believed() -> Iterator[None]:
    """The bytes are there; whatever goes wrong from here on is wrong with them."""
    try:
        yield
    except Exception as error:
        raise Damaged(f"is damaged: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def belongs(name: Name, stream: Stream) -> bool:
    return (name.topic, name.partition) == (stream.topic, stream.partition)
