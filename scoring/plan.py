"""The plan of a scoring: which members make which part, kept beside the results so that a killed run goes on.

A part is a Parquet file, written under another name and renamed when it is whole: it is there wholly or not at all, and
its number says which members it holds. That is the whole of resuming.
"""

import fcntl
import hashlib
import json
import os
import re
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
CSV, SUMMARY, REPORT = "results.csv", "summary.json", "report.html"
_PLAN = "plan.json"
_WORK = ".work"
_TOLD = {"model", "sources", "listing"}  # what a plan says
_PART_FILE = re.compile(r"\d{3,}-(\d{6}-[0-9a-f]{12}|stream-\d{6,})\.parquet")
_MARK = re.compile(r"\d{3,}-stream|.+\.(published|part)")


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


def write_whole(out: Path, name: str, text: str) -> None:
    """Write a file of ``out``, wholly or not at all."""
    partial = unfinished(out, name)
    partial.write_text(text, "utf-8")
    partial.replace(out / name)


@contextmanager
def held(out: Path) -> Iterator[None]:
    """``out`` with its folders, for one scoring at a time; a killed one holds nothing.

    Raises:
        BadRequest: ``bad_out``, it can't be written, or holds what is not of a scoring.
        Conflict: ``busy``, another scoring writes there.
    """
    _own(out)
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
    """See that results don't become members, nor sources be written over. Raises BadRequest: ``bad_out``."""
    ours = out.resolve()
    for source in sources:
        if "://" in source.place:
            continue
        place = Path(source.place).resolve()
        if source.kind == "folder" and ours.is_relative_to(place):
            raise BadRequest("bad_out", f"{out} lies in {source.place}, which is to be judged.")
        if any(place.is_relative_to(ours / folder) for folder in (RESULTS, _WORK)):
            raise BadRequest("bad_out", f"{source.place} lies where {out} keeps its results.")


def make(sources: Sequence[Source], out: Path, bundle: Path, card_digest: str, force: bool = False) -> Plan:
    """List the sources, or go on with what ``out`` already holds, under :func:`held`.

    Raises:
        BadRequest: ``bad_out``, a link below a source leads to ``out``.
        Conflict: ``other_run``, ``out`` holds results of another model or of sources that have changed since.
    """
    parts: list[Part] = []
    for number, source in enumerate(sources):
        parts += _stream(number, source) if source.kind == "stream" else _listed(number, source, out)
    told = _told(sources, parts, card_digest)
    if force:
        _emptied(out)
    elif (out / _PLAN).exists() and json.loads((out / _PLAN).read_text()) != told:
        raise Conflict("other_run", f"{out} holds results of another model or other sources; --force starts over.")
    for left in (out / _WORK).glob("*.part"):  # of a killed run
        left.unlink()
    _write(out, told)
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


def _own(out: Path) -> None:
    """See that what ``out`` holds under our names is ours. Raises BadRequest: ``bad_out``."""
    for folder in (out / RESULTS, out / _WORK):
        if folder.is_symlink():
            raise BadRequest("bad_out", f"{folder} is a link; results are kept in no other folder than DIR.")
    found = list((out / RESULTS).glob("*"))
    foreign = [path for path in found if path.suffix == ".parquet" and not _is_part(path)]
    if not (out / _PLAN).exists():
        foreign = [*found, *(out / name for name in (CSV, SUMMARY, REPORT) if (out / name).exists())]
    else:
        try:
            ours = json.loads((out / _PLAN).read_text()).keys() == _TOLD
        except (OSError, ValueError, AttributeError):
            ours = False
        foreign += [] if ours else [out / _PLAN]
    if foreign:
        raise BadRequest("bad_out", f"{foreign[0]} is not of a scoring; give an --out of its own.")


def _is_part(path: Path) -> bool:
    return _PART_FILE.fullmatch(path.name) is not None and path.is_file()


def _emptied(out: Path) -> None:
    """Take away what is ours by name, and nothing else."""
    _write(out, dict.fromkeys(_TOLD, ""))  # killed here, what is left is no scoring's
    parts = [path for path in (out / RESULTS).iterdir() if _is_part(path)]
    marks = [path for path in (out / _WORK).iterdir() if _MARK.fullmatch(path.name)]
    for left in [*parts, *marks, *(out / name for name in (CSV, SUMMARY, REPORT))]:
        left.unlink(missing_ok=True)


def _stream(number: int, source: Source) -> list[Part]:
    return [Part(f"{number:03d}-stream", source, ())]


def _listed(number: int, source: Source, out: Path) -> Iterator[Part]:
    found = list(members(source))
    locks = (Path(source.place, member.path) for member in found if member.path.endswith(f"{_WORK}/lock"))
    if any(path.exists() and path.samefile(out / _WORK / "lock") for path in locks):
        raise BadRequest("bad_out", f"A link below {source.place}, which is to be judged, leads to {out}.")
    size = max(PART, -(-len(found) // MOST_PARTS))
    rest = iter(found)
    for count in range(-(-len(found) // size)):
        some = tuple(islice(rest, size))
        # Names, sizes and times are in the part's name: a folder that changed never takes another part's results.
        content = hashlib.sha256(repr(some).encode()).hexdigest()[:12]
        yield Part(f"{number:03d}-{count:06d}-{content}", source, some)


def _write(out: Path, told: dict[str, object]) -> None:
    write_whole(out, _PLAN, json.dumps(told, indent=1))
