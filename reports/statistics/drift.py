"""Has a distribution moved: population stability index, and since when.

Source: Siddiqi, Credit Risk Scorecards (2006) 9; the noise correction follows Yurdakul and Naranjo, Journal of Risk
Model Validation 14 (2020) 89: without drift PSI is about a chi-square of (bins - 1) times (1/n + 1/m).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

#: Siddiqi's bound for a shift that asks for action.
MOVED = 0.25


def psi(reference: npt.NDArray[np.float64], current: npt.NDArray[np.float64]) -> float:
    """Sum of (q - p) ln(q / p) over bins of counts, half a count added to each bin so that none is empty."""
    p = (reference + 0.5) / (reference.sum() + 0.5 * len(reference))
    q = (current + 0.5) / (current.sum() + 0.5 * len(current))
    return float(((q - p) * np.log(q / p)).sum())


def noise(bins: int, n: float, m: float, coverage: float = 0.999) -> float:
    """What PSI stays under without any drift, for ``n`` and ``m`` observations."""
    return float(stats.chi2.ppf(coverage, bins - 1)) * (1 / n + 1 / m)


def deciles(counts: npt.NDArray[np.float64], bins: int = 10) -> npt.NDArray[np.int64]:
    """Where to cut fine bins so that each group holds about the same: start indices of the groups, first 0."""
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, total[-1] * np.arange(1, bins) / bins, side="left") + 1
    return np.unique(np.concatenate(([0], cuts[cuts < len(counts)])))


def began(flags: Sequence[bool]) -> int | None:
    """Index of the first day of the run of flagged days that lasts to the end; None when the last isn't flagged."""
    index = len(flags)
    while index > 0 and flags[index - 1]:
        index -= 1
    return index if index < len(flags) else None
