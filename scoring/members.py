"""What is to be judged: the members of folders, zips, tars and lists, found without unpacking anything.

Zips and plain tars are listed once and read in any order; compressed tars can only be read through from the start.
Places are local paths or URIs of PyArrow file systems (``hdfs://``, ``s3://``). Knows nothing of pictures.
"""

import io
import lzma
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
#: What Python's archive readers raise on damaged, encrypted or oddly compressed members.
_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


class Unreadable(Exception):
    """One member can't be had; the argument is its error code."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its ``path`` in the source, ``size`` in bytes (-1: not known yet), where a plain tar has it."""

    path: str
    size: int = -1
    offset: int = -1


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
                    yield from (Member(one.filename, one.file_size) for one in archive.infolist() if not one.is_dir())
            else:
                with tarfile.open(fileobj=file, mode="r:") as archive:
                    yield from (Member(one.name, one.size, one.offset_data) for one in archive if one.isfile())
    except _ERRORS as error:
        raise BadRequest("bad_archive", f"{source.place} is damaged: {error}") from error


class Reader:
    """Reads listed members of one source; open for as long as it is used, by one thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file: Any = None
        self._zip: zipfile.ZipFile | None = None

    def read(self, member: Member) -> bytes:
        """The member's bytes.

        Raises:
            Unreadable: ``nested_archive``, ``too_large``, ``missing`` or ``damaged_member``.
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
        if self._zip is not None:
            self._zip.close()
        if self._file is not None:
            self._file.close()
        self._file, self._zip = None, None

    def _whole_file(self, member: Member) -> bytes:
        inside = self._source.kind == "folder"
        place = f"{self._source.place.rstrip('/')}/{member.path}" if inside else member.path
        filesystem, path = _filesystem(place)
        if filesystem.get_file_info(path).size is None:
            raise FileNotFoundError(place)
        with filesystem.open_input_stream(path) as file:
            return _bounded(file)

    def _from_zip(self, member: Member) -> bytes:
        if self._zip is None:
            self._file = _open(self._source.place)
            self._zip = zipfile.ZipFile(self._file)
        with self._zip.open(member.path) as file:
            return _bounded(file)

    def _from_tar(self, member: Member) -> bytes:
        if self._file is None:
            self._file = _open(self._source.place)
        self._file.seek(member.offset)
        data = bytes(self._file.read(member.size))
        if len(data) < member.size:
            raise EOFError("the archive ends early")
        return data


def streamed(source: Source) -> Iterator[tuple[Member, bytes | Unreadable]]:
    """Read a compressed tar through: every member with its bytes, or why there are none.

    Raises:
        BadRequest: ``bad_archive``, the stream breaks off; what came before it is good.
    """
    try:
        with _opened(source.place) as raw, _inflated(source.place, raw) as file, _tar(file) as archive:
            for one in archive:
                if one.isfile():
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


def _bounded(file: Any) -> bytes:
    data = bytes(file.read(MAX_BYTES + 1))
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large")
    return data
