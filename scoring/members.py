"""What is to be judged: the members of folders, zips, tars and lists, found without unpacking anything.

Zips and plain tars are listed once and read in any order; compressed tars can only be read through from the start.
Places are local paths or URIs of PyArrow file systems (``hdfs://``, ``s3://``). Knows nothing of pictures.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from inspection.errors import BadRequest

Kind = Literal["folder", "list", "zip", "tar", "stream"]
MAX_BYTES = 64 * 1024 * 1024
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst")
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
    """

    path: str
    size: int = -1
    offset: int = -1
    packed: "Packed | None" = None


@dataclass(frozen=True, slots=True)
class Packed:
    """A zip member's compressed size in bytes, compression method, CRC-32 and flags."""

    size: int
    method: int
    crc: int
    flags: int


@dataclass(frozen=True, slots=True)
class Source:
    """One source as given on the command line, and what it is."""

    place: str
    kind: Kind


def recognise(place: str) -> Source:
    """What a source is.

    Raises:
        BadRequest: ``no_source``, there is none, or it is neither folder, archive nor list.
    """
    import pyarrow.fs as fs

    filesystem, path = _filesystem(place)
    try:
        info = filesystem.get_file_info(path)
    except OSError as error:
        raise BadRequest("no_source", f"{place} can't be reached: {error}") from error
    if info.type == fs.FileType.Directory:
        return Source(place, "folder")
    if info.type != fs.FileType.File:
        raise BadRequest("no_source", f"{place} does not exist.")
    return Source(place, _kind_of_file(place, filesystem, path))


def members(source: Source) -> Iterator[Member]:
    """List a source that can be listed, in its own order; directory entries are no members.

    Raises:
        BadRequest: ``bad_archive``, the archive's directory is damaged.
    """
    if source.kind == "folder":
        yield from _in_folder(source)
        return
    try:
        with _opened(source.place) as file:
            if source.kind == "list":
                yield from (Member(line.strip()) for line in io.TextIOWrapper(file, "utf-8") if line.strip())
            elif source.kind == "zip":
                with zipfile.ZipFile(file) as archive:
                    for one in archive.infolist():
                        if not one.is_dir():
                            packed = Packed(one.compress_size, one.compress_type, one.CRC, one.flag_bits)
                            yield Member(one.filename, one.file_size, one.header_offset, packed)
            else:
                with tarfile.open(fileobj=file, mode="r:") as archive:
                    yield from (Member(one.name, one.size, one.offset_data) for one in _forgetting(archive))
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
            Unreadable: ``nested_archive``, ``too_large``, ``missing``, ``encrypted``, ``unknown_compression`` or
                ``damaged_member``.
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
        except (*_ERRORS, KeyError) as error:
            raise Unreadable("damaged_member") from error

    def close(self) -> None:
        """Let go of the archive."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _whole_file(self, member: Member) -> bytes:
        inside = self._source.kind == "folder"
        place = f"{self._source.place.rstrip('/')}/{member.path}" if inside else member.path
        filesystem, path = _filesystem(place)
        if filesystem.get_file_info(path).size is None:
            raise FileNotFoundError(place)
        with filesystem.open_input_stream(path) as file:
            return _bounded(file)

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
            self._file = _open(self._source.place)
        return self._file


def streamed(source: Source) -> Iterator[tuple[Member, bytes | Unreadable]]:
    """Read a compressed tar through: every member with its bytes, or why there are none.

    Raises:
        BadRequest: ``bad_archive``, the stream breaks off; what came before it is good.
    """
    try:
        with _opened(source.place) as raw, _inflated(source.place, raw) as file, _tar(file) as archive:
            for one in _forgetting(archive):
                member = Member(one.name, one.size)
                try:
                    check(member)
                except Unreadable as error:
                    yield member, error
                    continue
                held = archive.extractfile(one)
                yield member, held.read() if held else b""
    except _ERRORS as error:
        raise BadRequest("bad_archive", f"{source.place} is damaged: {error}") from error


def check(member: Member) -> None:
    """Refuse what is not read at all. Raises Unreadable."""
    if member.path.lower().endswith(ARCHIVES):
        raise Unreadable("nested_archive")
    if member.size > MAX_BYTES:
        raise Unreadable("too_large")


def identity(source: Source) -> str:
    """Place, size and time of change: a source that differs is another source."""
    filesystem, path = _filesystem(source.place)
    info = filesystem.get_file_info(path)
    return f"{source.place} {info.size} {info.mtime_ns}"


def _in_folder(source: Source) -> Iterator[Member]:
    import pyarrow.fs as fs

    filesystem, root = _filesystem(source.place)
    found = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    for info in sorted(found, key=lambda one: str(one.path)):
        if info.type == fs.FileType.File:
            yield Member(str(PurePosixPath(info.path).relative_to(root)), int(info.size))


def _kind_of_file(place: str, filesystem: Any, path: str) -> Kind:
    name = place.lower()
    if name.endswith((".tar.gz", ".tgz", ".tar.zst", ".tzst")):
        return "stream"
    with filesystem.open_input_file(path) as file:
        start = bytes(file.read(512))
    if start.startswith(b"PK"):
        return "zip"
    if start[257:262] == b"ustar" or name.endswith(".tar"):
        return "tar"
    if name.endswith((".txt", ".lst")):
        return "list"
    raise BadRequest("no_source", f"{place} is neither a folder, a zip, a tar nor a .txt list of paths.")


def _filesystem(place: str) -> tuple[Any, str]:
    import pyarrow.fs as fs

    if "://" in place:
        filesystem, path = fs.FileSystem.from_uri(place)
        return filesystem, str(path)
    return fs.LocalFileSystem(), Path(place).absolute().as_posix()


def _open(place: str) -> IO[bytes]:
    filesystem, path = _filesystem(place)
    file: IO[bytes] = filesystem.open_input_file(path)
    return file


@contextmanager
def _opened(place: str) -> Iterator[IO[bytes]]:
    file = _open(place)
    try:
        yield file
    finally:
        file.close()


def _inflated(place: str, raw: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(raw, "zstd" if place.lower().endswith("zst") else "gzip")


def _tar(file: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="r|")


def _forgetting(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a tar, whose reader would otherwise remember every one."""
    while (one := archive.next()) is not None:
        if one.isfile():
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


def _bounded(file: Any) -> bytes:
    data = bytes(file.read(MAX_BYTES + 1))
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large")
    return data
