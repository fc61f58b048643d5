"""The actors of a scoring: one that judges parts alone, or a pair, of which one decodes and the other judges.

Whoever judges writes the part. A stream is one part whose pieces are written one by one.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import cv2

from inspection.bundle import read_card
from inspection.classifier import Classifier
from inspection.errors import Unavailable
from inspection.preparing import Prepared
from scoring.judging import Content, Judge, Row, judged, prepared
from scoring.members import Member, Reader, Source, Unreadable, streamed
from scoring.plan import STREAM_PART, Part, ended, path_of, unfinished
from scoring.results import write_part

COUNTED = ("members", "failed", "defects")
UNREAD = "unread"  # why a part was not written: its source can't be read now
GPU_BATCH = 256


class PartJudge:
    """Decodes, judges and writes parts."""

    def __init__(self, out: str, bundle: str, threads: int) -> None:
        cv2.setNumThreads(threads)  # else each actor's would use all cores
        self._out, self._digest = Path(out), read_card(Path(bundle)).digest
        self._judge = Judge(Path(bundle), threads)
        self._contents = _Contents()
        self._lock = threading.Lock()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        with self._lock:
            return _told([self._one(part) for part in batch["item"]])

    def _one(self, part: Part) -> dict[str, Any]:
        total = dict.fromkeys(COUNTED, 0)
        try:
            for name, contents in self._contents.of(part):
                if path_of(self._out, name).exists():
                    told = {"members": sum(1 for _ in contents)}
                else:
                    told = _kept(self._out, name, list(self._judge.rows(part.source.place, contents)), self._digest)
                for field, many in told.items():
                    total[field] += many
        except Unavailable as error:
            return {**total, UNREAD: error.message}
        if part.source.kind == "stream":
            ended(self._out, part.name).touch()
        return total


@dataclass(frozen=True, slots=True)
class Decoded:
    """A part, or a piece of a stream, ready for the network; or of how many members an earlier run judged it, or why
    its source can't be read now."""

    name: str
    source: str
    members: tuple[tuple[Member, Prepared | str], ...] | int | Unavailable


class PartDecode:
    """Reads and decodes parts on one core."""

    def __init__(self, out: str) -> None:
        cv2.setNumThreads(1)
        self._out = Path(out)
        self._contents = _Contents()

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[Decoded]]]:
        for part in batch["item"]:
            try:
                for name, contents in self._contents.of(part):
                    if path_of(self._out, name).exists():
                        yield {"item": [Decoded(name, part.source.place, sum(1 for _ in contents))]}
                        continue
                    ready = tuple((member, prepared(content)) for member, content in contents)
                    yield {"item": [Decoded(name, part.source.place, ready)]}
            except Unavailable as error:
                yield {"item": [Decoded(part.name, part.source.place, error)]}


class PartInfer:
    """Judges what was decoded, with an engine of its own, and writes it."""

    def __init__(self, out: str, bundle: str, engine: Callable[[Path], Any]) -> None:
        card = read_card(Path(bundle))
        self._out, self._digest = Path(out), card.digest
        self._classifier = Classifier(card, [engine(Path(bundle))])

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        return _told([self._one(decoded) for decoded in batch["item"]])

    def _one(self, decoded: Decoded) -> dict[str, Any]:
        if isinstance(decoded.members, Unavailable):
            return {**dict.fromkeys(COUNTED, 0), UNREAD: decoded.members.message}
        if isinstance(decoded.members, int):
            return {**dict.fromkeys(COUNTED, 0), "members": decoded.members}
        rows: list[Row] = []
        for at in range(0, len(decoded.members), GPU_BATCH):
            some = decoded.members[at : at + GPU_BATCH]
            rows += judged(self._classifier, decoded.source, [one for one, _ in some], [ready for _, ready in some])
        return _kept(self._out, decoded.name, rows, self._digest)


class _Contents:
    """Members with their bytes; holds one open reader."""

    def __init__(self) -> None:
        self._reader: tuple[Source, Reader] | None = None

    def of(self, part: Part) -> Iterator[tuple[str, Iterator[Content]]]:
        """What is written under one name each: a listed part, or the pieces of a stream. Take them in order, wholly."""
        if part.source.kind != "stream":
            yield part.name, self._listed(part)
            return
        contents = streamed(part.source)
        for number in count():
            if (first := next(contents, None)) is None:
                return
            yield f"{part.name}-{number:06d}", chain([first], islice(contents, STREAM_PART - 1))

    def _listed(self, part: Part) -> Iterator[Content]:
        reader = self._reader_of(part.source)
        for member in part.members:
            try:
                yield member, reader.read(member)
            except Unreadable as error:
                yield member, error

    def _reader_of(self, source: Source) -> Reader:
        if self._reader is None or self._reader[0] != source:
            if self._reader is not None:
                self._reader[1].close()
            self._reader = (source, Reader(source))
        return self._reader[1]


def _told(done: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    import ray

    node = ray.get_runtime_context().get_node_id()
    counts = {name: [one[name] for one in done] for name in COUNTED}
    return {**counts, UNREAD: [one.get(UNREAD, "") for one in done], "node": [node] * len(done)}


def _kept(out: Path, name: str, rows: Sequence[Row], digest: str) -> dict[str, int]:
    write_part(path_of(out, name), unfinished(out, name), rows, digest)
    return {
        "members": len(rows),
        "failed": sum(row.error is not None for row in rows),
        "defects": sum(row.verdict == "defect" for row in rows),
    }
