"""What is to be judged: the members of folders, zips, tars and lists, found without unpacking anything.

Zips and plain tars are listed once and read in any order; compressed tars can only be read through from the start.
Knows archives; not where they lie, and nothing of pictures.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from inspection.errors import BadRequest
from scoring.places import below, look, name_of, opened

Kind = Literal["folder", "list", "zip", "tar", "stream"]
BROKEN = "broken_archive"  # what could not be read of an archive that breaks off
MAX_BYTES = 64 * 1024 * 1024
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LOCAL = 30  # bytes of a zip's local header before the name
_ENCRYPTED = 0x1
#: What Python's archive readers raise on damaged, encrypted or oddly compressed members.
_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
    zlib.error,
)


class Unreadable(Exception):
    """One member can't be had; the argument is its error code."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its ``path`` in the source, ``size`` in bytes (-1: not known yet), where the archive has it.

    ``packed`` is what a zip's directory says of it. It travels with the member so that no worker reads the directory.
    ``changed`` is when a file of a folder was changed, in ns. ``refused`` is why there is nothing to read, if so.
    """

    path: str
    size: int = -1
    offset: int = -1
    packed: "Packed | None" = None
    changed: int = -1
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """A zip member's compressed size in bytes, compression method, CRC-32 and flags."""

    size: int
    method: int
    crc: int
    flags: int


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
    except _ERRORS as error:
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
        """
        check(member)
        try:
            if self._source.kind in ("folder", "list"):
                return self._whole_file(member)
            if self._source.kind == "zip":
                return self._from_zip(member)
            return self._from_tar(member)
        except FileNotFoundError as error:
            raise Unreadable("missing") from error
        except BadRequest as error:  # a list's path in a file system that is none
            raise Unreadable(error.code) from error
        except (*_ERRORS, KeyError) as error:
            raise Unreadable("damaged_member") from error

    def close(self) -> None:
        """Let go of the archive."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _whole_file(self, member: Member) -> bytes:
        folder = self._source.place if self._source.kind == "folder" else self._source.base
        with closing(opened(member.path) if "://" in member.path else opened(folder, member.path)) as file:
            data = bytes(file.read(MAX_BYTES + 1))
        if len(data) > MAX_BYTES:
            raise Unreadable("too_large")
        return data

    def _from_zip(self, member: Member) -> bytes:
        """By the local header (PKZIP's APPNOTE, 4.3.7): its extra field may be another than the directory's."""
        assert member.packed is not None  # noqa: S101  the listing of a zip gives it
        file = self._archive()
        file.seek(member.offset)
        header = file.read(_LOCAL)
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no local header")
        name, extra = struct.unpack("<HH", header[26:30])
        file.seek(member.offset + _LOCAL + name + extra)
        data = _unpacked(file.read(min(member.packed.size, MAX_BYTES + 1)), member.packed)
        if zlib.crc32(data) != member.packed.crc:
            raise zipfile.BadZipFile("another checksum")
        return data

    def _from_tar(self, member: Member) -> bytes:
        file = self._archive()
        file.seek(member.offset)
        data = bytes(file.read(member.size))
        if len(data) < member.size:
            raise EOFError("the archive ends early")
        return data

    def _archive(self) -> IO[bytes]:
        if self._file is None:
            self._file = opened(self._source.place)
        return self._file


def streamed(source: Source) -> Iterator[tuple[Member, bytes | Unreadable]]:
    """Read a compressed tar through: every member with its bytes, or why there are none.

    Where the stream breaks off, the last member is the archive itself: ``broken_archive``.
    """
    try:
        with closing(opened(source.place)) as raw, _inflated(raw) as file, _tar(file) as archive:
            for one in _forgetting(archive):
                member = _of_tar(one)
                try:
                    check(member)
                except Unreadable as error:
                    yield member, error
                    continue
                held = archive.extractfile(one)
                yield member, held.read() if held else b""
    except _ERRORS:
        yield _broken(source), Unreadable(BROKEN)


def check(member: Member) -> None:
    """Refuse what is not read at all. Raises Unreadable."""
    if member.refused:
        raise Unreadable(member.refused)
    if member.path.lower().endswith(ARCHIVES):
        raise Unreadable("nested_archive")
    if member.size > MAX_BYTES:
        raise Unreadable("too_large")


def identity(source: Source) -> str:
    """Place, size and time of change: a source that differs is another source. Folders differ by what is in them."""
    found = look(source.place)
    return source.place if source.kind == "folder" else f"{source.place} {found.size} {found.changed}"


def _in_folder(source: Source) -> Iterator[Member]:
    refused: dict[str, str | None] = {"file": None, "missing": "missing", "other": "not_a_file"}
    for entry in below(source.place):
        yield Member(entry.path, entry.size, changed=entry.changed, refused=refused[entry.kind])


def _in_list(source: Source) -> Iterator[Member]:
    with closing(io.TextIOWrapper(opened(source.place), "utf-8", "surrogateescape")) as lines:
        for line in lines:
            path = line.strip("\r\n")
            if path.strip():
                yield Member(path)


def _in_zip(source: Source) -> Iterator[Member]:
    with closing(opened(source.place)) as file, zipfile.ZipFile(file) as archive:
        archive.NameToInfo.clear()  # entries are let go as they pass: there may be millions
        archive.filelist.reverse()
        while archive.filelist:
            one = archive.filelist.pop()
            if not one.is_dir():
                packed = Packed(one.compress_size, one.compress_type, one.CRC, one.flag_bits)
                yield Member(one.filename, one.file_size, one.header_offset, packed)


def _in_tar(source: Source) -> Iterator[Member]:
    with closing(opened(source.place)) as file:
        try:
            with tarfile.open(fileobj=file, mode="r:", tarinfo=_Strict) as archive:
                yield from (_of_tar(one) for one in _forgetting(archive))
        except tarfile.TarError:
            yield _broken(source)


class _Strict(tarfile.TarInfo):
    """Headers whose reader takes damage and a missing end for damage; tarfile's own takes them for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Strict":
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # the end mark
                raise
            raise tarfile.ReadError(str(error)) from error


def _of_tar(one: tarfile.TarInfo) -> Member:
    """Links and devices have no picture of their own."""
    usual = one.isreg() and not one.issparse()
    return Member(one.name, one.size, one.offset_data, refused=None if usual else "not_a_file")


def _broken(source: Source) -> Member:
    return Member(PurePosixPath(name_of(source.place)).name, refused=BROKEN)


def _kind(place: str, start: bytes) -> Kind:
    """By what it begins with; the name only decides where that says nothing."""
    name = name_of(place).lower()
    if start.startswith((_GZIP, _ZSTD)):
        return "stream"
    if start.startswith(b"PK") or name.endswith(".zip"):
        return "zip"
    if start[257:262] == b"ustar" or name.endswith(".tar"):
        return "tar"
    if name.endswith((".txt", ".lst")):
        return "list"
    raise BadRequest("no_source", f"{place} is neither a folder, a zip, a tar nor a .txt list of paths.")


def _inflated(raw: IO[bytes]) -> Any:
    import pyarrow as pa

    packing = "zstd" if raw.read(len(_ZSTD)) == _ZSTD else "gzip"
    raw.seek(0)
    return pa.CompressedInputStream(raw, packing)


def _tar(file: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="r|", tarinfo=_Strict)


def _forgetting(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """All of a tar but its directories; its reader would otherwise remember every one."""
    while (one := archive.next()) is not None:
        if not one.isdir():
            yield one
        archive.members.clear()  # type: ignore[attr-defined]


def _unpacked(data: bytes, packed: Packed) -> bytes:
    if packed.flags & _ENCRYPTED:
        raise Unreadable("encrypted")
    if packed.method == zipfile.ZIP_STORED:
        return data
    if packed.method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MAX_BYTES + 1)
    raise Unreadable("unknown_compression")
