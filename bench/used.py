"""What a process and all that it started use. Knows nothing of what they do."""

import threading
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds so far, those of ended children included, and the summed proportional memory (PSS) in MiB."""

    cpu: float
    pss_mib: float


def used(root: psutil.Process, itself: bool = True) -> Used:
    """``root`` (unless not ``itself``) and its descendants; what ends meanwhile is left out."""
    cpu = pss = 0.0
    for process in _family(root, itself):
        try:
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            pss += process.memory_full_info().pss
        except psutil.Error:
            continue
    return Used(cpu, pss / 2**20)


def _family(root: psutil.Process, itself: bool) -> list[psutil.Process]:
    try:
        return [*([root] if itself else []), *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Watch:
    """Looks at a process tree every so many ``seconds`` while its block runs."""

    def __init__(self, root: psutil.Process, seconds: float, itself: bool = True) -> None:
        self._root, self._seconds, self._itself = root, seconds, itself
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: list[Used] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def most(self) -> Used:
        """The greatest CPU and the greatest memory that were seen."""
        return Used(
            max((one.cpu for one in self.seen), default=0.0), max((one.pss_mib for one in self.seen), default=0.0)
        )

    def _look(self) -> None:
        while not self._over.wait(self._seconds):
            self.seen.append(used(self._root, self._itself))
