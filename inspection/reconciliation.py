"""Is every event that was issued in the lake exactly once? Pure: what files, rows and statements say, balanced.

The one set of rules behind ``casting verify`` and the report. For each journal every number from 1 to the highest known
(stored, in the marks, or named by a statement stored in the journal's own partition) must be stored once, be a known
dead letter, or lie before the oldest kept file. What only another partition's statement names is outstanding: late, or
lost once it is older than ten minutes. Knows no Parquet and no Spark.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from inspection.ranges import Ranges, count, highest, subtract, union, up_to

LATE = timedelta(minutes=10)
#: Statements come at least hourly. A topic that is so far behind the lake's newest statement is out of use; where the
#: newest is so old, nothing arrives any more.
SILENT = timedelta(hours=2)
#: The statements of one round go into all partitions within this time.
_ROUND = timedelta(minutes=1)
#: Topic (or ``ledger-<id>``) and partition: one chain of files.
Stream = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """What the consumer had seen of one journal, and which of it could not be read."""

    seen: Ranges
    dead: Ranges


@dataclass(frozen=True, slots=True)
class Link:
    """One file of a stream's chain: what its name says (``named``, its folder's ``day``), and its footer the rest.

    ``source`` is the cluster and topic id, or ledger; ``marks`` are those after the file; ``dead`` are offsets.
    """

    stream: Stream
    named: int
    day: date
    path: str
    source: str
    start: int
    resume: int
    marks: Mapping[str, Marks]
    dead: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the rows show of one journal: distinct ``numbers``, ``rows`` in all; ``days``: date (ISO) to both."""

    numbers: Ranges
    rows: int
    days: Mapping[str, tuple[Ranges, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """The greatest count of a journal that statements in ``stored_in`` name, and ``since`` when they name it."""

    stored_in: Stream
    journal: str
    named: int
    issued: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """The time of a stream's newest statement, and of the newest that is ten minutes old by now."""

    newest: datetime | None
    settled: datetime | None


@dataclass(frozen=True, slots=True)
class Break:
    """A chain that does not hold at a file: its name or start, or where it comes from, is not what it should be, or is
    damaged (``found`` says how)."""

    what: Literal["name", "start", "source", "damaged"]
    path: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Late:
    """``numbers`` of a journal outstanding ``since`` then, or a ``partition`` without a statement since then."""

    what: Literal["numbers", "partition"]
    where: str
    numbers: Ranges
    since: datetime | None


@dataclass(frozen=True, slots=True)
class JournalAccount:
    """One journal's numbers. ``missing``, ``outstanding`` and ``dead`` are ranges; ``retired`` lies before the lake.

    ``stated`` is the greatest count in any statement, ``stated_at`` when its own partition's first named its last.
    """

    journal: str
    partition: int | None
    stated: int
    stated_at: datetime | None
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
class Account:
    """The whole lake. ``proven_until``: the oldest of the newest statements of the partitions in use (None: one has
    none); ``dead_letters``: all that are kept, ``open_letters``: those whose number is not stored after all."""

    journals: tuple[JournalAccount, ...]
    breaks: tuple[Break, ...]
    late: tuple[Late, ...]
    dead_letters: int
    open_letters: int
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
    stored: Stored = Stored((), 0)


def reconcile(
    links: Iterable[Link],
    stored: Mapping[str, Stored],
    said: Iterable[Said],
    heard: Mapping[Stream, Heard],
    now: datetime,
) -> Account:
    """Balance the books; ``now`` (with zone) decides what is late."""
    journals: dict[str, _Journal] = defaultdict(_Journal)
    for name, rows in stored.items():
        journals[name].stored = rows
    chains = chained(links)
    for chain in chains.values():
        _note_marks(chain, journals)
    for one in sorted(said, key=lambda one: (-one.issued, one.since)):
        _note_statement(one, journals)
    accounts = tuple(_account(name, journal) for name, journal in sorted(journals.items()))
    used = _in_use(chains, heard)
    newest = [heard[stream].newest if stream in heard else None for stream in used]
    proven = [when for when in newest if when is not None]
    return Account(
        accounts,
        tuple(found for chain in chains.values() for found in _check(chain)),
        (*_outstanding(journals, accounts, now), *_behind(used, chains, heard)),
        len({(link.stream, offset) for chain in chains.values() for link in chain for offset in link.dead}),
        sum(letters for chain in chains.values() for _, letters, _ in letters_of(chain, stored)),
        min(proven) if proven and len(proven) == len(newest) else None,
        max(proven, default=None),
        sum(len(chain) for chain in chains.values()),
    )


def chained(links: Iterable[Link]) -> dict[Stream, list[Link]]:
    """Each stream's files in the order of their offsets."""
    chains: dict[Stream, list[Link]] = defaultdict(list)
    for link in sorted(links, key=lambda link: (link.stream, link.named)):
        chains[link.stream].append(link)
    return chains


def letters_of(chain: Sequence[Link], stored: Mapping[str, Stored]) -> Iterator[tuple[Link, int, int]]:
    """For each file: how many of its letters are still open, and how many dead numbers came up with it that still are.

    A letter whose number was stored later, or before in another file, is settled.
    """
    before: dict[str, Ranges] = {}
    for link in chain:
        fresh = settled = 0
        for journal, marks in link.marks.items():
            if marks.dead and marks.dead != before.get(journal):
                new = subtract(marks.dead, before.get(journal, ()))
                still = count(subtract(new, stored[journal].numbers if journal in stored else ()))
                fresh, settled = fresh + still, settled + count(new) - still
                before[journal] = union(before.get(journal, ()), new)
        yield link, max(0, len(link.dead) - settled), fresh


def heard_in(times: Iterable[datetime], now: datetime) -> Heard:
    """Of the times of a stream's statements; those that a wrong clock put into the future don't count."""
    past = [when for when in times if when <= now + LATE]
    return Heard(max(past, default=None), max((when for when in past if when < now - LATE), default=None))


def _check(chain: Sequence[Link]) -> Iterator[Break]:
    """Each file begins where the one before it ended, and says so itself."""
    before: Link | None = None
    for link in chain:
        if link.start != link.named:
            yield Break("name", link.path, str(link.start), str(link.named))
        if before is not None and link.start != before.resume:
            yield Break("start", link.path, str(link.start), str(before.resume))
        if before is not None and link.source != before.source:
            yield Break("source", link.path, link.source, before.source)
        before = link


def _note_marks(chain: Sequence[Link], journals: dict[str, _Journal]) -> None:
    """Marks are cumulative: the newest file's are all that was seen; dead numbers are gathered from every file."""
    for link in chain:
        for name, marks in link.marks.items():
            journal = journals[name]
            journal.partition = link.stream[1]
            if marks.dead and marks.dead != journal.dead:
                journal.dead = union(journal.dead, marks.dead)
    for name, marks in chain[-1].marks.items():
        journals[name].seen = union(journals[name].seen, marks.seen)
    if chain[0].named > 0:  # retention took the files before it
        for name, marks in chain[0].marks.items():
            before = subtract(marks.seen, journals[name].stored.numbers)
            journals[name].retired = union(journals[name].retired, before)


def _note_statement(said: Said, journals: dict[str, _Journal]) -> None:
    journal = journals[said.journal]
    if journal.partition is None:
        journal.partition = said.named
    if said.stored_in[1] == said.named:
        if said.issued > journal.own:
            journal.own, journal.own_at = said.issued, said.since
    elif said.issued > journal.elsewhere:
        journal.elsewhere, journal.elsewhere_since = said.issued, said.since


def _account(name: str, journal: _Journal) -> JournalAccount:
    rows = journal.stored.numbers
    known = max(highest(rows), highest(journal.seen), journal.own)
    dead = subtract(journal.dead, rows)
    retired = subtract(journal.retired, dead)
    stored = count(rows)
    return JournalAccount(
        journal=name,
        partition=journal.partition,
        stated=max(journal.own, journal.elsewhere),
        stated_at=journal.own_at,
        stored=stored,
        doubled=journal.stored.rows - stored,
        retired=count(retired),
        missing=subtract(up_to(known), union(rows, dead, retired)),
        outstanding=((known + 1, journal.elsewhere),) if journal.elsewhere > known else (),
        dead=dead,
    )


def _outstanding(journals: Mapping[str, _Journal], accounts: Sequence[JournalAccount], now: datetime) -> Iterator[Late]:
    for account in accounts:
        since = journals[account.journal].elsewhere_since
        if account.outstanding and since is not None and now - since > LATE:
            yield Late("numbers", account.journal, account.outstanding, since)


def _in_use(chains: Mapping[Stream, Sequence[Link]], heard: Mapping[Stream, Heard]) -> list[Stream]:
    """The streams of topics that statements still come into, or that are too young to have any."""
    topics: dict[str, datetime] = {}
    for stream in chains.keys() | heard.keys():
        newest = heard[stream].newest if stream in heard else None
        when = newest or _end(chains[stream][-1].day)
        topics[stream[0]] = max(topics.get(stream[0], when), when)
    last = max((one.newest for one in heard.values() if one.newest is not None), default=None)
    used = {topic for topic, when in topics.items() if last is None or last - when <= SILENT}
    return sorted(stream for stream in chains.keys() | heard.keys() if stream[0] in used)


def _behind(
    used: Sequence[Stream], chains: Mapping[Stream, Sequence[Link]], heard: Mapping[Stream, Heard]
) -> Iterator[Late]:
    """Partitions that lack a statement which another one of their topic has, and has had for ten minutes.

    Statements go into all partitions at once, so a lag against the others, not against the clock, is the sign. One
    without any statement may be new on the day of its first file.
    """
    for stream in used:
        newest = heard[stream].newest if stream in heard else None
        known = newest or _end(chains[stream][0].day)
        others = [heard[other].settled for other in used if other in heard and other[0] == stream[0]]
        if any(when is not None and when - known > _ROUND for when in others):
            yield Late("partition", f"{stream[0]} {stream[1]}", (), newest)


def _end(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
