"""Control charts of a share: p-chart, Laney's p', standardised values, Nelson's rules, EWMA.

Sources: Montgomery, Introduction to Statistical Quality Control (7th ed.) 7.2 and 9.2; Laney, Quality Engineering 14
(2002) 531; Nelson, Journal of Quality Technology 16 (1984) 237; Lucas and Saccucci, Technometrics 32 (1990) 1.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
#: E(range of two) of a standard normal: turns a mean moving range into a standard deviation.
D2 = 1.128
#: p' limits are used where Laney's sigma is above this and chance explains the spread less often than the level.
OVERDISPERSED = 1.2
DISPERSION_LEVEL = 0.01
#: Share of points at which rules 1 to 4 fire in a process in control (normal, independent; a test simulates it).
FALSE_ALARMS = (0.0027, 0.0038, 0.0028, 0.0047)
#: Fewer expected defects than this a point, and the normal limits of a p-chart are only approximate.
LEAST_EXPECTED = 3.0
#: A baseline without any defect (or sound part) has this one-sided upper limit of the share as its mean.
UNSEEN_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """The frozen period's mean share and Laney's sigma (1 where the binomial fits)."""

    mean: float
    sigma: float
    points: int
    measured_sigma: float

    @property
    def overdispersed(self) -> bool:
        return self.sigma > 1.0


def binomial_sigma(mean: float, n: Floats) -> Floats:
    """Standard deviation of a share of ``n``: sqrt(p (1 - p) / n)."""
    return np.asarray(np.sqrt(mean * (1 - mean) / n))


def laney_sigma(defects: Floats, n: Floats) -> float:
    """Laney's sigma_z: mean moving range of the standardised shares over 1.128; 1.0 where it can't be told."""
    mean = float(defects.sum() / n.sum())
    if len(n) < 3 or mean <= 0 or mean >= 1:
        return 1.0
    z = (defects / n - mean) / binomial_sigma(mean, n)
    return float(np.abs(np.diff(z)).mean() / D2)


def baseline(defects: Floats, n: Floats) -> Baseline:
    """From the frozen period's points: ``defects`` of ``n`` each (n > 0).

    A baseline without a defect doesn't say that there are none: the mean is then the share that would show none in
    one of twenty such periods (about 3 / n), so that a line that begins to fail is seen.

    Raises:
        ValueError: no point.
    """
    if len(n) == 0:
        raise ValueError("a baseline needs at least one point")
    measured = laney_sigma(defects, n)
    varies = measured > OVERDISPERSED and dispersion_chance(defects, n) < DISPERSION_LEVEL
    return Baseline(_mean(defects, n), measured if varies else 1.0, len(n), measured)


def _mean(defects: Floats, n: Floats) -> float:
    mean, unseen = float(defects.sum() / n.sum()), 1 - UNSEEN_LEVEL ** (1 / float(n.sum()))
    return min(max(mean, unseen), 1 - unseen) if mean in (0.0, 1.0) else mean


def dispersion_chance(defects: Floats, n: Floats) -> float:
    """How often binomial points vary at least so much: chi-square of the k shares, k - 1 degrees of freedom.

    Source: Cochran, Biometrics 10 (1954) 417.
    """
    mean = float(defects.sum() / n.sum())
    if len(n) < 3 or mean <= 0 or mean >= 1:
        return 1.0
    z = (defects / n - mean) / binomial_sigma(mean, n)
    return float(stats.chi2.sf((z**2).sum(), len(n) - 1))


def limits(frozen: Baseline, n: Floats) -> tuple[Floats, Floats]:
    """Three-sigma limits for subgroups of ``n``, cut to 0 and 1."""
    width = 3 * frozen.sigma * binomial_sigma(frozen.mean, n)
    return np.maximum(0.0, frozen.mean - width), np.minimum(1.0, frozen.mean + width)


def standardise(frozen: Baseline, defects: Floats, n: Floats) -> Floats:
    """z of each point, in sigmas of the chart in use; zeros when the baseline has no spread."""
    spread = frozen.sigma * binomial_sigma(frozen.mean, n)
    safe = np.where(spread > 0, spread, 1.0)
    return np.where(spread > 0, (defects / n - frozen.mean) / safe, 0.0)


def nelson(z: Floats) -> tuple[npt.NDArray[np.bool_], ...]:
    """Rules 1 to 4, each true at the point that completes the pattern.

    1: beyond 3 sigma. 2: nine in a row on one side. 3: six in a row rising or falling. 4: fourteen alternating.
    """
    side, step = np.sign(z), np.sign(np.diff(z))
    turns = np.zeros(len(z), dtype=bool)
    if len(z) > 2:
        turns[2:] = (step[1:] * step[:-1]) < 0
    rising = np.concatenate(([0.0], step))
    return (
        np.abs(z) > 3,
        _run(side) >= 9,
        _run(rising) >= 5,  # five steps one way are six points
        _streak(turns) >= 12,  # twelve turns are fourteen points
    )


def _run(signs: Floats) -> npt.NDArray[np.int64]:
    """Length of the run of one non-zero sign that ends at each point."""
    lengths = np.zeros(len(signs), dtype=np.int64)
    for index, sign in enumerate(signs):
        if sign != 0:
            same = index > 0 and signs[index - 1] == sign
            lengths[index] = lengths[index - 1] + 1 if same else 1
    return lengths


def _streak(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return _run(flags.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Ewma:
    """Exponentially weighted mean of z and its limits, in sigmas."""

    value: Floats
    limit: Floats

    @property
    def signals(self) -> npt.NDArray[np.bool_]:
        return np.abs(self.value) > self.limit


#: With weight 0.2 one false alarm in 500 points.
EWMA_WIDTH = 2.962


def ewma(z: Floats, weight: float = 0.2, width: float = EWMA_WIDTH) -> Ewma:
    """EWMA from 0; ``weight`` 0.2 with ``width`` 2.962 gives an in-control run length of 500 (Lucas and Saccucci)."""
    values = np.zeros(len(z))
    before = 0.0
    for index, point in enumerate(z):
        before = weight * point + (1 - weight) * before
        values[index] = before
    steps = np.arange(1, len(z) + 1)
    limit = width * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * steps)))
    return Ewma(values, np.asarray(limit))
