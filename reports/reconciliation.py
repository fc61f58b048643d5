"""Is every event that was issued in the lake exactly once? Pure: footers and counted numbers in, an account out.

For each journal every number from 1 to the highest known (stored, in the marks, or named by a statement stored in the
journal's own partition) must be stored once, be a known dead letter, or lie before the oldest kept file. What only
another partition's statement names is outstanding: late, or lost once it is older than ten minutes.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from inspection.ranges import Ranges, count, highest, subtract, union, up_to
from reports.lake import Footer, LakeFile

LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stored:
    """What the rows show of one journal: distinct ``numbers``, ``rows`` in all; ``days``: date (ISO) to both."""

    numbers: Ranges
    rows: int
    days: Mapping[str, tuple[Ranges, int]]


@dataclass(frozen=True, slots=True)
class Said:
    """What statements stored in partition ``stored_in`` said of a journal; ``since``: when first, ``at``: when last."""

    stored_in: int
    journal: str | None
    named: int | None
    issued: int
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class JournalAccount:
    """One journal's numbers. ``missing``, ``outstanding`` and ``dead`` are ranges; ``retired`` lies before the lake."""

    journal: str
    partition: int | None
    stored: int
    doubled: int
    retired: int
    missing: Ranges
    outstanding: Ranges
    dead: Ranges

    @property
    def issued(self) -> int:
        return self.stored + self.retired + count(self.missing) + count(self.outstanding) + count(self.dead)


@dataclass(frozen=True, slots=True)
class DayAccount:
    """One append date (UTC)."""

    date: str
    stored: int = 0
    doubled: int = 0
    missing: int = 0
    dead: int = 0

    @property
    def issued(self) -> int:
        return self.stored + self.missing + self.dead


@dataclass(frozen=True, slots=True)
class Account:
    """The whole lake. ``proven_until``: the oldest of the partitions' newest statements (None: there is none)."""

    journals: tuple[JournalAccount, ...]
    days: tuple[DayAccount, ...]
    breaks: tuple[str, ...]
    dead_letters: int
    late: tuple[str, ...]
    proven_until: datetime | None
    newest_statement: datetime | None
    files: int

    def total(self, name: str) -> int:
        values = (getattr(journal, name) for journal in self.journals)
        return sum(value if isinstance(value, int) else count(value) for value in values)

    @property
    def whole(self) -> bool:
        """Nothing missing, nothing doubled, no broken chain, nothing late."""
        return not (self.total("missing") or self.total("doubled") or self.breaks or self.late)


@dataclass(slots=True)
class _Journal:
    partition: int | None = None
    seen: Ranges = ()
    dead: Ranges = ()
    retired: Ranges = ()
    own: int = 0
    own_at: datetime | None = None
    elsewhere: int = 0
    elsewhere_since: datetime | None = None
    stored: Stored = field(default_factory=lambda: Stored((), 0, {}))


def reconcile(
    files: Sequence[LakeFile],
    footers: Sequence[Footer],
    stored: Mapping[str, Stored],
    said: Sequence[Said],
    now: datetime,
) -> Account:
    """Balance the books; ``files`` and ``footers`` side by side, ``now`` (with zone) decides what is late."""
    journals: dict[str, _Journal] = defaultdict(_Journal)
    for name, rows in stored.items():
        journals[name].stored = rows
    chains: dict[tuple[str, int], list[tuple[LakeFile, Footer]]] = defaultdict(list)
    for pair in sorted(zip(files, footers, strict=True), key=lambda pair: pair[0]):
        chains[pair[0].stream].append(pair)
    breaks = [text for chain in chains.values() for text in _check(chain)]
    for chain in chains.values():
        _note_marks(chain, journals)
    for statement in said:
        _note_statement(statement, journals)
    accounts = {name: _account(name, journal) for name, journal in sorted(journals.items())}
    newest = _newest({partition for _, partition in chains}, said)
    offsets = {(file.stream, offset) for file, footer in zip(files, footers, strict=True) for offset in footer.dead}
    return Account(
        tuple(accounts.values()),
        _by_day(journals, accounts, zip(files, footers, strict=True)),
        tuple(breaks),
        len(offsets),
        tuple(_late(journals, accounts, newest, now)),
        min(newest.values(), default=None) if all(newest.values()) else None,  # type: ignore[type-var]
        max((when for when in newest.values() if when), default=None),
        len(files),
    )


def _check(chain: Sequence[tuple[LakeFile, Footer]]) -> list[str]:
    """Each file begins where the one before it ended, and says so itself."""
    found = []
    for number, (file, footer) in enumerate(chain):
        if footer.start != file.start:
            found.append(f"{file.path}: its name says {file.start}, its footer {footer.start}")
        if number == 0:
            continue
        before = chain[number - 1][1]
        if footer.start != before.resume:
            found.append(f"{file.path}: starts at {footer.start}, the file before it ends at {before.resume}")
        if footer.stream != before.stream:
            found.append(f"{file.path}: comes from {footer.stream}, the file before it from {before.stream}")
    return found


def _note_marks(chain: Sequence[tuple[LakeFile, Footer]], journals: dict[str, _Journal]) -> None:
    """Marks are cumulative: the newest file's are all that was seen; dead numbers are gathered from every file."""
    for file, footer in chain:
        for name, marks in footer.journals.items():
            journal = journals[name]
            journal.partition = file.partition
            if marks.dead and marks.dead != journal.dead:
                journal.dead = union(journal.dead, marks.dead)
    for name, marks in chain[-1][1].journals.items():
        journals[name].seen = union(journals[name].seen, marks.seen)
    first, oldest = chain[0]
    if first.start > 0:  # retention took the files before it
        for name, marks in oldest.journals.items():
            journals[name].retired = subtract(marks.seen, journals[name].stored.numbers)


def _note_statement(said: Said, journals: dict[str, _Journal]) -> None:
    if said.journal is None:
        return
    journal = journals[said.journal]
    if journal.partition is None:
        journal.partition = said.named
    if said.stored_in == said.named:
        if said.issued > journal.own:
            journal.own, journal.own_at = said.issued, said.at
    elif said.issued > journal.elsewhere:
        journal.elsewhere, journal.elsewhere_since = said.issued, said.since


def _account(name: str, journal: _Journal) -> JournalAccount:
    rows = journal.stored.numbers
    known = max(highest(rows), highest(journal.seen), journal.own)
    dead = subtract(journal.dead, rows)
    retired = subtract(journal.retired, dead)
    missing = subtract(up_to(known), union(rows, dead, retired))
    outstanding = ((known + 1, journal.elsewhere),) if journal.elsewhere > known else ()
    stored = count(rows)
    return JournalAccount(
        name,
        journal.partition,
        stored,
        journal.stored.rows - stored,
        count(retired),
        missing,
        outstanding,
        dead,
    )


def _newest(partitions: set[int], said: Sequence[Said]) -> dict[int, datetime | None]:
    newest: dict[int, datetime | None] = dict.fromkeys(partitions)
    for statement in said:
        before = newest.get(statement.stored_in)
        newest[statement.stored_in] = max(before, statement.at) if before else statement.at
    return newest


def _late(
    journals: Mapping[str, _Journal],
    accounts: Mapping[str, JournalAccount],
    newest: Mapping[int, datetime | None],
    now: datetime,
) -> list[str]:
    """What is outstanding for more than ten minutes, and partitions whose statements lag that far behind the others'.

    Statements go into all partitions at once, so a lag against the others, not against the clock, is the sign.
    """
    found = []
    for name, account in accounts.items():
        since = journals[name].elsewhere_since
        if account.outstanding and since is not None and now - since > LATE:
            first, last = account.outstanding[0]
            found.append(
                f"journal {name}: {first} to {last} outstanding since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            )
    latest = max((when for when in newest.values() if when), default=None)
    if latest is not None:
        found += [
            f"partition {partition}: its newest statement is of {when:%Y-%m-%d %H:%M} UTC"
            for partition, when in sorted(newest.items())
            if when is not None and latest - when > LATE
        ]
        found += [f"partition {p}: no statement is stored in it" for p, when in sorted(newest.items()) if when is None]
    return found


def _by_day(
    journals: Mapping[str, _Journal], accounts: Mapping[str, JournalAccount], pairs: Iterable[tuple[LakeFile, Footer]]
) -> tuple[DayAccount, ...]:
    """A missing number belongs to the day on which the next stored number of its journal was appended."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for file, footer in pairs:
        tally[file.date.isoformat()]["dead"] += len(footer.dead)
    for name, journal in journals.items():
        before: Ranges = ()
        for day, (ranges, rows) in sorted(journal.stored.days.items()):
            fresh = count(subtract(ranges, before))
            tally[day].update(stored=fresh, doubled=rows - fresh)
            before = union(before, ranges)
        _missing_by_day(journal, accounts[name].missing, tally)
    return tuple(DayAccount(day, **counts) for day, counts in sorted(tally.items()))


def _missing_by_day(journal: _Journal, missing: Ranges, tally: Mapping[str, Counter[str]]) -> None:
    begins = sorted((first, day) for day, (ranges, _) in journal.stored.days.items() for first, _ in ranges)
    stated = journal.own_at.astimezone(UTC).date().isoformat() if journal.own_at else None
    for first, last in missing:
        index = bisect_left(begins, (last, ""))
        day = begins[index][1] if index < len(begins) else stated or (begins[-1][1] if begins else None)
        if day is not None:
            tally[day]["missing"] += last - first + 1
