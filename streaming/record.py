"""One record on its way to the lake, whatever carries it; and what a consumer reports as a loss."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime


class Loss(Exception):
    """The stream no longer holds what the lake continues from: a loss to report, never to skip."""


class Fenced(Exception):
    """The file could not be renamed to its name: another consumer wrote it, or the outcome is unclear."""


@dataclass(frozen=True, slots=True)
class Record:
    """``offset`` in its partition, the broker's append time (UTC), journal and number from the headers, the value."""

    offset: int
    appended_at: datetime
    journal: str | None
    number: int | None
    value: bytes

    @property
    def date(self) -> date:
        return self.appended_at.astimezone(UTC).date()

    @property
    def digest(self) -> str:
        """What this record is recognised by when a consumer takes over."""
        return hashlib.sha256(self.value).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Stream:
    """A partition: ``id`` names cluster and topic (or the ledger) for ever, ``topic`` names the files."""

    id: str
    topic: str
    partition: int
