"""The plan of a scoring: which members make which part, kept beside the results so that a killed run goes on.

A part is a Parquet file, written under another name and renamed when it is whole: it is there wholly or not at all, and
its number says which members it holds. That is the whole of resuming.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from inspection.errors import Conflict
from scoring.members import Member, Source, identity, members

PART = 128  # members a part of a listed source
MOST_PARTS = 20_000  # a source of many millions gets larger parts instead of more
STREAM_PART = 256
RESULTS = "results"
_PLAN = "plan.json"
_WORK = ".work"


@dataclass(frozen=True, slots=True)
class Part:
    """Some members of one listed source, or (without members) a whole source that can only be read through."""

    name: str
    source: Source
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts of a scoring, and how many members are listed (None where a stream hides how many)."""

    out: Path
    bundle: Path
    parts: tuple[Part, ...]
    listed: int | None

    def open_parts(self) -> list[Part]:
        """What is still to do. A stream is looked through again unless its end was seen."""
        done = (path_of(self.out, part.name).exists() or ended(self.out, part.name).exists() for part in self.parts)
        return [part for part, whole in zip(self.parts, done, strict=True) if not whole]


def path_of(out: Path, name: str) -> Path:
    """Where a part's rows are, once they are whole."""
    return out / RESULTS / f"{name}.parquet"


def ended(out: Path, name: str) -> Path:
    """The mark that a stream was read to its end."""
    return out / _WORK / name


def published(out: Path, name: str) -> Path:
    """The mark that a part's rows are in the ledger."""
    return out / _WORK / f"{name}.published"


def unfinished(out: Path, name: str) -> Path:
    """Where a part's rows are written before they are whole; one writer a process."""
    return out / _WORK / f"{name}.{os.getpid()}.part"


def make(sources: Sequence[Source], out: Path, bundle: Path, card_digest: str, force: bool = False) -> Plan:
    """List the sources, or go on with what ``out`` already holds.

    Raises:
        Conflict: ``other_run``, ``out`` holds results of another model or of sources that have changed since.
    """
    told: dict[str, object] = {"model": card_digest, "sources": [identity(source) for source in sources]}
    if force and (out / _PLAN).exists():
        shutil.rmtree(out / RESULTS, ignore_errors=True)
        shutil.rmtree(out / _WORK, ignore_errors=True)
        (out / _PLAN).unlink()
    if (out / _PLAN).exists() and json.loads((out / _PLAN).read_text()) != told:
        raise Conflict("other_run", f"{out} holds results of another model or other sources; --force starts over.")
    for folder in (out / RESULTS, out / _WORK):
        folder.mkdir(parents=True, exist_ok=True)
    for left in (out / _WORK).glob("*.part"):  # of a killed run
        left.unlink()
    parts: list[Part] = []
    for number, source in enumerate(sources):
        parts += _stream(number, source) if source.kind == "stream" else _listed(number, source)
    _write(out / _PLAN, told)
    streams = any(part.source.kind == "stream" for part in parts)
    return Plan(out, bundle, tuple(parts), None if streams else sum(len(part.members) for part in parts))


def _stream(number: int, source: Source) -> list[Part]:
    return [Part(f"{number:03d}-stream", source, ())]


def _listed(number: int, source: Source) -> Iterator[Part]:
    found = list(members(source))
    size = max(PART, -(-len(found) // MOST_PARTS))
    rest = iter(found)
    for count in range(-(-len(found) // size)):
        some = tuple(islice(rest, size))
        # The members' names are in the part's: a folder that changed meanwhile never takes another part's results.
        content = hashlib.sha256(json.dumps([asdict(one) for one in some]).encode()).hexdigest()[:12]
        yield Part(f"{number:03d}-{count:06d}-{content}", source, some)


def _write(path: Path, told: dict[str, object]) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(told, indent=1))
    partial.replace(path)
