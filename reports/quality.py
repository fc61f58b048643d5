"""The line's quality: counts of parts by what they have in common, control charts by line, lots in a funnel.

A part is its first inspection where it has a name, else every inspection is one. Shares are of all parts: ``defect``,
``review`` and ``rejected`` by verdict. Knows no Spark; takes the small tables as Arrow.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from scipy import stats

from reports.period import Period, local_hours
from reports.statistics import charts, funnel
from reports.statistics.intervals import wilson
from reports.tables import DIMENSIONS

VERDICTS = ("ok", "review", "defect", "rejected")
#: What a chart's points gather, hours; the shortest in which enough defects are expected is taken.
SUBGROUPS = (1, 4, 24)
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

    def within(self, period: Period) -> "Counted":
        keep = [index for index, hour in enumerate(self.hour) if hour.date() in period]
        return Counted(
            tuple(self.hour[i] for i in keep),
            {name: tuple(values[i] for i in keep) for name, values in self.columns.items()},
            tuple(self.inspections[i] for i in keep),
            tuple(self.parts[i] for i in keep),
        )


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
    found: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("inspections", "parts", *VERDICTS), 0))
    verdicts = rows.columns["verdict"]
    for key, verdict, inspections, parts in zip(keys, verdicts, rows.inspections, rows.parts, strict=True):
        entry = found[key]
        entry["inspections"] += inspections
        entry["parts"] += parts
        entry[verdict if verdict in VERDICTS else "rejected"] += parts
    return dict(found)


def totals(rows: Counted) -> dict[str, Any]:
    """Counts over all, with shares, intervals and first-pass yield."""
    entry = tally(rows, ["all"] * len(rows)).get("all") or dict.fromkeys(("inspections", "parts", *VERDICTS), 0)
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


def control_charts(rows: Counted, baseline: Period) -> list[dict[str, Any]]:
    """A p-chart for each line, worst first; ``rows`` hold the baseline's days too."""
    lines = sorted(set(rows.columns["line"]), key=str)
    found = []
    for line in lines:
        points = _points(rows, line, baseline)
        if points is not None:
            found.append({"line": line, **points})
    return sorted(found, key=lambda chart: (not chart["alarm"], -chart["signals"]))


def _points(rows: Counted, line: str | None, frozen: Period) -> dict[str, Any] | None:
    mine = [index for index, value in enumerate(rows.columns["line"]) if value == line]
    hourly: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for index in mine:
        entry = hourly[rows.hour[index]]
        entry[0] += rows.parts[index]
        entry[1] += rows.parts[index] * (rows.columns["verdict"][index] == "defect")
    for hours in SUBGROUPS:
        times, n, defects = _gather(hourly, hours)
        base = np.array([time.date() in frozen for time in times], dtype=bool)
        if not base.any():
            base = np.arange(len(times)) < max(1, len(times) // 3)  # a line that is younger than the baseline
        if not len(times):
            return None
        limits = charts.baseline(defects[base], n[base])
        if np.median(n) * limits.mean >= charts.LEAST_EXPECTED or hours == SUBGROUPS[-1]:
            return _chart(times, n, defects, limits, hours)
    return None


def _gather(hourly: Mapping[datetime, Sequence[int]], hours: int) -> tuple[list[datetime], Any, Any]:
    groups: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for hour, (n, defects) in hourly.items():
        start = hour if hours == 1 else hour.replace(hour=hour.hour // hours * hours)
        groups[start][0] += n
        groups[start][1] += defects
    times = sorted(time for time, (n, _) in groups.items() if n > 0)
    return (
        times,
        np.array([groups[time][0] for time in times], dtype=float),
        np.array([groups[time][1] for time in times], dtype=float),
    )


def _chart(times: Sequence[datetime], n: Any, defects: Any, frozen: charts.Baseline, hours: int) -> dict[str, Any]:
    z = charts.standardise(frozen, defects, n)
    low, high = charts.limits(frozen, n)
    rules, smooth = charts.nelson(z), charts.ewma(z)
    fired = [[number + 1 for number, rule in enumerate(rules) if rule[i]] for i in range(len(z))]
    since = _since(smooth, times)
    days = max(1, len({time.date() for time in times}))
    return {
        "subgroup_hours": hours,
        "baseline": {
            "mean": frozen.mean,
            "sigma": frozen.sigma,
            "measured_sigma": frozen.measured_sigma,
            "points": frozen.points,
        },
        "chart": "p'" if frozen.overdispersed else "p",
        "points": [
            {
                "at": time.isoformat(timespec="minutes"),
                "n": int(n[i]),
                "defects": int(defects[i]),
                "share": defects[i] / n[i],
                "low": float(low[i]),
                "high": float(high[i]),
                "z": float(z[i]),
                "ewma": float(smooth.value[i]),
                "ewma_limit": float(smooth.limit[i]),
                "rules": fired[i],
            }
            for i, time in enumerate(times)
        ],
        "signals": sum(bool(rule) for rule in fired),
        "signals_by_rule": {str(number + 1): int(rule.sum()) for number, rule in enumerate(rules)},
        "expected_false_a_day": [round(rate * len(z) / days, 4) for rate in charts.FALSE_ALARMS],
        "ewma_signals": int(smooth.signals.sum()),
        "alarm": since is not None and bool(smooth.value[-1] > 0),
        "alarm_since": since,
        "direction": "up" if len(z) and smooth.value[-1] > 0 else "down",
    }


def _since(smooth: charts.Ewma, times: Sequence[datetime]) -> str | None:
    """When the shift began that the last point still signals: after the last time that the EWMA was at or past zero.

    Source: Nishina, Quality and Reliability Engineering International 8 (1992) 537.
    """
    if not len(times) or not smooth.signals[-1]:
        return None
    side = np.sign(smooth.value[-1])
    other = np.flatnonzero(np.sign(smooth.value) != side)
    return times[int(other[-1]) + 1 if len(other) else 0].isoformat(timespec="minutes")


def lots(rows: Counted) -> dict[str, Any]:
    """All named lots against the whole: exact binomial limits, and those that chance doesn't explain."""
    found = {lot: entry for lot, entry in tally(rows, rows.columns["lot"]).items() if lot and entry["parts"]}
    names = sorted(found)
    n = np.array([found[lot]["parts"] for lot in names], dtype=float)
    bad = np.array([found[lot]["defect"] for lot in names], dtype=float)
    if not names:
        return {"target": None, "lots": [], "alarms": []}
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
    return {"target": target, "lots": told, "alarms": alarms}
