"""Confidence intervals of shares, unweighted and weighted.

Sources: Wilson, JASA 22 (1927) 209; Clopper and Pearson, Biometrika 26 (1934) 404; Garwood, Biometrika 28 (1936) 437
for a count; Donner and Zou, Statistical Methods in Medical Research 21 (2012) 347 for sums and ratios of estimates that
have intervals of their own.
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


#: An estimate with its lower and upper limit.
_Bounded = tuple[float, float, float]
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


def clopper_pearson(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval by beta quantiles."""
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(stats.beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def weighted_share(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], confidence: float = 0.95) -> Share:
    """Hájek's estimate sum(w y) / sum(w); ``weight`` is the inverse of each observation's probability of selection.

    Clopper's and Pearson's interval where all weigh the same, which holds when no hit was seen. Else the interval of
    the ratio of two totals, hits and others: how many parts the drawn ones stand for is then uncertain too.
    Source: Särndal, Swensson, Wretman, Model Assisted Survey Sampling (1992) 5.7.
    """
    n, hits = len(hit), int(hit.sum())
    if n == 0:
        return NOTHING
    if (weight == weight[0]).all():
        return Share(hits / n, *clopper_pearson(hits, n, confidence), n)
    return Share(*_of_both(_total(hit, weight, confidence), _total(~hit, weight, confidence)), n)


def domain_share(
    hit: npt.NDArray[np.bool_],
    domain: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64],
    confidence: float = 0.95,
) -> Share:
    """Of the parts in ``domain`` (the defective ones), the share that is ``hit`` (was passed); Hájek's estimate.

    Hits and others are drawn with very different probabilities, so that one hit that was not drawn may stand for
    fifty: an interval from the domain's drawn parts alone would be far too narrow when few or none of them are hits.
    Here each side's total has its own interval (how many passed parts are defective), and the share's is that of
    their ratio. NaN when nothing was drawn on one side: then nothing is known of it.
    """
    n = int(domain.sum())
    if n == 0 or hit.all() or not hit.any():
        return Share(math.nan, math.nan, math.nan, n)
    here = _total(domain[hit], weight[hit], confidence)
    there = _total(domain[~hit], weight[~hit], confidence)
    return Share(*_of_both(here, there), n)


def _total(member: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], confidence: float) -> _Bounded:
    """The number of members among all, drawn or not.

    Those drawn with one weight are a count of rare events, with Garwood's interval, and stand for that many each. The
    total's limits are as far off as the root of the summed squares of these (MOVER, Donner and Zou (2012)): a weight
    of 50 without a drawn member keeps its upper limit of 3.7 times 50, however many members of weight 1 there are.
    """
    tail, parts = (1 - confidence) / 2, []
    for heavy in np.unique(weight):
        k = int(member[weight == heavy].sum())
        low = float(stats.chi2.ppf(tail, 2 * k)) / 2 if k else 0.0
        parts.append((heavy * k, heavy * (k - low), heavy * (float(stats.chi2.isf(tail, 2 * k + 2)) / 2 - k)))
    total = math.fsum(part[0] for part in parts)
    return total, total - math.hypot(*(part[1] for part in parts)), total + math.hypot(*(part[2] for part in parts))


def _of_both(x: _Bounded, y: _Bounded) -> _Bounded:
    """x / (x + y) with its limits."""
    low, high = _ratio(x, y)
    return x[0] / (x[0] + y[0]), low / (1 + low), 1.0 if math.isinf(high) else high / (1 + high)


def _ratio(x: _Bounded, y: _Bounded) -> tuple[float, float]:
    """Lower and upper limit of x / y: Donner and Zou (2012), (9)."""
    both = x[0] * y[0]
    root = math.sqrt(max(0.0, both**2 - x[1] * y[2] * (2 * x[0] - x[1]) * (2 * y[0] - y[2])))
    low = x[1] * (2 * x[0] - x[1]) / (both + root) if both + root > 0 else 0.0
    root = math.sqrt(max(0.0, both**2 - x[2] * y[1] * (2 * x[0] - x[2]) * (2 * y[0] - y[1])))
    high = (both + root) / (y[1] * (2 * y[0] - y[1])) if y[1] > 0 else math.inf
    return low, high
