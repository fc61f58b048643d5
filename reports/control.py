"""Control charts of each line's defect share: which points signal, since when a shift lasts, which have ended.

Takes the counts of :mod:`reports.quality`; the statistics are :mod:`reports.statistics.charts`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from reports.period import Period
from reports.quality import Counted
from reports.statistics import charts

#: What a chart's points gather, hours; the shortest in which enough defects are expected is taken.
SUBGROUPS = (1, 4, 24)
#: A shift that has ended is named when chance shows one on a chart less often than this.
EPISODE = 0.01


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
    """By the clock on the wall; a day on which it is set forward or back is still one day."""
    groups: dict[Any, tuple[datetime, int, int]] = {}
    for hour, (n, defects) in sorted(hourly.items()):
        key = hour if hours == 1 else (hour.date(), hour.hour // hours)
        start, before, bad = groups.get(key, (hour.replace(hour=hour.hour // hours * hours), 0, 0))
        groups[key] = (start, before + n, bad + defects)
    kept = [group for group in groups.values() if group[1] > 0]
    return (
        [start for start, _, _ in kept],
        np.array([n for _, n, _ in kept], dtype=float),
        np.array([bad for _, _, bad in kept], dtype=float),
    )


def _chart(times: Sequence[datetime], n: Any, defects: Any, frozen: charts.Baseline, hours: int) -> dict[str, Any]:
    z = charts.standardise(frozen, defects, n)
    low, high = charts.limits(frozen, n)
    rules, smooth = charts.nelson(z), charts.ewma(z)
    fired = [[number + 1 for number, rule in enumerate(rules) if rule[i]] for i in range(len(z))]
    began = _began(smooth)
    lasting = np.arange(len(times)) >= (len(times) if began is None else began)
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
                "at": _text(time),
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
        "alarm": began is not None and bool(smooth.value[-1] > 0),
        "alarm_since": None if began is None else _text(times[began]),
        "share_since": float(defects[lasting].sum() / n[lasting].sum()) if lasting.any() else None,
        "episodes": _episodes(smooth, times, n, defects, lasting),
        "direction": "up" if len(z) and smooth.value[-1] > 0 else "down",
    }


def _began(smooth: charts.Ewma) -> int | None:
    """The point at which the shift began that the last signals: after the EWMA was last at or past zero.

    Source: Nishina, Quality and Reliability Engineering International 8 (1992) 537.
    """
    if not len(smooth.value) or not smooth.signals[-1]:
        return None
    side = np.sign(smooth.value[-1])
    other = np.flatnonzero(np.sign(smooth.value) != side)
    return int(other[-1]) + 1 if len(other) else 0


def _text(time: datetime) -> str:
    return time.isoformat(timespec="minutes")


def _episodes(smooth: charts.Ewma, times: Sequence[datetime], n: Any, defects: Any, lasting: Any) -> list[Any]:
    """Shifts that have ended: runs of EWMA on one side that went further than chance goes once in a hundred charts.

    They last up to the run's last signal.
    """
    if not len(times):
        return []
    far = smooth.limit * max(1.0, stats.norm.isf(EPISODE / (2 * len(times))) / charts.EWMA_WIDTH)
    side = np.sign(smooth.value)
    edges = [0, *(np.flatnonzero(np.diff(side)) + 1).tolist(), len(times)]
    beyond = np.abs(smooth.value) > far
    runs = [
        (first, first + int(np.flatnonzero(smooth.signals[first:end])[-1]) + 1)
        for first, end in pairwise(edges)
        if beyond[first:end].any() and not lasting[first:end].any()
    ]
    return [
        {
            "from": _text(times[first]),
            "to": _text(times[end - 1]),
            "direction": "up" if side[first] > 0 else "down",
            "share": float(defects[first:end].sum() / n[first:end].sum()),
        }
        for first, end in runs
    ]
