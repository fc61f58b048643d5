"""Tars: a plain one is listed, a compressed one can only be read through from the start.

By Python's tarfile, which takes damage for the end and believes whatever size a header names; here everything damaged
is :class:`Broken`. Knows nothing of sources.
"""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, cast

_GZIP = b"\x1f\x8b"
#: What a compressed one begins with: gzip, zstd, or one of the frames of zstd that hold nothing.
COMPRESSED = (_GZIP, b"\x28\xb5\x2f\xfd", *(bytes([0x50 + one, 0x2A, 0x4D, 0x18]) for one in range(16)))
HEADER = 1024 * 1024  # bytes of a long name or of pax records; whole in memory
_LONG = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
#: What tarfile raises on damaged headers, and PyArrow (an OSError) on what can't be unpacked.
_DAMAGED = (tarfile.TarError, OSError, EOFError, ArithmeticError, LookupError, RuntimeError, ValueError)


class Broken(Exception):
    """The tar breaks off here."""


def listed(file: IO[bytes]) -> Iterator[tarfile.TarInfo]:
    """All of a plain tar but its directories. Raises Broken."""
    with _broken(), tarfile.open(fileobj=cast(Any, _Ending(file)), mode="r:", tarinfo=_Strict) as archive:
        yield from _forgetting(archive)


def streamed(raw: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, Callable[[], bytes]]]:
    """All of a compressed tar but its directories, each with what reads it before the next. Both raise Broken."""
    import pyarrow as pa

    packing = "gzip" if raw.read(len(_GZIP)) == _GZIP else "zstd"
    raw.seek(0)
    with (
        _broken(),
        pa.CompressedInputStream(raw, packing) as file,
        tarfile.open(fileobj=cast(Any, _Ending(file)), mode="r|", tarinfo=_Strict) as archive,
    ):
        for one in _forgetting(archive):
            yield one, partial(_content, archive, one)


def is_file(one: tarfile.TarInfo) -> bool:
    """Whether it has a content of its own: links and devices have none."""
    return one.isreg() and not one.issparse()


class _Strict(tarfile.TarInfo):
    """Headers whose reader takes damage for damage; tarfile's own takes it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Strict":
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # the end mark
                raise
            raise tarfile.ReadError(str(error)) from error

    def _proc_member(self, archive: tarfile.TarFile) -> "_Strict":
        """Where tarfile reads what belongs to a header, and where its documentation lets it be overridden."""
        if self.size < 0 or (self.type in _LONG and self.size > HEADER):
            raise tarfile.ReadError("a size that can't be")
        try:
            one: _Strict = super()._proc_member(archive)  # type: ignore[misc]
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if one.size < 0:  # by pax records; tarfile would go backwards, for ever
            raise tarfile.ReadError("a size below nothing")
        return one


class _Ending:
    """A file that says where it ends; tarfile would go on asking it, as often as the size in a header wants."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if size and not data:
            raise EOFError("the archive ends early")
        return data


def _forgetting(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """All but directories; tarfile would remember every one."""
    while (one := archive.next()) is not None:
        if not one.isdir():
            yield one
        archive.members.clear()  # type: ignore[attr-defined]


def _content(archive: tarfile.TarFile, one: tarfile.TarInfo) -> bytes:
    try:
        held = archive.extractfile(one)
        return held.read() if held else b""
    except _DAMAGED as error:
        raise Broken(str(error)) from error


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise Broken(str(error)) from error
