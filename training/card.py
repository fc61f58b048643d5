"""``card.json``: everything about a model that a person or a tool may ask, gathered from validation pictures.

Figures come through the exported engine, as serving uses it, never through Keras.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.bundle import CARD, Calibration
from inspection.judgement import DEF_FRONT, OK_FRONT, Thresholds
from inspection.preprocessing import MEASURES, PREPROCESSING, SHAPE
from training.figures import Confusion, share
from training.thresholds import Policy, expected_calibration_error, sigmoid

#: SHA-256 of the pictures that calibration and thresholds were set on, one a line.
HELD = "held.txt"
#: The same of all other training data: trained on, or left out because their look-alikes are labelled otherwise.
SEEN = "seen.txt"
DATA_LICENCE = "CC BY-NC-ND 4.0"
DATA_NOTE = (
    "Trained on pictures under CC BY-NC-ND 4.0 (casting product image data, Pilot Technocast): "
    "the weights are for non-commercial use only. No picture is part of this bundle."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of labelled pictures as the engine sees them: ``logits`` float64 [N], ``defect`` bool [N]."""

    logits: npt.NDArray[np.float64]
    defect: npt.NDArray[np.bool_]

    def probabilities(self, calibration: Calibration) -> npt.NDArray[np.float64]:
        return sigmoid(calibration.scale * self.logits + calibration.shift)


def decision(calibration: Calibration, thresholds: Thresholds, policy: Policy) -> dict[str, Any]:
    """The part of the card that serving reads, and the costs it follows from."""
    return {"calibration": asdict(calibration), "thresholds": asdict(thresholds), "policy": asdict(policy)}


def figures(judged: Judged, calibration: Calibration, thresholds: Thresholds) -> dict[str, Any]:
    """Confusion of the two-way answer, shares of the three-way one, calibration before and after."""
    p = judged.probabilities(calibration)
    labels = judged.defect.astype(np.float64)
    review = (p >= thresholds.ok_below) & (p < thresholds.defect_from)
    return {
        "pictures": len(p),
        **Confusion.of(judged.defect, p >= thresholds.decide).told(),
        "escapes": share(int((judged.defect & (p < thresholds.ok_below)).sum()), int(judged.defect.sum())),
        "overkill": share(int((~judged.defect & (p >= thresholds.defect_from)).sum()), int((~judged.defect).sum())),
        "review": share(int(review.sum()), len(p)),
        "ece": {
            "before": expected_calibration_error(sigmoid(judged.logits), labels),
            "after": expected_calibration_error(p, labels),
        },
    }


def reference(p_defect: npt.NDArray[np.float64], measures: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Histograms that reports measure drift against: of the score and of each measure of good pictures."""
    told = {"p_defect": _histogram(p_defect, np.linspace(0, 1, 21))}
    for number, name in enumerate(MEASURES):
        column = measures[:, number].astype(np.float64)
        told[name] = _histogram(column, np.linspace(column.min(), max(column.max(), column.min() + 1e-6), 21))
    return told


def write(bundle: Path, parts: dict[str, Any]) -> None:
    """Write ``card.json``: what is always the same first, then ``parts``."""
    card = {
        "version": bundle.name,
        "classes": [OK_FRONT, DEF_FRONT],
        "input": {"height": SHAPE[0], "width": SHAPE[1], "channels": 1, "dtype": "float32", "range": [0, 255]},
        "preprocessing": {"id": PREPROCESSING, "measures": list(MEASURES)},
        "data_licence": DATA_LICENCE,
        "data_note": DATA_NOTE,
        **parts,
    }
    (bundle / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def amend(bundle: Path, parts: dict[str, Any]) -> None:
    """Add or replace ``parts`` in a card that is there, figures under their names beside the others."""
    card = json.loads((bundle / CARD).read_text())
    figures_before = card.get("figures", {})
    card.update(parts)
    card["figures"] = {**figures_before, **parts.get("figures", {})}
    (bundle / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def _histogram(values: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    counts, _ = np.histogram(values, edges)
    return {"edges": [round(float(edge), 6) for edge in edges], "counts": [int(count) for count in counts]}
