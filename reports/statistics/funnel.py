"""Funnel plot: is a lot worse than the whole, given how few parts it has. Exact binomial limits, interpolated.

Source: Spiegelhalter, Statistics in Medicine 24 (2005) 1185, appendix A.1.1.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

#: Two-sided coverage of the outer limits: 3.09 sigma, one lot in a thousand above by chance.
OUTER = 0.998


def limits(
    n: npt.NDArray[np.float64], target: float, coverage: float = OUTER
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lower and upper limit of the share for each size ``n``; ``target`` is the share of the whole (0 to 1)."""
    tail = (1 - coverage) / 2
    return _limit(n, target, tail), _limit(n, target, 1 - tail)


def _limit(n: npt.NDArray[np.float64], target: float, p: float) -> npt.NDArray[np.float64]:
    """Quantile of the binomial share, interpolated between the two counts around it."""
    r = stats.binom.ppf(p, n, target)
    above = stats.binom.cdf(r, n, target)
    mass = stats.binom.pmf(r, n, target)
    safe = np.where(mass > 0, mass, 1.0)
    alpha = np.where(mass > 0, (above - p) / safe, 0.0)
    return np.asarray(np.clip((r - alpha) / n, 0.0, 1.0), dtype=np.float64)
