"""Days and hours of the plant: which part of the lake a report speaks of, in the plant's own time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from reports.tables import SLOT

#: Most days of the baseline that is frozen when none is given, and how many days there must be before it is.
BASELINE_DAYS, SETTLED_DAYS = 7, 3
#: An event that is appended later than this after it happened has a wrong time.
OLDEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Period:
    """Local days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def as_dict(self) -> dict[str, str]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class BaselinePeriod:
    """The days that limits come from; ``provisional`` until there are enough to freeze it."""

    period: Period
    provisional: bool


def local_hours(slots: Sequence[int], zone: ZoneInfo) -> Mapping[int, datetime]:
    """Each slot's local hour: its start on the wall with a fixed offset, so that the hour repeated in autumn is two.

    Two times of one ``ZoneInfo`` are equal whenever their clocks show the same; only a fixed offset tells them apart.
    """
    found = {}
    for slot in slots:
        wall = datetime.fromtimestamp(slot * SLOT, UTC).astimezone(zone)
        offset = timezone(wall.utcoffset() or timedelta(0))
        found[slot] = wall.replace(minute=0, second=0, microsecond=0, tzinfo=offset)
    return found


def plausible(days: Sequence[date], oldest_file: date, today: date) -> list[date]:
    """Days a clock may have shown: none after today, none more than a month before the oldest file; all, if none is."""
    kept = [day for day in sorted(days) if oldest_file - OLDEST <= day <= today]
    return kept or sorted(days)


def default_baseline(days: Sequence[date]) -> BaselinePeriod:
    """The first third of the days there are, at most a week; provisional while there are fewer than three.

    Raises:
        ValueError: no day.
    """
    if not days:
        raise ValueError("there is no day to take a baseline from")
    ordered = sorted(days)
    length = max(1, min(BASELINE_DAYS, ((ordered[-1] - ordered[0]).days + 1) // 3))
    last = ordered[0] + timedelta(days=length - 1)
    return BaselinePeriod(Period(ordered[0], last), (ordered[-1] - ordered[0]).days + 1 < SETTLED_DAYS)
