"""Do inspectors agree, with each other and with the model: Cohen's and Fleiss' kappa, AIAG's attribute figures.

Sources: Cohen, Educational and Psychological Measurement 20 (1960) 37; Fleiss, Psychological Bulletin 76 (1971) 378;
Fleiss, Cohen, Everitt, Psychological Bulletin 72 (1969) 323 (standard error); AIAG, Measurement Systems Analysis
(4th ed., 2010) chapter III.C. Where all agree the interval has no width by these; then it goes down to where the share
of disagreement is at its exact upper limit (Clopper and Pearson, Biometrika 26 (1934) 404).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance with a 95 % interval; NaN where chance agreement is certain. ``n`` parts."""

    value: float
    low: float
    high: float
    n: int


def cohen(table: npt.NDArray[np.float64]) -> Kappa:
    """Two judges; ``table`` [k, k]: parts by both answers."""
    n = float(table.sum())
    if n == 0:
        return Kappa(math.nan, math.nan, math.nan, 0)
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float(np.trace(p)), float(rows @ columns)
    if chance >= 1:
        return Kappa(math.nan, math.nan, math.nan, int(n))
    kappa = (observed - chance) / (1 - chance)
    if observed == 1:
        return Kappa(kappa, _unanimous(int(n), chance), 1.0, int(n))
    error = math.sqrt(max(0.0, _cohen_variance(p, rows, columns, kappa, chance)) / n)
    return Kappa(kappa, max(-1.0, kappa - 1.96 * error), min(1.0, kappa + 1.96 * error), int(n))


def _cohen_variance(
    p: npt.NDArray[np.float64],
    rows: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
    kappa: float,
    chance: float,
) -> float:
    """n times the large-sample variance, (13) of Fleiss, Cohen, Everitt."""
    diagonal = np.diag(p)
    both = rows + columns
    first = float((diagonal * (1 - both * (1 - kappa)) ** 2).sum())
    crossed = p * (columns[:, None] + rows[None, :]) ** 2
    second = (1 - kappa) ** 2 * float(crossed.sum() - np.trace(crossed))
    third = (kappa - chance * (1 - kappa)) ** 2
    return (first + second - third) / (1 - chance) ** 2


def _unanimous(n: int, chance: float) -> float:
    """Kappa's lower limit where none of ``n`` parts was disagreed on: 1 - d / (1 - chance), d at its 97.5 % limit."""
    disagreed = 1 - math.exp(math.log(0.025) / n)
    return max(-1.0, 1 - disagreed / (1 - chance))


def fleiss(counts: npt.NDArray[np.float64]) -> Kappa:
    """Several judges; ``counts`` [parts, answers], where every part may have its own number (2 or more) of judges.

    With equal numbers this is Fleiss' kappa; the interval is a normal one from the jackknife over parts.
    """
    n = len(counts)
    value, chance = _fleiss(counts)
    if n and not math.isnan(value) and (_agreed(counts) == 1).all():
        return Kappa(value, _unanimous(n, chance), 1.0, n)
    if n < 3 or math.isnan(value):
        return Kappa(value, math.nan, math.nan, n)
    left_out = _left_out(counts)
    error = math.sqrt((n - 1) * float(np.nanvar(left_out)))
    return Kappa(value, max(-1.0, value - 1.96 * error), min(1.0, value + 1.96 * error), n)


def _fleiss(counts: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Kappa, and the agreement that chance alone gives."""
    if len(counts) == 0:
        return math.nan, math.nan
    shares = counts.sum(axis=0) / counts.sum()
    chance = float((shares**2).sum())
    agreed = float(_agreed(counts).mean())
    return (math.nan if chance >= 1 else (agreed - chance) / (1 - chance)), chance


def _agreed(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each part's pairs of judges, the share that says the same."""
    judges = counts.sum(axis=1)
    return np.asarray(((counts**2).sum(axis=1) - judges) / (judges * (judges - 1)))


def _left_out(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Kappa without each part in turn; NaN where the rest all say the same."""
    agreed = _agreed(counts)
    mean = (agreed.sum() - agreed) / (len(counts) - 1)
    rest = counts.sum(axis=0) - counts
    chance = ((rest / rest.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    safe = np.where(chance < 1, 1 - chance, 1.0)
    return np.where(chance < 1, (mean - chance) / safe, np.nan)


@dataclass(frozen=True, slots=True)
class Appraiser:
    """AIAG's figures of one judge against the reference: counts, from which the shares follow."""

    right: int
    missed: int
    defective: int
    alarms: int
    sound: int

    @property
    def judged(self) -> int:
        return self.defective + self.sound


def appraise(called: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> Appraiser:
    """``called`` and ``truth``: defective or not, side by side."""
    return Appraiser(
        int((called == truth).sum()),
        int((~called & truth).sum()),
        int(truth.sum()),
        int((called & ~truth).sum()),
        int((~truth).sum()),
    )
