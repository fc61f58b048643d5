"""Control charts of a share: p-chart, Laney's p', standardised values, Nelson's rules, EWMA, single points.

Sources: Montgomery, Introduction to Statistical Quality Control (7th ed.) 7.2 and 9.2; Laney, Quality Engineering 14
(2002) 531; Nelson, Journal of Quality Technology 16 (1984) 237; Lucas and Saccucci, Technometrics 32 (1990) 1;
Hawkins, Journal of Quality Technology 25 (1993) 248 (winsorising); Jones, Champ, Rigdon, Technometrics 43 (2001) 156
(what an estimated baseline does to an EWMA).
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
#: Fewer expected defects than this a point, and the normal theory of a p-chart does not hold.
LEAST_EXPECTED = 3.0
#: A baseline without any defect (or sound part) has this one-sided upper limit of the share as its mean.
UNSEEN_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """The frozen period: ``defects`` of ``parts``, their mean share, Laney's sigma (1 where the binomial fits).

    ``unseen``: it holds no defect (or no sound part); the mean is then no measurement but a limit.
    """

    mean: float
    sigma: float
    points: int
    measured_sigma: float
    defects: int
    parts: int

    @property
    def overdispersed(self) -> bool:
        return self.sigma > 1.0

    @property
    def unseen(self) -> bool:
        return self.defects in (0, self.parts)


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
    one of twenty such periods (about 3 / n), so that a line that begins to fail is seen. Likewise one of defects only.

    Raises:
        ValueError: no point.
    """
    if len(n) == 0:
        raise ValueError("a baseline needs at least one point")
    measured = laney_sigma(defects, n)
    varies = measured > OVERDISPERSED and dispersion_chance(defects, n) < DISPERSION_LEVEL
    bad, parts = int(defects.sum()), int(n.sum())
    return Baseline(_mean(bad, parts), measured if varies else 1.0, len(n), measured, bad, parts)


def _mean(defects: int, parts: int) -> float:
    unseen = UNSEEN_LEVEL ** (1 / parts)
    return 1 - unseen if defects == 0 else unseen if defects == parts else defects / parts


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
    """z of each point, in sigmas of the chart in use.

    From a baseline without a defect it is never below zero: its mean is the upper limit of what was not seen, so a
    share below it is no fall. (Never above zero from a baseline without a sound part.)
    """
    z = (defects / n - frozen.mean) / (frozen.sigma * binomial_sigma(frozen.mean, n))
    if frozen.unseen:
        return np.asarray(np.maximum(z, 0.0) if frozen.defects == 0 else np.minimum(z, 0.0))
    return np.asarray(z)


def chance_alone(frozen: Baseline, defects: Floats, n: Floats, z: Floats) -> Floats:
    """How often chance takes one point at least so far to its side.

    The share of the baseline is itself uncertain: ``defects`` of ``n`` are beta-binomial after the baseline's counts
    with half a count of each kind added (Jeffreys' prior). Where points vary more than the binomial says, the normal
    chance of z, if that is greater. Source: Aitchison and Dunsmore, Statistical Prediction Analysis (1975) chapter 2.
    """
    bad, sound = frozen.defects + 0.5, frozen.parts - frozen.defects + 0.5
    upper = stats.betabinom.sf(defects - 1, n, bad, sound)
    lower = stats.betabinom.cdf(defects, n, bad, sound)
    exact = np.where(z > 0, upper, lower)
    return np.asarray(np.maximum(exact, stats.norm.sf(np.abs(z))) if frozen.overdispersed else exact)


def false_alarms(frozen: Baseline, n: Floats) -> tuple[float | None, ...]:
    """Of points of ``n`` parts, the share at which rules 1 to 4 fire with nothing wrong, if the mean is the true one.

    Rule 1 by exact binomial probabilities (normal where points vary more than the binomial); the others by normal
    theory, None where a point expects too few defects for it.
    """
    first = FALSE_ALARMS[0]
    if not frozen.overdispersed:
        width = 3 * binomial_sigma(frozen.mean, n)
        above = stats.binom.sf(np.floor(n * (frozen.mean + width)), n, frozen.mean)
        below = stats.binom.cdf(np.ceil(n * (frozen.mean - width)) - 1, n, frozen.mean)
        first = float((above + below).mean())
    dense = np.median(n) * min(frozen.mean, 1 - frozen.mean) >= LEAST_EXPECTED
    return first, *(rate if dense else None for rate in FALSE_ALARMS[1:])


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
EWMA_WIDTH, EWMA_WEIGHT = 2.962, 0.2
#: z beyond this counts as this much in the EWMA: one wild point, however wild, is no lasting shift.
WINSOR = 3.0


def ewma(z: Floats, weight: float = EWMA_WEIGHT, width: float = EWMA_WIDTH, error: Floats | None = None) -> Ewma:
    """EWMA from 0; ``weight`` 0.2 with ``width`` 2.962 gives an in-control run length of 500 (Lucas and Saccucci).

    ``error``: the standard deviation that the baseline's own error adds to each z. It is one error for all points, so
    smoothing does not make it smaller as it does their own: the limits are of the summed variance.
    """
    values = _smooth(np.asarray(z), weight)
    steps = np.arange(1, len(z) + 1)
    variance = weight / (2 - weight) * (1 - (1 - weight) ** (2 * steps))
    if error is not None:
        variance = variance + _smooth(error, weight) ** 2
    return Ewma(values, np.asarray(width * np.sqrt(variance)))


def _smooth(values: Floats, weight: float) -> Floats:
    smoothed, before = np.zeros(len(values)), 0.0
    for index, value in enumerate(values):
        before = weight * value + (1 - weight) * before
        smoothed[index] = before
    return smoothed


def smoothed(frozen: Baseline, z: Floats, n: Floats) -> Ewma:
    """The EWMA that tells a shift: of winsorised z, with limits that allow for the baseline's error.

    The error of a share of N parts is sqrt(n / N) of the sigma of a point of n. A baseline without a defect needs no
    such allowance: its mean is an upper limit already. Sources: Hawkins (1993); Jones, Champ, Rigdon (2001).
    """
    error = np.zeros(len(n)) if frozen.unseen else np.sqrt(n / frozen.parts)
    return ewma(np.clip(z, -WINSOR, WINSOR), error=error)
