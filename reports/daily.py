"""The account by append date (UTC): on which day something was stored, or is missing. Pure, as the account is."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inspection.ranges import Ranges, count, subtract, union
from inspection.reconciliation import Account, JournalAccount, Link, Stored, chained, letters_of


@dataclass(frozen=True, slots=True)
class Day:
    """One append date: ``dead`` are numbers that were never stored, ``open`` letters of any kind that are not settled.

    Over all days ``issued`` adds up to the account's, but for what is outstanding or retired: those have no day.
    """

    date: str
    stored: int = 0
    doubled: int = 0
    missing: int = 0
    dead: int = 0
    open: int = 0

    @property
    def issued(self) -> int:
        return self.stored + self.missing + self.dead


def by_day(account: Account, links: Iterable[Link], stored: Mapping[str, Stored]) -> tuple[Day, ...]:
    """A missing number belongs to the day on which the next stored number of its journal was appended."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for chain in chained(links).values():
        for link, letters, dead in letters_of(chain, stored):
            tally[link.day.isoformat()].update(open=letters, dead=dead)
    for rows in stored.values():
        before: Ranges = ()
        for day, (ranges, n) in sorted(rows.days.items()):
            fresh = count(subtract(ranges, before))
            tally[day].update(stored=fresh, doubled=n - fresh)
            before = union(before, ranges)
    for journal in account.journals:
        _missing(journal, stored.get(journal.journal, Stored((), 0)), tally)
    return tuple(Day(day, **counts) for day, counts in sorted(tally.items()))


def _missing(journal: JournalAccount, stored: Stored, tally: Mapping[str, Counter[str]]) -> None:
    begins = sorted((first, day) for day, (ranges, _) in stored.days.items() for first, _ in ranges)
    stated = journal.stated_at.date().isoformat() if journal.stated_at else None
    for first, last in journal.missing:
        index = bisect_left(begins, (last, ""))
        day = begins[index][1] if index < len(begins) else stated or (begins[-1][1] if begins else None)
        if day is not None:
            tally[day]["missing"] += last - first + 1
