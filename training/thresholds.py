"""From raw scores to probabilities and bounds, on validation pictures only: calibration, then what errors cost.

NumPy only; knows no network and no files.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspection.bundle import Calibration
from inspection.judgement import Thresholds

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the plant says: a miss costs ``miss_cost`` false alarms; of defects at most ``max_escapes`` (share) may
    come out as ok, of sound parts at most ``max_overkill`` as defect; between the two bounds a person looks."""

    miss_cost: float = 10.0
    max_escapes: float = 0.001
    max_overkill: float = 0.002


def calibrate(logits: Floats, labels: Floats, steps: int = 100) -> Calibration:
    """Scale and shift of the logit by Platt's method with his smoothed targets, fitted with Newton's steps.

    Platt, "Probabilistic outputs for support vector machines", 1999; the smoothing keeps the slope finite when the
    classes don't overlap. ``logits``, ``labels`` float [N]; 1 is a defect.
    """
    defects = float((labels >= 0.5).sum())
    sound = len(labels) - defects
    target = np.where(labels >= 0.5, (defects + 1) / (defects + 2), 1 / (sound + 2))
    spread = float(np.std(logits)) or 1.0
    design = np.stack([logits / spread, np.ones_like(logits)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = sigmoid(design @ weights)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * len(labels) * np.eye(2)
        move = np.linalg.solve(curvature, design.T @ (target - p))
        weights += np.clip(move, -2.0, 2.0)
        if np.abs(move).max() < 1e-9:
            break
    return Calibration(scale=max(float(weights[0]), 1e-3) / spread, shift=float(weights[1]))


def choose(p_defect: Floats, labels: Floats, policy: Policy) -> Thresholds:
    """``decide`` where both errors cost the same on average (p = 1 / (1 + miss cost)); then the outer bounds.

    Where sound parts lie above that and below the lowest defect above it, ``decide`` is raised half the way (of the
    log-odds) to that defect: fewer false alarms, no further miss, and as far from the one as from the other.
    ``ok_below`` is the highest bound at or below ``decide`` that lets at most ``max_escapes`` of the defects through;
    ``defect_from`` the lowest at or above it that calls at most ``max_overkill`` of the sound parts defective. Where
    the two kinds don't overlap, scores that (those shares aside) no part of either kind had are doubtful too.
    """
    defects, sound = np.sort(p_defect[labels >= 0.5]), np.sort(p_defect[labels < 0.5])
    decide = _raised(1.0 / (1.0 + policy.miss_cost), defects, sound)
    lowest_defect = _bound(defects, policy.max_escapes, decide)
    # Mirrored, the sound parts' highest scores are the lowest; one step further none of them is reached.
    highest_sound = -_bound(-sound[::-1], policy.max_overkill, -decide)
    above = float(np.nextafter(highest_sound, 2.0))
    return Thresholds(
        decide=decide, ok_below=min(lowest_defect, above, decide), defect_from=max(lowest_defect, above, decide)
    )


def _raised(bound: float, defects: Floats, sound: Floats) -> float:
    """Half the way from ``bound`` to the lowest defect above it, if there are sound parts between."""
    higher = defects[defects >= bound]
    if not len(higher) or not ((sound >= bound) & (sound < higher[0])).any():
        return bound
    odds = [np.log(one / (1.0 - one)) for one in (bound, min(higher[0], 1.0 - 1e-9))]
    return float(min(sigmoid(np.mean(odds)), higher[0]))


def _bound(rising: Floats, share: float, otherwise: float) -> float:
    """The greatest bound below which at most ``share`` of the values lie."""
    return float(rising[int(share * len(rising))]) if len(rising) else otherwise


def expected_calibration_error(p_defect: Floats, labels: Floats, bins: int = 15) -> float:
    """ECE: mean gap between said probability and found share, over equally wide bins, weighted by their counts.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015.
    """
    place = np.minimum((p_defect * bins).astype(int), bins - 1)
    gaps = [
        abs(float(p_defect[place == one].mean()) - float(labels[place == one].mean())) * float((place == one).mean())
        for one in range(bins)
        if (place == one).any()
    ]
    return float(sum(gaps))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float64)
