"""What the application asks of the ledger: record with one commit, then read back. Types and protocols only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from inspection.events import Event


@dataclass(frozen=True, slots=True)
class Draft:
    """An event without journal and number, and the picture to keep with it (None: the picture is not kept)."""

    event: Event
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key (already scoped to who called) and the SHA-256 over what was sent with it."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One call: its events, stored all or none, and how its answer's body is made once they are numbered."""

    drafts: tuple[Draft, ...]
    render: Callable[[tuple[Event, ...]], bytes]
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The committed answer. ``replayed``: an earlier call with this key was answered so; ``events`` is then empty."""

    body: bytes
    events: tuple[Event, ...]
    replayed: bool = False


class Recorder(Protocol):
    """One writer process: groups what is in flight into shared commits."""

    def submit(self, entry: Entry) -> "Future[Receipt]":
        """Record; done only after the commit.

        The future raises:
            Conflict: ``idempotency_mismatch``, the key was used with other content; ``held_by_another``, an audit of
                a part that somebody else is looking at.
            NotFound: ``no_such_inspection``, an audit of nothing.
            BadRequest: ``not_recordable``, its content can't be stored (too large, not finite).
            Unavailable: ``ledger_unavailable``, nothing is known to be stored; the same call may be repeated.
        """
        ...

    def answer(self, key: IdempotencyKey) -> bytes | None:
        """The stored body of an earlier call with this key, before any work is spent on it; raises Conflict."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Filters of the history; None means any. Times are compared with ``occurred_at``; newest first."""

    verdict: str | None = None
    prediction: str | None = None
    model_version: str | None = None
    part_id: str | None = None
    lot: str | None = None
    line: str | None = None
    camera: str | None = None
    shift: str | None = None
    operator: str | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_p: float | None = None
    max_p: float | None = None
    text: str | None = None  # prefix of event_id, part_id, lot or filename


@dataclass(frozen=True, slots=True)
class Page:
    """Found inspections and where the next page begins (None: this is the last)."""

    items: tuple[Event, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A part to settle, held for one auditor for a while; ``blind``: verdict, score and heatmap stay hidden."""

    inspection: Event
    blind: bool
    waiting: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An alert that somebody has seen to: the inspection, who, and when (RFC 3339, UTC)."""

    inspection: Event
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Cell:
    """How many inspections of one ``verdict`` a ``line`` (None: not said) had in the hour from ``hour`` (UTC) on."""

    hour: str
    line: str | None
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Of answers, ms; None where there were none."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What was inspected ``since`` (RFC 3339, UTC), and how many parts wait for a decision now."""

    since: str
    verdicts: Mapping[str, int]
    cells: tuple[Cell, ...]
    waiting: int
    latency_ms: Latency


class Records(Protocol):
    """Reading back, and what people do with inspections."""

    def search(self, search: Search, cursor: str | None = None, limit: int = 50) -> Page: ...

    def stream(self, search: Search) -> Iterator[Event]:
        """All that matches, newest first, in bounded memory (CSV)."""
        ...

    def inspection(self, event_id: str) -> Event:
        """Raises NotFound."""
        ...

    def audits(self, inspection_id: str) -> Sequence[Event]: ...

    def picture(self, event_id: str) -> bytes:
        """The kept picture; raises NotFound when it was not kept or its time is over."""
        ...

    def has_picture(self, event_id: str) -> bool:
        """Whether the picture is still kept."""
        ...

    def next_to_review(self, auditor: str) -> Held | None:
        """The oldest waiting part that is nobody else's, or the one that ``auditor`` holds already; held for 2 min."""
        ...

    def release(self, inspection_id: str, auditor: str, skipped: bool = True) -> None:
        """Give a held part back: skipped, to the end of the queue; otherwise it keeps its place."""
        ...

    def summary(self, since: datetime) -> Summary: ...

    def open_alerts(self) -> Sequence[Event]: ...

    def acknowledged_alerts(self, limit: int = 50) -> Sequence[Acknowledged]:
        """What was acknowledged last, newest first."""
        ...

    def acknowledgement(self, event_id: str) -> tuple[str, str] | None:
        """By whom and when (RFC 3339, UTC) its alert was acknowledged."""
        ...

    def acknowledge(self, event_ids: Sequence[str], by: str) -> None:
        """All of these alerts or none; raises NotFound."""
        ...

    def writable(self) -> bool: ...
