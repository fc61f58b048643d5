"""Drift of score, brightness and sharpness: day by day against the baseline, and against the model's card."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from reports.period import Period
from reports.statistics import drift
from reports.tables import BRIGHTNESS_BINS, P_BINS, SHARPNESS_STEP

MEASURES = ("p_defect", "brightness", "sharpness")
_SHARPNESS = range(-8 * SHARPNESS_STEP, 24 * SHARPNESS_STEP)
#: The value at which each fine bin begins.
EDGES = {
    "p_defect": np.arange(P_BINS) / P_BINS,
    "brightness": np.arange(BRIGHTNESS_BINS).astype(float),
    "sharpness": 2.0 ** (np.array(_SHARPNESS) / SHARPNESS_STEP),
}
#: Fewer inspections a day than this say nothing about a distribution.
LEAST = 50


def daily(histograms: pa.Table, zone: ZoneInfo) -> dict[str, dict[date, Any]]:
    """Measure to local day to counts in the fine bins; ``histograms`` as ``tables`` makes them."""
    summed = histograms.group_by(["hour", "measure", "bin"]).aggregate([("n", "sum")])
    found: dict[str, dict[date, Any]] = {name: {} for name in MEASURES}
    days: dict[int, date] = {}
    columns = (summed[name].to_pylist() for name in ("hour", "measure", "bin", "n_sum"))
    for hour, measure, number, n in zip(*columns, strict=True):
        if hour not in days:
            days[hour] = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).date()
        size = len(EDGES[measure])
        counts = found[measure].setdefault(days[hour], np.zeros(size))
        shift = _SHARPNESS.start if measure == "sharpness" else 0
        counts[min(max(number - shift, 0), size - 1)] += n
    return found


def drifts(
    by_day: Mapping[str, Mapping[date, Any]], baseline: Period, period: Period, card: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Each measure's PSI by day. ``card``: the reference histograms of the model in use, if there are any."""
    return [_drift(name, by_day[name], baseline, period, (card or {}).get(name)) for name in MEASURES if by_day[name]]


def _drift(
    name: str, days: Mapping[date, Any], baseline: Period, period: Period, card: Mapping[str, Any] | None
) -> dict[str, Any]:
    base = sum((counts for day, counts in days.items() if day in baseline), np.zeros(len(EDGES[name])))
    points, flags = [], []
    starts = drift.deciles(base) if base.sum() else np.array([0])
    for day in sorted(day for day in days if day in period):
        n = float(days[day].sum())
        if n < LEAST or base.sum() < LEAST:
            continue
        value = drift.psi(np.add.reduceat(base, starts), np.add.reduceat(days[day], starts))
        bound = max(drift.MOVED, drift.noise(max(2, len(starts)), n, float(base.sum())))
        points.append({"day": day.isoformat(), "n": int(n), "psi": value, "card_psi": _card(name, card, days[day])})
        flags.append(value > bound)
    began = drift.began(flags)
    return {
        "measure": name,
        "points": points,
        "began": points[began]["day"] if began is not None else None,
        "reference": "baseline",
        "card": card is not None,
    }


def _card(name: str, card: Mapping[str, Any] | None, counts: Any) -> float | None:
    """PSI against the card's histogram: the fine bins go where their middle lies; outside counts at the ends."""
    if card is None:
        return None
    edges = np.array(card["edges"], dtype=float)
    middles = _middles(EDGES[name])
    places = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, len(edges) - 2)
    current = np.bincount(places, weights=counts, minlength=len(edges) - 1).astype(float)
    return drift.psi(np.array(card["counts"], dtype=float), current)


def _middles(edges: Any) -> Any:
    lower = np.asarray(edges)
    return np.append((lower[:-1] + lower[1:]) / 2, lower[-1])
