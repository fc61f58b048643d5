"""The line's quality: counts of parts by what they have in common, lots in a funnel.

A part is its first inspection where it has a name, else every inspection is one. Shares are of all parts: ``defect``,
``review`` and ``rejected`` by verdict; verdicts that nobody here knows are ``other``. Knows no Spark; takes the small
tables as Arrow.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from scipy import stats

from inspection.judgement import VERDICTS
from reports.period import Period, local_hours
from reports.statistics import funnel
from reports.statistics.intervals import wilson
from reports.tables import DIMENSIONS

#: What is counted of each: the verdicts' counts add up to the parts.
_COUNTS = ("inspections", "parts", *VERDICTS, "other")
#: A lot is named when chance would make any lot of the report look so bad less often than this.
LOT_ALARM = 0.01


@dataclass(frozen=True, slots=True)
class Counted:
    """One row a cell: local ``hour``, the dimensions, ``inspections``, ``parts``."""

    hour: tuple[datetime, ...]
    columns: Mapping[str, tuple[str | None, ...]]
    inspections: tuple[int, ...]
    parts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.hour)

    def pick(self, keep: Sequence[int]) -> "Counted":
        return Counted(
            tuple(self.hour[i] for i in keep),
            {name: tuple(values[i] for i in keep) for name, values in self.columns.items()},
            tuple(self.inspections[i] for i in keep),
            tuple(self.parts[i] for i in keep),
        )

    def within(self, period: Period) -> "Counted":
        return self.pick([index for index, hour in enumerate(self.hour) if hour.date() in period])

    def pictures(self, verdict: str) -> int:
        """Inspections with this verdict, a part's second one too."""
        pairs = zip(self.columns["verdict"], self.inspections, strict=True)
        return sum(n for said, n in pairs if said == verdict)

    def outside(self, period: Period) -> int:
        """Inspections on other days."""
        return sum(n for hour, n in zip(self.hour, self.inspections, strict=True) if hour.date() not in period)


def counted(cells: pa.Table, firsts: pa.Table, zone: ZoneInfo) -> Counted:
    """Join the counts of cells with how many parts were first seen in them; both as ``tables`` makes them."""
    keys = ["cell", "slot", *DIMENSIONS]
    whole = cells.group_by(keys).aggregate([("n", "sum"), ("alone", "sum")])
    first = dict(zip(firsts["cell"].to_pylist(), firsts["firsts"].to_pylist(), strict=True))
    hours = local_hours(sorted(set(whole["slot"].to_pylist())), zone)
    parts = [
        alone + first.get(cell, 0)
        for cell, alone in zip(whole["cell"].to_pylist(), whole["alone_sum"].to_pylist(), strict=True)
    ]
    return Counted(
        tuple(hours[slot] for slot in whole["slot"].to_pylist()),
        {name: tuple(whole[name].to_pylist()) for name in DIMENSIONS},
        tuple(whole["n_sum"].to_pylist()),
        tuple(parts),
    )


def tally(rows: Counted, keys: Sequence[Any]) -> dict[Any, dict[str, int]]:
    """Parts and inspections by ``keys`` (one a row), and parts by verdict."""
    found: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTS, 0))
    verdicts = rows.columns["verdict"]
    for key, verdict, inspections, parts in zip(keys, verdicts, rows.inspections, rows.parts, strict=True):
        entry = found[key]
        entry["inspections"] += inspections
        entry["parts"] += parts
        entry[verdict if verdict in VERDICTS else "other"] += parts
    return dict(found)


def defects_by_day(rows: Counted) -> dict[date, int]:
    """Days of production, those on which a part was first inspected, to how many parts were called defective."""
    days = tally(rows, [hour.date() for hour in rows.hour])
    return {day: entry["defect"] for day, entry in days.items() if entry["parts"]}


def totals(rows: Counted) -> dict[str, Any]:
    """Counts over all, with shares, intervals and first-pass yield."""
    entry = tally(rows, ["all"] * len(rows)).get("all") or dict.fromkeys(_COUNTS, 0)
    return _with_shares(entry)


def by(rows: Counted, name: str) -> list[dict[str, Any]]:
    """The same by one dimension, or by ``day`` or ``hour`` (of the day); most parts first, time in order."""
    if name == "day":
        keys: Sequence[Any] = [hour.date().isoformat() for hour in rows.hour]
    elif name == "hour":
        keys = [f"{hour.hour:02}" for hour in rows.hour]
    else:
        keys = rows.columns[name]
    found = [{name: key, **_with_shares(entry)} for key, entry in tally(rows, keys).items()]
    if name in ("day", "hour"):
        return sorted(found, key=lambda row: str(row[name]))
    return sorted(found, key=lambda row: (-row["parts"], str(row[name])))


def _with_shares(entry: Mapping[str, int]) -> dict[str, Any]:
    n = entry["parts"]
    told: dict[str, Any] = dict(entry)
    for verdict in ("defect", "review", "rejected"):
        share = wilson(entry[verdict], n)
        told[f"{verdict}_share"] = share.value
        told[f"{verdict}_low"], told[f"{verdict}_high"] = share.low, share.high
    told["first_pass_yield"] = entry["ok"] / n if n else float("nan")
    return told


def lots(rows: Counted) -> dict[str, Any]:
    """All named lots against the whole: exact binomial limits, and those that chance doesn't explain."""
    found = {lot: entry for lot, entry in tally(rows, rows.columns["lot"]).items() if lot and entry["parts"]}
    names = sorted(found)
    n = np.array([found[lot]["parts"] for lot in names], dtype=float)
    bad = np.array([found[lot]["defect"] for lot in names], dtype=float)
    if not names:
        return {"target": None, "count": 0, "lots": [], "alarms": [], "seen": {}}
    target = float(bad.sum() / n.sum())
    chance = stats.binom.sf(bad - 1, n, target)
    _, high = funnel.limits(n, target)
    told = [
        {
            "lot": lot,
            "parts": int(n[i]),
            "defects": int(bad[i]),
            "share": bad[i] / n[i],
            "low": wilson(int(bad[i]), int(n[i])).low,
            "high": wilson(int(bad[i]), int(n[i])).high,
            "limit": float(high[i]),
            "chance": float(chance[i]),
            "outside": bool(bad[i] / n[i] > high[i]),
        }
        for i, lot in enumerate(names)
    ]
    told.sort(key=lambda row: (row["chance"], -row["share"]))
    alarms = [row["lot"] for row in told if row["chance"] * len(told) < LOT_ALARM]
    return {"target": target, "count": len(told), "lots": told, "alarms": alarms, "seen": _seen(rows, alarms)}


def _seen(rows: Counted, lots: Sequence[str]) -> dict[str, dict[str, Any]]:
    """When the first part of each of ``lots`` was seen, and on which lines its parts were."""
    first: dict[str, datetime] = {}
    lines: dict[str, set[str]] = {lot: set() for lot in lots}
    for hour, lot, line, parts in zip(rows.hour, rows.columns["lot"], rows.columns["line"], rows.parts, strict=True):
        if parts and lot in lines:
            first[lot] = min(first.get(lot, hour), hour)
            lines[lot].add(line or "–")
    return {lot: {"since": first[lot].isoformat(timespec="minutes"), "lines": sorted(lines[lot])} for lot in lots}
