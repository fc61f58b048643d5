"""Days and hours of the plant: which part of the lake a report speaks of, in the plant's own time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from reports.tables import SLOT

#: A baseline is frozen when it holds so many days of production and so many defective parts, or that many days at most.
BASELINE_DAYS, BASELINE_DEFECTS, MOST_BASELINE_DAYS = 7, 50, 28
#: What was seen on one of the last so many days of the period is so now.
NOW_DAYS = 3
#: An event that is appended later than this after it happened has a wrong time.
OLDEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Period:
    """Local days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def now(self, day: date) -> bool:
        """Whether what was last seen on ``day`` still says how things are at the period's end."""
        return self.last - timedelta(days=NOW_DAYS) < day <= self.last

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
        wall = local(slot * SLOT, zone)
        offset = timezone(wall.utcoffset() or timedelta(0))
        found[slot] = wall.replace(minute=0, second=0, microsecond=0, tzinfo=offset)
    return found


def local(seconds: int, zone: ZoneInfo) -> datetime:
    """The time on the wall; UTC where the wall would show a year that no calendar here has (a clock was wrong)."""
    when = datetime.fromtimestamp(seconds, UTC)
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def plausible(days: Sequence[date], oldest_file: date, today: date) -> list[date]:
    """Days a clock may have shown: none after today, none more than a month before the oldest file; all, if none is."""
    kept = [day for day in sorted(days) if oldest_file - OLDEST <= day <= today]
    return kept or sorted(days)


def default_baseline(defects: Mapping[date, int]) -> BaselinePeriod:
    """The first days that hold seven of production and fifty defective parts, or 28 of production.

    ``defects``: days of production (a part was inspected) to parts called defective. Provisional, with all days there
    are, until there are enough and a later day has begun, so that the last of them is over.

    Raises:
        ValueError: no day.
    """
    if not defects:
        raise ValueError("there is no day to take a baseline from")
    days = sorted(defects)
    seen = 0
    for number, day in enumerate(days[:-1], 1):
        seen += defects[day]
        if number >= MOST_BASELINE_DAYS or (number >= BASELINE_DAYS and seen >= BASELINE_DEFECTS):
            return BaselinePeriod(Period(days[0], day), False)
    return BaselinePeriod(Period(days[0], days[-1]), True)
