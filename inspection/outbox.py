"""What carries events from a ledger to the lake, as seen from either side.

The ledger implements these protocols, the relay and the embedded consumer use them; neither knows the other.
The words: a *journal* numbers the events of one writer 1, 2, 3 ... without gaps; a *line* is what carries events
(``embedded:<ledger id>``, or ``<cluster id>:<topic id>`` of Kafka); a *position* is an event's place in the one
dense order that the relay gives (0, 1, 2 ... over all lines), and never changes.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

#: What the id of a line begins with that the ledger itself carries.
EMBEDDED = "embedded:"


@dataclass(frozen=True, slots=True)
class Carried:
    """One event on its way: ``payload`` is the event as JSON, ``positioned_at`` (UTC) when it got its position."""

    position: int
    positioned_at: datetime
    journal: str
    number: int
    partition: int
    event_id: str
    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class JournalCount:
    """How far a journal was acknowledged: every number from 1 to ``acknowledged`` is on the line or an earlier one."""

    journal: str
    partition: int
    acknowledged: int


class Turn(Protocol):
    """What only the relay that holds the lock may do; each call but the first is one transaction on its connection.

    Every method raises ``inspection.errors.Unavailable`` when the lock or the connection was lost: then the turn is
    over, and whatever was sent without being marked is sent again by the next one.
    """

    def work_on(self, line: str, partitions: int, sent: bool = False) -> None:
        """Begin to work on ``line``, which has so many partitions: before anything else, and when another is reached.

        Events that another line did not acknowledge are this one's from now on, at the positions that they have; what
        that line has after all lies on both then, and nothing is lost. ``sent`` as in :meth:`position`. Writers' open
        journals that other lines carried, or whose partition is not there, are closed, and so are those of earlier
        statements. In several transactions.
        """
        ...

    def position(self, line: str, limit: int, sent: bool = False) -> int:
        """Give up to ``limit`` committed events without a position the next dense positions, the time and ``line``.

        Within a journal positions follow the numbers. ``sent`` marks them acknowledged at once (embedded: the ledger
        itself carries them). Returns how many got one.
        """
        ...

    def unsent(self, line: str, limit: int, after: int = -1) -> Sequence[Carried]:
        """Events of ``line`` with a position above ``after`` that are not marked sent, in position order."""
        ...

    def mark_sent(self, line: str, positions: Sequence[int]) -> None:
        """Mark exactly these as acknowledged by the line."""
        ...

    def acknowledged(self, line: str) -> Sequence[JournalCount]:
        """The journals that a statement on ``line`` names now.

        Every journal with an event on this line, unless it is closed for good and a statement with its last number was
        acknowledged seven days ago. Statement journals are named too.
        """
        ...

    def state(self, partition: int, counts: Sequence[JournalCount]) -> None:
        """Write a statement event naming ``counts`` into this turn's own statement journal of ``partition``.

        A turn's own: a database that was put back would give an earlier one's numbers a second time.
        """
        ...


class Outbox(Protocol):
    """A ledger as the relay sees it."""

    @property
    def ledger_id(self) -> str:
        """A random id that names this ledger for ever."""
        ...

    def turn(self) -> AbstractContextManager[Turn | None]:
        """Try to become the one working relay; None when another is."""
        ...

    def numbered(self, journal: str, first: int, last: int) -> Sequence[Carried]:
        """The events of ``journal`` from number ``first`` to ``last`` that have a position, in order; for a repair."""
        ...

    def backlog(self) -> "Backlog":
        """How much is committed and not yet acknowledged by any line, or stored by its own consumer."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events that wait for the lake, and when the oldest of them was committed (UTC; None when there is none)."""

    events: int
    oldest: datetime | None


class Positioned(Protocol):
    """A ledger as the embedded consumer and the live feed see it: events by position, only those that have one."""

    def from_position(self, position: int, limit: int, line: str | None = None) -> Sequence[Carried]:
        """Events at or above ``position`` in order, of ``line`` only where one is named."""
        ...

    def note_stored(self, line: str, before: int) -> None:
        """The lake has every event of this embedded ``line`` at a position below ``before``."""
        ...

    def lines(self) -> Sequence[str]:
        """Every line that ever carried an event, in the order in which they came."""
        ...

    def next_position(self) -> int:
        """The position that the next event will get."""
        ...
