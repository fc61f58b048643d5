"""Confidence intervals of shares, unweighted and weighted.

Sources: Wilson, JASA 22 (1927) 209; Clopper and Pearson, Biometrika 26 (1934) 404; Korn and Graubard, Survey
Methodology 24 (1998) 193; Kish, Survey Sampling (1965) for the design effect of weights; Donner and Zou, Statistical
Methods in Medical Research 21 (2012) 347 for the ratio of two uncertain totals.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import stats


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval, all 0 to 1; ``n`` observations behind it. NaN where there are none."""

    value: float
    low: float
    high: float
    n: int


NOTHING = Share(math.nan, math.nan, math.nan, 0)


def wilson(hits: int, n: int, confidence: float = 0.95) -> Share:
    """Wilson's score interval of ``hits`` of ``n``."""
    if n == 0:
        return NOTHING
    z = _normal(confidence)
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Share(p, 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half, n)


@cache
def _normal(confidence: float) -> float:
    return float(stats.norm.ppf(0.5 + confidence / 2))


def clopper_pearson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval by beta quantiles; ``hits`` and ``n`` may be fractions (effective sample sizes)."""
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(stats.beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def weighted_share(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], confidence: float = 0.95) -> Share:
    """Hájek's estimate sum(w y) / sum(w) with Korn and Graubard's interval.

    ``weight`` is the inverse of each observation's probability of selection. The variance is the linearised one of a
    ratio for draws with replacement; the interval is Clopper's and Pearson's at the effective sample size, which
    holds when no hit was seen. Source: Särndal, Swensson, Wretman, Model Assisted Survey Sampling (1992) 5.7.
    """
    n = len(hit)
    if n == 0:
        return NOTHING
    total = float(weight.sum())
    p = float((weight * hit).sum() / total)
    effective = _effective(hit, weight, p, total)
    low, high = clopper_pearson(p * effective, effective, confidence)
    return Share(p, low, high, n)


def domain_share(
    hit: npt.NDArray[np.bool_],
    domain: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64],
    confidence: float = 0.95,
) -> Share:
    """Of the parts in ``domain`` (the defective ones), the share that is ``hit`` (was passed); Hájek's estimate.

    Hits and others are drawn with very different probabilities, so that one hit that was not drawn may stand for
    fifty: an interval from the domain's drawn parts alone would be far too narrow when few or none of them are hits.
    Here each side's total has its own interval (how many of all drawn passed parts are defective), and the share's
    is that of their ratio (MOVER). NaN when nothing was drawn on one side: then nothing is known of it.
    """
    n = int(domain.sum())
    if n == 0 or hit.all() or not hit.any():
        return Share(math.nan, math.nan, math.nan, n)
    here = _total(domain[hit], weight[hit], confidence)
    there = _total(domain[~hit], weight[~hit], confidence)
    low, high = _ratio(here, there)
    value = here[0] / (here[0] + there[0])
    return Share(value, low / (1 + low), 1.0 if math.isinf(high) else high / (1 + high), n)


_Bounded = tuple[float, float, float]


def _total(member: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], confidence: float) -> _Bounded:
    """The number of members. How many parts there are on this side varies too, as counts of rare events do."""
    share, size = weighted_share(member, weight, confidence), float(weight.sum())
    error = _normal(confidence) * share.value * math.sqrt(float((weight**2).sum()))
    below, above = (share.value - share.low) * size, (share.high - share.value) * size
    total = share.value * size
    return total, max(0.0, total - math.hypot(below, error)), total + math.hypot(above, error)


def _ratio(x: _Bounded, y: _Bounded) -> tuple[float, float]:
    """Lower and upper limit of x / y: Donner and Zou (2012), (9)."""
    both = x[0] * y[0]
    root = math.sqrt(max(0.0, both**2 - x[1] * y[2] * (2 * x[0] - x[1]) * (2 * y[0] - y[2])))
    low = x[1] * (2 * x[0] - x[1]) / (both + root) if both + root > 0 else 0.0
    root = math.sqrt(max(0.0, both**2 - x[2] * y[1] * (2 * x[0] - x[2]) * (2 * y[0] - y[1])))
    high = (both + root) / (y[1] * (2 * y[0] - y[1])) if y[1] > 0 else math.inf
    return low, high


def _effective(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], p: float, total: float) -> float:
    """Sample size of a simple draw with the same variance; Kish's where all answers are the same."""
    n = len(hit)
    kish = total**2 / float((weight**2).sum())
    if n < 2 or p <= 0 or p >= 1:
        return kish
    variance = n / (n - 1) * float((weight**2 * (hit - p) ** 2).sum()) / total**2
    return min(float(n), p * (1 - p) / variance) if variance > 0 else kish
