"""Files that are read on when their file system fails for a moment. Knows nothing of where they lie."""

import io
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from inspection.errors import BadRequest, Unavailable

PAUSES = (1.0, 5.0, 20.0)  # seconds before a file system that failed is tried again
#: What is said of a path for good before it was ever open; all else may be another tomorrow.
_FOR_GOOD = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ValueError, BadRequest)


class Steady(io.RawIOBase):
    """A file by what opens it; opened again, and read on from where it was, when it fails.

    Raises:
        OSError, ValueError, BadRequest: when made only, and for good: there is no such file, or it must not be read.
        Unavailable: ``source_unreachable``, it failed once more after the last pause.
    """

    def __init__(self, name: str, opened: Callable[[], Any]) -> None:
        super().__init__()
        self._name, self._opened = name, opened
        self._file: Any = None
        self._at, self._length = 0, -1
        self._length = self._tried(lambda file: int(file.seek(0, io.SEEK_END)))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._length:  # some file systems take it for a failure
            return 0

        def read(file: Any) -> int:
            file.seek(self._at)
            return int(file.readinto(buffer))

        many = self._tried(read)
        self._at += many
        return many

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if at < 0:
            raise ValueError("a position before the start")
        self._at = at
        return at

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()

    def _tried(self, act: Callable[[Any], int]) -> int:
        pauses = iter(PAUSES)
        while True:
            try:
                if self._file is None:
                    self._file = self._opened()
                return act(self._file)
            except Exception as error:  # of whatever client; HTTP's among them
                if self._length < 0 and isinstance(error, _FOR_GOOD):
                    raise
                with suppress(Exception):
                    self._file.close()
                self._file = None
                if (pause := next(pauses, None)) is None:
                    raise Unavailable("source_unreachable", f"{self._name} can't be read now: {error}") from error
                time.sleep(pause)
