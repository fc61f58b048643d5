"""Control charts of each line's defect share: which points signal, since when a shift lasts, which have ended.

Takes the counts of :mod:`reports.quality`; the statistics are :mod:`reports.statistics.charts`. A chart holds the
period's points and nothing else of the lake than its baseline.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from reports.period import BaselinePeriod, Period, default_baseline
from reports.quality import Counted, defects_by_day
from reports.statistics import charts

#: What a chart's points gather, hours; the shortest in which enough defects are expected is taken.
SUBGROUPS = (1, 4, 24)
#: What has ended, or is a single point, is named when chance shows one on a chart less often than this.
EPISODE = 0.01


@dataclass(frozen=True, slots=True)
class _Points:
    """Subgroups in order of time; none is empty."""

    times: tuple[datetime, ...]
    n: Any
    defects: Any

    def within(self, period: Period) -> "_Points":
        keep = np.array([time.date() in period for time in self.times], dtype=bool)
        times = tuple(time for time, kept in zip(self.times, keep, strict=True) if kept)
        return _Points(times, self.n[keep], self.defects[keep])


@dataclass(frozen=True, slots=True)
class _Run:
    """Points from ``first`` up to (not with) ``end`` at which the share is away from the baseline's, to one side."""

    first: int
    end: int
    up: bool

    def meets(self, other: "_Run") -> bool:
        return self.up == other.up and self.first < other.end and other.first < self.end


def control_charts(rows: Counted, period: Period, baseline: BaselinePeriod) -> list[dict[str, Any]]:
    """A p-chart for each line with points in ``period``, worst first; ``rows`` are the whole lake's."""
    lines = rows.columns["line"]
    produced = [day for day in defects_by_day(rows) if day in baseline.period]
    found = []
    for line in sorted(set(lines), key=str):
        mine = rows.pick([index for index, value in enumerate(lines) if value == line])
        frozen = _baseline(mine, baseline, len(produced))
        chart = _line(mine, period, frozen) if frozen else None
        if chart is not None:
            found.append({"line": line, **chart})
    return sorted(found, key=lambda chart: (not chart["alarm"], chart["provisional"], -chart["signals"]))


def _baseline(mine: Counted, baseline: BaselinePeriod, produced: int) -> BaselinePeriod | None:
    """The line's: a line that worked on fewer than half of the baseline's days has one of its own, by the same rule."""
    defects = defects_by_day(mine)
    worked = sum(day in baseline.period for day in defects)
    if worked and 2 * worked >= produced:
        return baseline
    return default_baseline(defects) if defects else None


def _line(mine: Counted, period: Period, frozen: BaselinePeriod) -> dict[str, Any] | None:
    hourly: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for hour, verdict, parts in zip(mine.hour, mine.columns["verdict"], mine.parts, strict=True):
        hourly[hour][0] += parts
        hourly[hour][1] += parts * (verdict == "defect")
    for hours in SUBGROUPS:
        points = _gather(hourly, hours)
        base, shown = points.within(frozen.period), points.within(period)
        if not shown.times:
            return None
        limits = charts.baseline(base.defects, base.n)
        if np.median(shown.n) * limits.mean >= charts.LEAST_EXPECTED or hours == SUBGROUPS[-1]:
            return {"provisional": frozen.provisional, **_chart(shown, limits, hours, frozen.period, period)}
    return None


def _gather(hourly: Mapping[datetime, Sequence[int]], hours: int) -> _Points:
    """By the clock on the wall; a day on which it is set forward or back is still one day."""
    groups: dict[Any, tuple[datetime, int, int]] = {}
    for hour, (n, defects) in sorted(hourly.items()):
        key = hour if hours == 1 else (hour.date(), hour.hour // hours)
        start, before, bad = groups.get(key, (hour.replace(hour=hour.hour // hours * hours), 0, 0))
        groups[key] = (start, before + n, bad + defects)
    kept = [group for group in groups.values() if group[1] > 0]
    return _Points(
        tuple(start for start, _, _ in kept),
        np.array([n for _, n, _ in kept], dtype=float),
        np.array([bad for _, _, bad in kept], dtype=float),
    )


def _chart(points: _Points, frozen: charts.Baseline, hours: int, days: Period, period: Period) -> dict[str, Any]:
    z = charts.standardise(frozen, points.defects, points.n)
    rules, smooth = charts.nelson(z), charts.smoothed(frozen, z, points.n)
    fired = [[number + 1 for number, rule in enumerate(rules) if rule[i]] for i in range(len(z))]
    now = period.now(points.times[-1].date())
    runs = _runs(smooth, z, _alone(frozen, points, z), now)
    lasting = next((run for run in reversed(runs) if now and run.end == len(z)), None)
    chances = charts.false_alarms(frozen, points.n)
    a_day = len(z) / max(1, len({time.date() for time in points.times}))
    return {
        "subgroup_hours": hours,
        "baseline": {
            **days.as_dict(),
            "mean": frozen.mean,
            "sigma": frozen.sigma,
            "measured_sigma": frozen.measured_sigma,
            "points": frozen.points,
            "parts": frozen.parts,
            "defects": frozen.defects,
            "unseen": frozen.unseen,
        },
        "chart": "p'" if frozen.overdispersed else "p",
        "points": _told(points, frozen, z, smooth, fired),
        "signals": sum(bool(rule) for rule in fired),
        "signals_by_rule": {str(number + 1): int(rule.sum()) for number, rule in enumerate(rules)},
        "expected_false_a_day": [None if chance is None else round(chance * a_day, 4) for chance in chances],
        "ewma_signals": int(smooth.signals.sum()),
        "alarm": lasting is not None and lasting.up,
        "alarm_since": None if lasting is None else _text(points.times[lasting.first]),
        "share_since": None if lasting is None else _share(points, lasting),
        "direction": "up" if lasting is not None and lasting.up else "down",
        "episodes": [_episode(points, run) for run in runs if run is not lasting],
    }


def _told(
    points: _Points, frozen: charts.Baseline, z: Any, smooth: charts.Ewma, fired: Sequence[Sequence[int]]
) -> list[dict[str, Any]]:
    low, high = charts.limits(frozen, points.n)
    return [
        {
            "at": _text(time),
            "n": int(points.n[i]),
            "defects": int(points.defects[i]),
            "share": points.defects[i] / points.n[i],
            "low": float(low[i]),
            "high": float(high[i]),
            "z": float(z[i]),
            "ewma": float(smooth.value[i]),
            "ewma_limit": float(smooth.limit[i]),
            "rules": fired[i],
        }
        for i, time in enumerate(points.times)
    ]


def _alone(frozen: charts.Baseline, points: _Points, z: Any) -> Any:
    """To which side (1, -1; else 0) each point alone is further off than chance goes once in a hundred charts."""
    far = np.flatnonzero(np.abs(z) > 3)
    chance = charts.chance_alone(frozen, points.defects[far], points.n[far], z[far])
    side = np.zeros(len(z))
    side[far] = np.sign(z[far]) * (chance < EPISODE / (2 * len(z)))
    return side


def _runs(smooth: charts.Ewma, z: Any, alone: Any, now: bool) -> list[_Run]:
    """Shifts: those that the newest point signals (where that is ``now``), and those that went so far that chance
    shows one on a hundred charts (Bonferroni), up to their last signal; then points that are far off alone.

    A shift began after the EWMA was last at or past zero. Source: Nishina, Quality and Reliability Engineering
    International 8 (1992) 537.
    """
    beyond = np.abs(smooth.value) > smooth.limit * max(1.0, stats.norm.isf(EPISODE / (2 * len(z))) / charts.EWMA_WIDTH)
    found = []
    for first, end in _stretches(np.sign(smooth.value)):
        signals = np.flatnonzero(smooth.signals[first:end])
        if not len(signals):
            continue
        run = _Run(first, first + int(signals[-1]) + 1, bool(smooth.value[first] > 0))
        if beyond[first:end].any() or (now and run.end == len(z)):
            found.append(run)
    single = [_Run(first, end, bool(alone[first] > 0)) for first, end in _stretches(alone) if alone[first]]
    return found + [run for run in single if not any(run.meets(other) for other in found)]


def _stretches(side: Any) -> list[tuple[int, int]]:
    """Where the sign stays the same: first and end of each."""
    return list(pairwise([0, *(np.flatnonzero(np.diff(side)) + 1).tolist(), len(side)]))


def _episode(points: _Points, run: _Run) -> dict[str, Any]:
    return {
        "from": _text(points.times[run.first]),
        "to": _text(points.times[run.end - 1]),
        "direction": "up" if run.up else "down",
        "share": _share(points, run),
    }


def _share(points: _Points, run: _Run) -> float:
    return float(points.defects[run.first : run.end].sum() / points.n[run.first : run.end].sum())


def _text(time: datetime) -> str:
    return time.isoformat(timespec="minutes")
