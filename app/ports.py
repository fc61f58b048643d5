"""What the application is given: limits, and the parts of the product it talks to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inspection.batch import Batch
from inspection.errors import BadPicture
from inspection.outbox import Backlog, Positioned
from inspection.record import Recorder, Records


class Judge(Protocol):
    """The classifier, wherever it and the decoding run. All raise Unavailable."""

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        """Decode and judge files as they were received."""
        ...

    async def heatmap(self, picture: bytes) -> npt.NDArray[np.float32]:
        """Where the network sees a defect: float32 [h, w], 0 to 1, of the picture's proportions. Raises BadPicture."""
        ...

    async def model_version(self) -> str:
        """The model in use."""
        ...


class KeyInfo(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class KeyRing(Protocol):
    """The API keys in force."""

    def check(self, secret: str) -> KeyInfo | None: ...


class Outgoing(Positioned, Protocol):
    """Events on their way, for the live feed and the backlog figure."""

    def backlog(self) -> Backlog: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may ask for, and how much may wait. Seconds, bytes, pictures."""

    max_files: int
    max_body_bytes: int
    max_held_bytes: int  # of all calls under way
    max_waiting: int
    max_batch: int
    max_batches: int  # on their way at once
    eager_batches: int  # of them however small; the others at least a quarter full
    deadline_seconds: float  # of a call that names none
    audit_sample: float
    max_batch_bytes: int = 4 * 1024 * 1024  # of several pictures; a larger one goes alone
    body_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a running application holds. ``open_access``: no key is asked for (loopback, or ``CASTING_OPEN``);
    ``local``: only this machine reaches it."""

    judge: Judge
    recorder: Recorder
    records: Records
    outgoing: Outgoing
    keys: KeyRing
    limits: Limits
    open_access: bool = True
    local: bool = True
    reports: Path | None = None
