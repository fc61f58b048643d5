"""Counts of right and wrong answers, and shares with 95 % intervals. NumPy and SciPy only."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts: defects found, defects missed, false alarms, sound parts passed."""

    found: int
    missed: int
    false_alarms: int
    passed: int

    @classmethod
    def of(cls, defect: Booleans, says: Booleans) -> "Confusion":
        """From what each part is and what was said of it."""
        return cls(
            int((defect & says).sum()),
            int((defect & ~says).sum()),
            int((~defect & says).sum()),
            int((~defect & ~says).sum()),
        )

    @property
    def errors(self) -> int:
        return self.missed + self.false_alarms

    def told(self) -> dict[str, Any]:
        """Counts, accuracy, recall and precision with intervals, as the card has them."""
        found, wrong = self.found, self.errors
        total = found + wrong + self.passed
        return {
            **asdict(self),
            "accuracy": share(total - wrong, total),
            "recall": share(found, found + self.missed),
            "precision": share(found, found + self.false_alarms),
        }


def by_parts(groups: npt.NDArray[np.int64], defect: Booleans, says: Booleans) -> dict[str, Any]:
    """Of the parts (``groups`` of look-alikes, int64 [N]) those with any error; each part is one trial of the interval.

    Pictures of one part resemble each other, so that they are no independent trials; parts are. One picture judged
    wrongly makes its part wrong: these bounds are on the safe side.
    """
    defective, sound = set(groups[defect]), set(groups[~defect])
    missed, alarmed = set(groups[defect & ~says]), set(groups[~defect & says])
    return {
        "defective": len(defective),
        "with_a_miss": len(missed),
        "missed": share(len(missed), len(defective)),
        "sound": len(sound),
        "with_a_false_alarm": len(alarmed),
        "alarmed": share(len(alarmed), len(sound)),
    }


def parts_told(told: dict[str, Any]) -> str:
    """The same for people."""
    return (
        f"by parts: of {told['defective']} defective ones {told['with_a_miss']} with any miss, {rate(told['missed'])}; "
        f"of {told['sound']} sound ones {told['with_a_false_alarm']} with any false alarm, {rate(told['alarmed'])}"
    )


def share(hits: int, of: int) -> dict[str, float | None]:
    """``hits / of`` with its exact 95 % interval; without a value, and from zero to one, where ``of`` is zero.

    Clopper and Pearson, "The use of confidence or fiducial limits", 1934.
    """
    low = float(beta.ppf(0.025, hits, of - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0
    return {"value": hits / of if of else None, "low": low, "high": high}


def rate(told: dict[str, float | None]) -> str:
    """A share with its interval, for people."""
    value = told["value"]
    return "–" if value is None else f"{value:.2%} ({told['low']:.2%} to {told['high']:.2%})"
