"""Where sources lie: local paths, ``s3://`` and other URIs of PyArrow, and ``hdfs://``, which goes by WebHDFS.

Knows nothing of archives and pictures. Names that are not UTF-8 keep their bytes (PEP 383).
"""

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import urlsplit

from inspection.errors import BadRequest
from scoring.steady import Steady


@dataclass(frozen=True, slots=True)
class Entry:
    """What is at a path: ``path`` below the folder that was listed, ``size`` in bytes, time of change in ns."""

    path: str
    kind: Literal["file", "folder", "other", "missing"]
    size: int = -1
    changed: int = -1


def look(place: str) -> Entry:
    """What is at a place.

    Raises:
        BadRequest: ``no_source``, its file system can't be reached.
    """
    if "://" not in place:
        return _local("", Path(place))
    try:
        filesystem, path = _remote(place)
        return _entry("", filesystem.get_file_info(path))
    except (OSError, ValueError, RuntimeError) as error:  # the last by a NameNode that stands by
        raise BadRequest("no_source", f"{place} can't be reached: {error}") from error


def below(place: str) -> Iterator[Entry]:
    """Everything in a folder but folders, links followed, in an order that stays the same.

    Raises:
        OSError: it can't be listed. A local subfolder that can't be is an entry of kind "other".
    """
    if "://" not in place:
        yield from _within(Path(place))
        return
    import pyarrow.fs as fs

    filesystem, root = _remote(place)
    for info in sorted(filesystem.get_file_info(fs.FileSelector(root, recursive=True)), key=lambda one: str(one.path)):
        if info.type != fs.FileType.Directory:
            yield _entry(str(info.path)[len(root.rstrip("/")) + 1 :].lstrip("/"), info)


def opened(place: str, path: str = "") -> IO[bytes]:
    """Open a place, or ``path`` below it, for reading at any position.

    Raises:
        OSError: there is no such file, or it must not be read.
        BadRequest: ``no_source``, there is no such file system.
        Unavailable: ``source_unreachable``, its file system fails, when opened or at any read.
    """
    name = shown(f"{place}/{path}" if path else place)
    return io.BufferedReader(Steady(name, partial(_open, place, path)))


def name_of(place: str) -> str:
    """The path without what a URI asks of its file system (``s3://bucket/key?endpoint_override=…``)."""
    return urlsplit(place).path if "://" in place else place


def shown(path: str) -> str:
    """A path as text that can be stored: bytes that are not UTF-8 as ``\\xNN``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _open(place: str, path: str) -> Any:
    if "://" not in place:
        return Path(place, path).open("rb", buffering=0)
    filesystem, root = _remote(place)
    full = f"{root.rstrip('/')}/{path}" if path else root
    try:
        return filesystem.open_input_file(full)
    except Exception:
        kind = _entry("", filesystem.get_file_info(full)).kind  # a lost connection is "not found" to some, until asked
        if kind == "missing":
            raise FileNotFoundError(full) from None
        if kind != "file":
            raise IsADirectoryError(full) from None
        raise


def _within(root: Path) -> Iterator[Entry]:
    """Depth first, without recursion: folders lie as deep as a path is long."""
    folders = [_folder(root, "")]
    while folders:
        entry = next(folders[-1][1], None)
        if entry is None:
            folders.pop()
        elif entry.kind != "folder":
            yield entry
        elif not os.access(root / entry.path, os.R_OK | os.X_OK):
            yield Entry(entry.path, "other")
        else:
            inner = _folder(root, entry.path)
            if inner[0] not in (outer for outer, _ in folders):  # else a link back up
                folders.append(inner)


def _folder(root: Path, path: str) -> tuple[tuple[int, int], Iterator[Entry]]:
    """A folder's identity, and what is in it."""
    folder = root / path
    here = folder.stat()
    entries = (_local(f"{path}/{full.name}" if path else full.name, full) for full in sorted(folder.iterdir()))
    return (here.st_dev, here.st_ino), entries


def _local(path: str, full: Path) -> Entry:
    try:
        found = full.stat()
    except (OSError, ValueError):  # a loop of links, a name with a NUL
        return Entry(path, "missing")
    if stat.S_ISDIR(found.st_mode):
        return Entry(path, "folder", changed=found.st_mtime_ns)
    kind: Literal["file", "other"] = "file" if stat.S_ISREG(found.st_mode) else "other"
    return Entry(path, kind, found.st_size, found.st_mtime_ns)


def _entry(path: str, info: Any) -> Entry:
    import pyarrow.fs as fs

    kinds: dict[Any, Literal["file", "folder", "missing"]] = {
        fs.FileType.File: "file",
        fs.FileType.Directory: "folder",
        fs.FileType.NotFound: "missing",
    }
    size, changed = info.size, info.mtime_ns
    return Entry(path, kinds.get(info.type, "other"), -1 if size is None else int(size), changed or -1)


@lru_cache(64)
def _remote(place: str) -> tuple[Any, str]:
    """The file system of a URI and the path in it.

    Raises:
        BadRequest: ``no_source``, there is no such file system.
        OSError: it can't be reached.
    """
    import pyarrow.fs as fs

    try:
        if place.startswith("hdfs://"):
            return fs.PyFileSystem(fs.FSSpecHandler(_webhdfs())), urlsplit(place).path or "/"
        filesystem, path = fs.FileSystem.from_uri(place)
        return filesystem, str(path)
    except ValueError as error:
        raise BadRequest("no_source", f"{place} can't be reached: {error}") from error


def _webhdfs() -> Any:
    """By HTTP as the consumer does: PyArrow's own client needs Hadoop's libraries and a JVM on every node.

    Actors are processes too, and may be on other machines: each reads its own settings.
    """
    from fsspec.implementations.webhdfs import WebHDFS

    from inspection.settings import Shared

    class Dated(WebHDFS):  # type: ignore[misc]
        """With the time of change where PyArrow looks for it."""

        @staticmethod
        def _process_info(info: dict[str, Any]) -> dict[str, Any]:
            info["mtime"] = info["modificationTime"] / 1000
            processed: dict[str, Any] = WebHDFS._process_info(info)
            return processed

    address = urlsplit(Shared().webhdfs)
    secure = address.scheme == "https"
    user = os.environ.get("HADOOP_USER_NAME")
    return Dated(address.hostname, port=address.port or (9871 if secure else 9870), user=user, use_https=secure)
