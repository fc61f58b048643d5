"""Zips (PKZIP's APPNOTE): what the directory says of each member, and a member's bytes by its local header alone.

The directory is read here and not by Python's zipfile, which refuses a whole archive for one name that is not the
UTF-8 that its flag promises. Knows nothing of sources. Everything damaged is a ValueError.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

BEGINS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_AT64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s22x2H")
_COMMENT = 0xFFFF  # the longest that may follow the end of the directory
_WIDE = 0xFFFF_FFFF  # what stands for a number that the zip64 field holds
_ENCRYPTED = 0x1
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Packed:
    """Where a member's local header is, its compressed size in bytes, compression method and CRC-32."""

    offset: int
    size: int
    method: int
    crc: int


def entries(file: IO[bytes]) -> Iterator[tuple[str, int, Packed, str | None]]:
    """Name, size, place of every member but directories, and why it can't be unpacked, if so."""
    try:
        start, size, shift = _directory(file)
        file.seek(start)
        directory = file.read(size)
        at = 0
        while at < size:
            (mark, _, _, flags, method, _, _, crc, packed, full, name, extra, comment, _, _, _, offset) = (
                _ENTRY.unpack_from(directory, at)
            )
            if mark != b"PK\1\2":
                raise ValueError("no entry where the directory should have one")
            at += _ENTRY.size
            path = _text(directory[at : at + name])
            if _WIDE in (full, packed, offset):
                full, packed, offset = _wide(directory[at + name : at + name + extra], full, packed, offset)
            at += name + extra + comment
            if not path.endswith("/"):
                yield path, full, Packed(offset + shift, packed, method, crc), _refused(flags, method)
    except struct.error as error:
        raise ValueError("the directory ends early") from error


def read(file: IO[bytes], packed: Packed, most: int) -> bytes:
    """A member's bytes, at most one more than ``most``. The local extra field may be another than the directory's."""
    file.seek(packed.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise ValueError("no local header")
    _, name, extra = _LOCAL.unpack(header)
    file.seek(packed.offset + _LOCAL.size + name + extra)
    data = file.read(min(packed.size, most + 1))
    if packed.method == _DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error
    if zlib.crc32(data) != packed.crc:
        raise ValueError("another checksum")
    return data


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Where the directory starts, its size, and by how much all is shifted by what lies before the zip."""
    length = file.seek(0, io.SEEK_END)
    first = max(0, length - _COMMENT - _END.size - _AT64.size - _END64.size)
    file.seek(first)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        raise ValueError("it has no directory")
    *_, size, offset, _ = _END.unpack_from(tail, at)
    wide = at - _AT64.size - _END64.size
    if wide >= 0 and tail.startswith(b"PK\6\6", wide) and tail.startswith(b"PK\6\7", at - _AT64.size):
        at = wide
        *_, size, offset = _END64.unpack_from(tail, at)
    start = first + at - size
    if start < 0:
        raise ValueError("its directory would begin before the file")
    return start, size, start - offset


def _wide(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """The zip64 field holds, in this order, those of the numbers that are too large for the entry."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            found = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            return tuple(next(found, one) if one == _WIDE else one for one in numbers)
        at += 4 + length
    return numbers


def _text(name: bytes) -> str:
    """UTF-8, else what Korean Windows writes, else bytes (PEP 383). The flag isn't asked: there are those that lie."""
    name = name.partition(b"\0")[0]
    for encoding in ("utf-8", "cp949"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("utf-8", "surrogateescape")


def _refused(flags: int, method: int) -> str | None:
    if flags & _ENCRYPTED:
        return "encrypted"
    return None if method in (_STORED, _DEFLATED) else "unknown_compression"
