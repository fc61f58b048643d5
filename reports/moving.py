"""Drift of score, brightness and sharpness: day by day against the baseline, and against the model's card."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute

from reports.period import Period, local
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
#: Fewer inspections on a day or in the baseline than this say nothing about a distribution.
LEAST = 50
#: No foundry has more; names that are no cameras (one a part) must not cost hours.
MOST_CAMERAS = 200


#: Measure to local day to counts in the fine bins.
Daily = dict[str, dict[date, Any]]


def daily(histograms: pa.Table, zone: ZoneInfo) -> dict[str | None, Daily]:
    """By camera, and of all under None; ``histograms`` as ``tables`` makes them."""
    kept = histograms.filter(pa.compute.is_valid(histograms["camera"]))
    cameras = sorted(set(kept["camera"].to_pylist()))
    apart = {camera: kept.filter(pa.compute.equal(kept["camera"], camera)) for camera in cameras[:MOST_CAMERAS]}
    return {None: _daily(histograms, zone), **{camera: _daily(table, zone) for camera, table in apart.items()}}


def _daily(histograms: pa.Table, zone: ZoneInfo) -> Daily:
    summed = histograms.group_by(["hour", "measure", "bin"]).aggregate([("n", "sum")])
    found: Daily = {name: {} for name in MEASURES}
    days: dict[int, date] = {}
    columns = (summed[name].to_pylist() for name in ("hour", "measure", "bin", "n_sum"))
    for hour, measure, number, n in zip(*columns, strict=True):
        if hour not in days:
            days[hour] = local(hour * 3600, zone).date()
        size = len(EDGES[measure])
        counts = found[measure].setdefault(days[hour], np.zeros(size))
        shift = _SHARPNESS.start if measure == "sharpness" else 0
        counts[min(max(number - shift, 0), size - 1)] += n
    return found


def drifts(
    by_day: Mapping[str | None, Mapping[str, Mapping[date, Any]]],
    baseline: Period,
    period: Period,
    card: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """Each measure's PSI by day, and the cameras on which it has drifted, each against its own baseline.

    Where there are too few pictures on every day or in the baseline there are no points: nothing can be told.

    ``by_day`` as ``daily`` makes it; ``card``: the reference histograms of the model in use, if there are any.
    """
    found = []
    for name in MEASURES:
        whole = by_day[None][name]
        if not whole:
            continue
        cameras = {
            camera: _drift(name, daily[name], baseline, period, None)
            for camera, daily in by_day.items()
            if camera is not None
        }
        drifted = [
            {"camera": camera, "began": told["began"], "psi": told["points"][-1]["psi"]}
            for camera, told in cameras.items()
            if told["began"] is not None
        ]
        told = _drift(name, whole, baseline, period, (card or {}).get(name))
        untold = [camera for camera, told in cameras.items() if not told["points"]]
        found.append({**told, "cameras": drifted, "cameras_seen": len(cameras), "cameras_untold": untold})
    return found


def _drift(
    name: str, days: Mapping[date, Any], baseline: Period, period: Period, card: Mapping[str, Any] | None
) -> dict[str, Any]:
    base = sum((counts for day, counts in days.items() if day in baseline), np.zeros(len(EDGES[name])))
    points, flags, told = [], [], []
    starts = drift.deciles(base) if base.sum() else np.array([0])
    for day in sorted(day for day in days if day in period):
        n = float(days[day].sum())
        if n < LEAST or base.sum() < LEAST:
            continue
        value = drift.psi(np.add.reduceat(base, starts), np.add.reduceat(days[day], starts))
        bound = max(drift.MOVED, drift.noise(max(2, len(starts)), n, float(base.sum())))
        points.append({"day": day.isoformat(), "n": int(n), "psi": value, "card_psi": _card(name, card, days[day])})
        flags.append(value > bound)
        told.append(day)
    began = drift.began(flags) if told and period.now(told[-1]) else None
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
