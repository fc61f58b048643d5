"""One report from beginning to end: list the lake, count with Spark, reconcile, compute, write.

The report is one plain value (``report.json``); the page is made from it and from nothing else.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import structlog

from inspection.errors import InspectorError
from inspection.ranges import Ranges
from inspection.reconciliation import Account, reconcile
from reports import control, counting, moving, quality, tables, truth
from reports.compact import preferred
from reports.daily import Day, by_day
from reports.days import CountedDays, recount
from reports.findings import findings
from reports.lake import LakeUnreadable, unreadable
from reports.numbers import say
from reports.period import BaselinePeriod, Period, default_baseline, local_hours, plausible
from reports.storage import LocalStorage, Storage, storage_for, whole

SCHEMA = "report/1"
GROUPS = ("day", "hour", "line", "camera", "shift", "lot", "model_version")
_SMALL = ("cells", "histograms", "chosen", "audits")
#: So many lots stand in the JSON and on the page; all of them in the Parquet tables.
MOST_LOTS = 1000
_MOST_DOUBLED = 10_000
_log = structlog.get_logger(__name__)


class NoSuchPeriod(InspectorError):
    """The days wanted are none: the first comes after the last."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to speak of. Days are local to ``zone``; None: from the lake's first, or to its last day."""

    lake: str
    zone: ZoneInfo
    first: date | None = None
    last: date | None = None
    baseline: Period | None = None
    reports: str | None = None
    card: Mapping[str, Any] | None = None

    @property
    def root(self) -> str:
        return whole(self.lake)

    @property
    def place(self) -> str:
        """Where reports lie: beside the root, never in it."""
        return whole(self.reports) if self.reports else f"{self.root.rpartition('/')[0]}/reports"

    def folder(self, last: str) -> str:
        """Where the report up to ``last`` lies: one that begins later than the lake never lies where the whole does."""
        return f"{self.place}/date={last}" + (f"_from={self.first.isoformat()}" if self.first else "")


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that Spark found, as small Arrow tables."""

    account: Account
    days: tuple[Day, ...]
    cells: pa.Table
    firsts: pa.Table
    histograms: pa.Table
    chosen: pa.Table
    audits: pa.Table
    doubled: Mapping[str, Ranges] = field(default_factory=dict)


def count(spark: Any, storage: Storage, wanted: Wanted, now: datetime) -> Counts:
    """Run Spark over what is not counted yet, and reconcile the whole lake.

    Files that go while they are read (a copy that is made again, retention) are no error: the lake is listed again.

    Raises:
        LakeUnreadable: no such lake, a file in it that is none, or one that Spark twice could not read.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        return _count(spark, storage, wanted, now)
    except (PySparkException, Py4JJavaError, FileNotFoundError, LakeUnreadable) as error:
        _log.warning("counted_again", reason=type(error).__name__)
    try:
        return _count(spark, storage, wanted, now)
    except (PySparkException, Py4JJavaError, FileNotFoundError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise unreadable(wanted.root, f"Spark could not read it: {type(error).__name__} {first}") from error


def _count(spark: Any, storage: Storage, wanted: Wanted, now: datetime) -> Counts:
    root = wanted.root
    files = storage.lake_files(root)
    links = counting.read_links(storage, files)
    days = CountedDays(spark, storage, root, f"{wanted.place}/_days", partial(preferred, storage, root))
    days.count(files)
    stored = counting.stored_numbers(days.table("numbers").toArrow())
    said = counting.statements(days.table("statements").toArrow())
    account = reconcile(links, stored, said, counting.heard(days.table("heard"), now), now)
    names = (*_SMALL, "parts")
    twice: Mapping[str, Ranges] = {}
    frames = {name: days.table(name) for name in names}
    if account.total("doubled"):
        twice = counting.numbers_of(
            tables.doubled(tables.events(spark, root, files), days.table("numbers"), _MOST_DOUBLED).toArrow()
        )
        frames = dict(recount(spark, root, files, names))
    small = {name: frames[name].toArrow() for name in _SMALL}
    for name in ("chosen", "audits"):  # the same sums to the last digit, in whatever order Spark gives the rows
        small[name] = small[name].sort_by("event_id")
    firsts = tables.first_inspections(frames["parts"]).toArrow()
    return Counts(account, by_day(account, links, stored), firsts=firsts, doubled=twice, **small)


def compose(counts: Counts, wanted: Wanted, frozen: Period | None, now: datetime) -> dict[str, Any]:
    """The report: what ``report.json`` holds (NaN and infinities as null). ``frozen``: the baseline, if one is.

    Raises:
        NoSuchPeriod: the lake has none of the days wanted.
    """
    everything = quality.counted(counts.cells, counts.firsts, wanted.zone)
    days = plausible_days(counts, wanted.zone, now) or [now.astimezone(wanted.zone).date()]
    misdated = everything.outside(Period(days[0], days[-1]))
    period = chosen_period(wanted, days)
    sensible = everything.within(Period(days[0], days[-1]))
    baseline = _baseline(frozen, quality.defects_by_day(sensible), period)
    rows = everything.within(period)
    chosen = _within(counts.chosen, period, wanted.zone)
    audits = _within(counts.audits, period, wanted.zone)
    settled = truth.settle(chosen, truth.truths(counts.audits))  # an audit may come after the period
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "timezone": str(wanted.zone),
        "lake": wanted.lake,
        "period": period.as_dict(),
        "baseline": {**baseline.period.as_dict(), "provisional": baseline.provisional},
        "reconciliation": {
            **reconciliation(counts, everything),
            "misdated": misdated,
        },
        "quality": {
            "total": quality.totals(rows),
            **{f"by_{name}": quality.by(rows, name) for name in GROUPS},
            "charts": control.control_charts(sensible, period, baseline),
            "lots": quality.lots(rows),
            "defect_types": truth.defect_types(audits),
        },
        "truth": {
            **truth.rates(settled),
            "calibration": truth.calibration(settled),
            "agreement": truth.agreements(audits, counts.chosen),
            "chosen": chosen.num_rows,
            "audits": audits.num_rows,
        },
        "drift": moving.drifts(moving.daily(counts.histograms, wanted.zone), baseline.period, period, wanted.card),
    }
    told["findings"] = findings(told)
    return dict(_finite(told))


def chosen_period(wanted: Wanted, days: Sequence[date]) -> Period:
    """The days wanted, or all of ``days``. Raises NoSuchPeriod when that is none."""
    period = Period(wanted.first or days[0], wanted.last or days[-1])
    if period.first > period.last:
        said = f"There is no day from {period.first} to {period.last}: the lake has {days[0]} to {days[-1]}."
        raise NoSuchPeriod("no_such_period", said)
    return period


def plausible_days(counts: Counts, zone: ZoneInfo, now: datetime) -> list[date]:
    """The local days of the lake's inspections, without those that only a wrong clock can have shown."""
    seen = {hour.date() for hour in local_hours(sorted(set(counts.cells["slot"].to_pylist())), zone).values()}
    days = [date.fromisoformat(day.date) for day in counts.days]
    today = now.astimezone(zone).date()
    return plausible(sorted(seen), min(days, default=today), today)


def reconciliation(counts: Counts, everything: quality.Counted) -> dict[str, Any]:
    """The account as the report tells it; numbers of journals are named where something is wrong."""
    account, doubled = counts.account, counts.doubled
    names = ("issued", "stored", "missing", "doubled", "outstanding", "retired")
    troubled = [
        {
            "journal": journal.journal,
            "partition": journal.partition,
            "issued": journal.issued,
            "stored": journal.stored,
            "doubled": journal.doubled,
            "doubled_numbers": [list(pair) for pair in doubled.get(journal.journal, ())[:100]],
            "missing": [list(pair) for pair in journal.missing[:100]],
            "outstanding": [list(pair) for pair in journal.outstanding],
            "dead": [list(pair) for pair in journal.dead[:100]],
            "text": say(journal.missing or journal.outstanding),
        }
        for journal in account.journals
        if journal.missing or journal.doubled or journal.outstanding or journal.dead
    ]
    return {
        "whole": account.whole,
        **{name: account.total(name) for name in names},
        "dead": account.dead_letters,
        "open_letters": account.open_letters,
        "inspections": sum(everything.inspections),
        "rejected": everything.pictures("rejected"),
        "journals": len(account.journals),
        "files": account.files,
        **{name: _when(getattr(account, name)) for name in ("proven_until", "newest_statement")},
        "breaks": [asdict(found) for found in account.breaks],
        "late": [{**asdict(late), "since": _when(late.since)} for late in account.late],
        "troubled": troubled,
        "by_day": [{**asdict(day), "issued": day.issued} for day in counts.days],
    }


def _when(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _within(table: pa.Table, period: Period, zone: ZoneInfo) -> pa.Table:
    first = datetime.combine(period.first, datetime.min.time(), zone).timestamp() * 1e6
    end = math.inf
    if period.last < date.max:
        end = datetime.combine(period.last + timedelta(days=1), datetime.min.time(), zone).timestamp() * 1e6
    return table.filter(pa.array([first <= at < end for at in table["at"].to_pylist()], pa.bool_()))


def _finite(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _brief(report: Mapping[str, Any]) -> dict[str, Any]:
    """Without the lots that nobody reads; they are sorted by what makes them worth reading."""
    found: dict[str, Any] = dict(report["quality"])
    lots = {**found["lots"], "lots": found["lots"]["lots"][:MOST_LOTS]}
    return {**report, "quality": {**found, "by_lot": found["by_lot"][:MOST_LOTS], "lots": lots}}


def _baseline(frozen: Period | None, defects: Mapping[date, int], period: Period) -> BaselinePeriod:
    if frozen is not None:
        return BaselinePeriod(frozen, False)
    return default_baseline(defects) if defects else BaselinePeriod(period, True)


def _frozen(storage: Storage, path: str) -> Period | None:
    kept = storage.read(path)
    if kept is None:
        return None
    raw = json.loads(kept)
    return Period(date.fromisoformat(raw["from"]), date.fromisoformat(raw["to"]))


def _freeze(storage: Storage, path: str, kept: Period | None, used: Mapping[str, Any]) -> None:
    """Keep the baseline of this report for all later ones, once it is no longer provisional."""
    days = {name: used[name] for name in ("from", "to")}
    if not used["provisional"] and (kept is None or days != kept.as_dict()):
        storage.write(path, json.dumps(days).encode())


def make(
    spark: Any, wanted: Wanted, now: datetime | None = None, copy_to: Path | None = None, language: str = "en"
) -> dict[str, Any]:
    """Make and write a report; returns it. ``copy_to``: a local folder that gets the same ``date=…/`` and files."""
    from reports.page import render
    from reports.written import parquet_tables

    when = now or datetime.now(UTC)
    storage = storage_for(spark, wanted.root)
    counts = count(spark, storage, wanted, when)
    path = f"{wanted.place}/baseline.json"
    kept = _frozen(storage, path)
    full = compose(counts, wanted, wanted.baseline or kept, when)
    _freeze(storage, path, kept, full["baseline"])
    report = _brief(full)
    files = {
        "report.json": json.dumps(report, ensure_ascii=False, allow_nan=False).encode(),
        "index.html": render(report, language).encode(),
        **parquet_tables(full),
    }
    folder = wanted.folder(report["period"]["to"])
    for name, data in files.items():
        storage.write(f"{folder}/{name}", data)
        if copy_to is not None:
            LocalStorage().write(str(copy_to.absolute() / folder.rpartition("/")[2] / name), data)
    return report
