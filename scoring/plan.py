"""The plan of a scoring: which members make which part, kept beside the results so that a killed run goes on.

A part is a Parquet file, written under another name and renamed when it is whole: it is there wholly or not at all, and
its number says which members it holds. That is the whole of resuming.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from inspection.errors import BadRequest, Conflict
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


@contextmanager
def held(out: Path) -> Iterator[None]:
    """``out`` with its folders, for one scoring at a time; a killed one holds nothing.

    Raises:
        BadRequest: ``bad_out``, it can't be written.
        Conflict: ``busy``, another scoring writes there.
    """
    try:
        for folder in (out / RESULTS, out / _WORK):
            folder.mkdir(parents=True, exist_ok=True)
        lock = (out / _WORK / "lock").open("w")
    except OSError as error:
        raise BadRequest("bad_out", f"{out} can't be written: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("busy", f"Another scoring is writing to {out}.") from error
        yield


def apart(out: Path, sources: Sequence[Source]) -> None:
    """See that results don't become members. Raises BadRequest: ``bad_out``."""
    for source in sources:
        if source.kind == "folder" and out.resolve().is_relative_to(Path(source.place).resolve()):
            raise BadRequest("bad_out", f"{out} lies in {source.place}, which is to be judged.")


def make(sources: Sequence[Source], out: Path, bundle: Path, card_digest: str, force: bool = False) -> Plan:
    """List the sources, or go on with what ``out`` already holds, under :func:`held`.

    Raises:
        Conflict: ``other_run``, ``out`` holds results of another model or of sources that have changed since.
    """
    parts: list[Part] = []
    for number, source in enumerate(sources):
        parts += _stream(number, source) if source.kind == "stream" else _listed(number, source)
    told = _told(sources, parts, card_digest)
    if force:
        _emptied(out)
    if (out / _PLAN).exists() and json.loads((out / _PLAN).read_text()) != told:
        raise Conflict("other_run", f"{out} holds results of another model or other sources; --force starts over.")
    for left in (out / _WORK).glob("*.part"):  # of a killed run
        left.unlink()
    _write(out / _PLAN, told)
    streams = any(part.source.kind == "stream" for part in parts)
    return Plan(out, bundle, tuple(parts), None if streams else sum(len(part.members) for part in parts))


def unchanged(plan: Plan) -> None:
    """See that archives are what they were when they were listed.

    Raises:
        Conflict: ``source_changed``; what was judged may be half of the one and half of the other.
    """
    sources = list(dict.fromkeys(part.source for part in plan.parts))
    before = json.loads((plan.out / _PLAN).read_text())["sources"]
    if any(identity(source) not in before for source in sources):
        raise Conflict("source_changed", "A source changed while it was being judged; --force starts over.")


def _told(sources: Sequence[Source], parts: Sequence[Part], card_digest: str) -> dict[str, object]:
    """What makes a scoring another one: the names of the parts tell what is in them."""
    listing = hashlib.sha256("\n".join(part.name for part in parts).encode()).hexdigest()
    return {"model": card_digest, "sources": [identity(source) for source in sources], "listing": listing}


def _emptied(out: Path) -> None:
    (out / _PLAN).unlink(missing_ok=True)
    for left in [*(out / RESULTS).iterdir(), *(out / _WORK).iterdir()]:
        if left.name != "lock":
            left.unlink()


def _stream(number: int, source: Source) -> list[Part]:
    return [Part(f"{number:03d}-stream", source, ())]


def _listed(number: int, source: Source) -> Iterator[Part]:
    found = list(members(source))
    size = max(PART, -(-len(found) // MOST_PARTS))
    rest = iter(found)
    for count in range(-(-len(found) // size)):
        some = tuple(islice(rest, size))
        # Names, sizes and times are in the part's name: a folder that changed never takes another part's results.
        content = hashlib.sha256(repr(some).encode()).hexdigest()[:12]
        yield Part(f"{number:03d}-{count:06d}-{content}", source, some)


def _write(path: Path, told: dict[str, object]) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(told, indent=1))
    partial.replace(path)
