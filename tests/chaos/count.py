"""The lake counted against the clients' own list, without the project's reading code; and by ``verify`` as well."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq

from inspection.reconciliation import Account
from streaming.files import Name
from streaming.folder import Folder
from streaming.verify import verify
from tests.chaos.load import Answer
from tests.services.daemon import wait


class _Read:
    """A lake whose files are fetched once: they never change."""

    def __init__(self, open_lake: Callable[[], Folder]) -> None:
        self._open = open_lake
        self._files: dict[Name, bytes] = {}

    def names(self) -> Sequence[Name]:
        return list(self._open().names())

    def open(self, name: Name) -> Any:
        if name not in self._files:
            with self._open().open(name) as file:
                self._files[name] = file.read()
        return BytesIO(self._files[name])

    def put(self, data: bytes) -> str:
        raise NotImplementedError

    def publish(self, temporary: str, name: Name) -> None:
        raise NotImplementedError

    def discard(self, temporary: str) -> None:
        raise NotImplementedError

    def tidy(self, seconds: float) -> None:
        raise NotImplementedError


class Tally:
    """What the lake holds, file by file as it grows."""

    def __init__(self, open_lake: Callable[[], Folder]) -> None:
        self._lake = _Read(open_lake)
        self._seen: set[Name] = set()
        self._events: Counter[str] = Counter()
        self._pictures: Counter[str] = Counter()

    def look(self) -> Account:
        """Read what is new, and let ``verify`` count. Raises OSError while HDFS is away."""
        verdict = verify(self._lake)
        for name in self._lake.names():
            if name not in self._seen:
                rows = pq.read_table(self._lake.open(name), columns=["event_id", "filename"])
                self._events.update(rows["event_id"].to_pylist())
                self._pictures.update(filter(None, rows["filename"].to_pylist()))
                self._seen.add(name)
        return verdict

    def lost(self, answers: Sequence[Answer]) -> list[Answer]:
        return [answer for answer in answers if not self._events[answer.event_id]]

    def doubled(self, answers: Sequence[Answer]) -> list[Answer]:
        """An event stored twice, or a picture that was repeated under its key and counted twice."""
        return [a for a in answers if self._events[a.event_id] > 1 or self._pictures[a.picture] > 1]

    @property
    def files(self) -> int:
        return len(self._seen)


def looked(tally: Tally) -> Account:
    """Look until HDFS answers."""
    verdicts: list[Account] = []

    def look() -> bool:
        verdicts.append(tally.look())
        return True

    wait(look, "HDFS")
    return verdicts[-1]


def settled(tally: Tally, answers: Sequence[Answer], seconds: float = 180) -> Account:
    """Wait until all that was answered is in the lake, or the time is up."""
    verdicts: list[Account] = []

    def all_there() -> bool:
        verdicts.append(tally.look())
        return not tally.lost(answers) and not verdicts[-1].total("outstanding")

    with suppress(AssertionError):
        wait(all_there, "the lake", seconds)
    return verdicts[-1]
