"""Where the lake lies: a protocol, a local folder, and a twin in memory with the same behaviour.

What the protocol of the lake needs of a store is small: write under a temporary name, and one rename that succeeds
only when nobody else has the name.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from streaming.files import Name
from streaming.record import Fenced

TEMPORARY = "_tmp"


class Folder(Protocol):
    """The lake's root. Errors other than ``Fenced`` mean: unclear, look again."""

    def names(self) -> Iterable[Name]:
        """Every file of the lake, over all date folders, in no order."""
        ...

    def open(self, name: Name) -> Any:
        """A seekable binary file."""
        ...

    def put(self, data: bytes) -> str:
        """Write ``data`` durably under a temporary name, which is returned."""
        ...

    def publish(self, temporary: str, name: Name) -> None:
        """Rename, atomically and only if the name is free. Raises Fenced when it is taken."""
        ...

    def discard(self, temporary: str) -> None:
        """Remove a temporary file that won't be published, if it is still there."""
        ...

    def tidy(self, seconds: float) -> None:
        """Remove temporary files older than ``seconds``: whoever wrote them was killed, or is fenced when it wakes."""
        ...


class LocalFolder:
    """A local file system: link and unlink, because its rename would overwrite; file and folders are synced."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> Iterable[Name]:
        if not self.root.is_dir():
            return
        for folder in os.scandir(self.root):
            if folder.name.startswith("date=") and folder.is_dir():
                for file in os.scandir(folder.path):
                    name = Name.parse(folder.name, file.name)
                    if name is not None:
                        yield name

    def open(self, name: Name) -> Any:
        return (self.root / name.path).open("rb")

    def put(self, data: bytes) -> str:
        folder = self.root / TEMPORARY
        _make(folder)
        temporary = uuid.uuid4().hex
        try:
            with (folder / temporary).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:  # while a disk is full, one would be left by every try
            (folder / temporary).unlink(missing_ok=True)
            raise
        return temporary

    def publish(self, temporary: str, name: Name) -> None:
        source, target = self.root / TEMPORARY / temporary, self.root / name.path
        _make(target.parent)
        try:
            os.link(source, target)
        except FileExistsError as error:
            raise Fenced(name.path) from error
        _sync(target.parent)
        source.unlink()

    def discard(self, temporary: str) -> None:
        (self.root / TEMPORARY / temporary).unlink(missing_ok=True)

    def tidy(self, seconds: float) -> None:
        until = time.time() - seconds
        for path in (self.root / TEMPORARY).glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another one tidies too
                if path.stat().st_mtime < until:
                    path.unlink()


class MemoryFolder:
    """The twin for tests and models; passes the same contract suite."""

    def __init__(self) -> None:
        self.files: dict[Name, bytes] = {}
        self.temporary: dict[str, bytes] = {}
        self._written: dict[str, float] = {}

    def names(self) -> Iterable[Name]:
        return list(self.files)

    def open(self, name: Name) -> Any:
        return BytesIO(self.files[name])

    def put(self, data: bytes) -> str:
        temporary = uuid.uuid4().hex
        self.temporary[temporary] = data
        self._written[temporary] = time.time()
        return temporary

    def publish(self, temporary: str, name: Name) -> None:
        if name in self.files:
            raise Fenced(name.path)
        self.files[name] = self.temporary.pop(temporary)

    def discard(self, temporary: str) -> None:
        self.temporary.pop(temporary, None)

    def tidy(self, seconds: float) -> None:
        until = time.time() - seconds
        for temporary in [one for one in self.temporary if self._written[one] < until]:
            self.discard(temporary)


def _make(folder: Path) -> None:
    """Create a folder so that its entry survives a power cut."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
