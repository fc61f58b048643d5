"""What is to be judged: the members of folders, zips, tars and lists, found without unpacking anything.

Zips and plain tars are listed once and read in any order; compressed tars can only be read through from the start.
Knows what a member is and who reads it; not where sources lie, nothing of pictures.
"""

import io
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from inspection.errors import BadRequest, Unavailable
from scoring import tars, zips
from scoring.places import below, look, name_of, opened

Kind = Literal["folder", "list", "zip", "tar", "stream"]
BROKEN = "broken_archive"  # what could not be read of an archive that breaks off
MAX_BYTES = 64 * 1024 * 1024
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst")


class Unreadable(Exception):
    """One member can't be had; the argument is its error code."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its ``path`` in the source, ``size`` in bytes (-1: not known yet), where a tar has it.

    ``packed`` is what a zip's directory says of it. It travels with the member so that no worker reads the directory.
    ``changed`` is when a file of a folder was changed, in ns. ``refused`` is why there is nothing to read, if so.
    """

    path: str
    size: int = -1
    offset: int = -1
    packed: zips.Packed | None = None
    changed: int = -1
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One source as given on the command line, and what it is; ``base`` is what a list's relative paths start from."""

    place: str
    kind: Kind
    base: str = ""


def recognise(place: str) -> Source:
    """What a source is.

    Raises:
        BadRequest: ``no_source``, there is none, or it is neither folder, archive nor list.
    """
    found = look(place)
    if found.kind == "folder":
        return Source(place, "folder")
    if found.kind != "file":
        raise BadRequest("no_source", f"{place} does not exist or is no file.")
    try:
        with closing(opened(place)) as file:
            kind = _kind(place, bytes(file.read(512)))
    except OSError as error:
        raise BadRequest("no_source", f"{place} can't be read: {error}") from error
    return Source(place, kind, str(Path.cwd()) if kind == "list" else "")


def members(source: Source) -> Iterator[Member]:
    """List a source that can be listed, in its own order; directory entries are no members.

    Raises:
        BadRequest: ``bad_archive``, the archive's directory is damaged; ``no_source``, it can't be read.
    """
    listing = {"folder": _in_folder, "list": _in_list, "zip": _in_zip, "tar": _in_tar}[source.kind]
    try:
        yield from listing(source)
    except OSError as error:
        raise BadRequest("no_source", f"{source.place} can't be read: {error}") from error
    except ValueError as error:
        raise BadRequest("bad_archive", f"{source.place} is damaged: {error}") from error


class Reader:
    """Reads listed members of one source; open for as long as it is used, by one thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file: IO[bytes] | None = None

    def read(self, member: Member) -> bytes:
        """The member's bytes.

        Raises:
            Unreadable: ``nested_archive``, ``too_large``, ``missing``, ``not_a_file``, ``encrypted``,
                ``unknown_compression``, ``no_source``, ``broken_archive`` or ``damaged_member``.
            Unavailable: ``source_unreachable``, no fault of the member.
        """
        check(member)
        if self._source.kind in ("folder", "list"):
            return _whole_file(self._source, member)
        try:
            if self._file is None:
                self._file = opened(self._source.place)
            if member.packed is not None:
                return zips.read(self._file, member.packed, MAX_BYTES)
            return _stretch(self._file, member)
        except OSError as error:
            raise _unreachable(self._source, error) from error
        except ValueError as error:
            raise Unreadable("damaged_member") from error

    def close(self) -> None:
        """Let go of the archive."""
        if self._file is not None:
            self._file.close()
        self._file = None


def streamed(source: Source) -> Iterator[tuple[Member, bytes | Unreadable]]:
    """Read a compressed tar through: every member with its bytes, or why there are none.

    Where the stream breaks off, the last member is the archive itself: ``broken_archive``.

    Raises:
        Unavailable: ``source_unreachable``; what comes next is not known.
    """
    try:
        with closing(opened(source.place)) as raw:
            for one, content in tars.streamed(raw):
                member = _of_tar(one)
                try:
                    check(member)
                except Unreadable as error:
                    yield member, error
                    continue
                yield member, content()
    except tars.Broken:
        yield _broken(source), Unreadable(BROKEN)
    except OSError as error:
        raise _unreachable(source, error) from error


def check(member: Member) -> None:
    """Refuse what is not read at all. Raises Unreadable."""
    if member.refused:
        raise Unreadable(member.refused)
    if member.path.lower().endswith(ARCHIVES):
        raise Unreadable("nested_archive")
    if member.size > MAX_BYTES:
        raise Unreadable("too_large")


def identity(source: Source) -> str:
    """What makes a source another one: place, size, time of change, and where a list's relative paths start from.
    Folders differ by what is in them."""
    if source.kind == "folder":
        return source.place
    found = look(source.place)
    return " ".join([source.place, str(found.size), str(found.changed), *([source.base] if source.base else [])])


def _in_folder(source: Source) -> Iterator[Member]:
    refused: dict[str, str | None] = {"file": None, "missing": "missing", "other": "not_a_file"}
    for entry in below(source.place):
        yield Member(entry.path, entry.size, changed=entry.changed, refused=refused[entry.kind])


def _in_list(source: Source) -> Iterator[Member]:
    with closing(io.TextIOWrapper(opened(source.place), "utf-8-sig", "surrogateescape")) as lines:
        for line in lines:
            path = line.strip("\r\n")
            if path.strip():
                yield Member(path)


def _in_zip(source: Source) -> Iterator[Member]:
    with closing(opened(source.place)) as file:
        for path, size, packed, refused in zips.entries(file):
            yield Member(path, size, packed=packed, refused=refused)


def _in_tar(source: Source) -> Iterator[Member]:
    with closing(opened(source.place)) as file:
        try:
            yield from (_of_tar(one) for one in tars.listed(file))
        except tars.Broken:
            yield _broken(source)


def _of_tar(one: tarfile.TarInfo) -> Member:
    return Member(one.name, one.size, one.offset_data, refused=None if tars.is_file(one) else "not_a_file")


def _broken(source: Source) -> Member:
    return Member(PurePosixPath(name_of(source.place)).name, refused=BROKEN)


def _kind(place: str, start: bytes) -> Kind:
    """By what it begins with; the name only decides where that says nothing."""
    name = name_of(place).lower()
    if start.startswith(tars.COMPRESSED):
        return "stream"
    if start[257:262] == b"ustar":  # first: its first name may begin as a zip does
        return "tar"
    if start.startswith(zips.BEGINS) or name.endswith(".zip"):
        return "zip"
    if name.endswith(".tar"):
        return "tar"
    if not name.endswith((".txt", ".lst")):
        raise BadRequest("no_source", f"{place} is neither a folder, a zip, a tar nor a .txt list of paths.")
    if b"\0" in start:
        raise BadRequest("no_source", f"{place} is no UTF-8; save it as UTF-8 (it may be UTF-16).")
    return "list"


def _whole_file(source: Source, member: Member) -> bytes:
    folder = source.place if source.kind == "folder" else source.base
    where = (member.path,) if "://" in member.path else (folder, member.path)
    try:
        # A pipe would be waited for. Elsewhere than here there are none, and a look costs as much as a small picture.
        if "://" not in where[0] and (kind := look(str(Path(*where))).kind) != "file":
            raise Unreadable("missing" if kind == "missing" else "not_a_file")
        with closing(opened(*where)) as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, ValueError) as error:
        raise Unreadable("missing") from error
    except OSError as error:
        raise Unreadable("not_a_file") from error
    except BadRequest as error:  # a list's path in a file system that is none
        raise Unreadable(error.code) from error
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large")
    return data


def _stretch(file: IO[bytes], member: Member) -> bytes:
    file.seek(member.offset)
    data = file.read(member.size)
    if len(data) < member.size:
        raise ValueError("the archive ends early")
    return data


def _unreachable(source: Source, error: OSError) -> Unavailable:
    return Unavailable("source_unreachable", f"{source.place} can't be read now: {error}")
