"""Which pictures are trained on and which are only judged: by groups of look-alikes, never by file."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from training.prepared import Prepared

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of Prepared: ``train`` and ``held`` (validation), int64; no group is on both sides."""

    train: Ints
    held: Ints
    contradicting: Ints


def split(data: Prepared, fold: int = 0, folds: int = 5) -> Split:
    """Fold ``fold`` of ``folds``; always the same for the same data. Drawn castings are only ever trained on.

    Pictures whose label contradicts most of their look-alikes' are ``contradicting`` and in neither part: the same
    photograph can't be both, and which label is wrong nobody can tell from the pictures.
    """
    wrong = _contradicting(data)
    usable = np.flatnonzero(~data.drawn & ~wrong)
    sides = StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(
        usable, data.labels[usable], data.groups[usable]
    )
    train, held = list(sides)[fold]
    with_drawn = np.concatenate([usable[train], np.flatnonzero(data.drawn)])
    return Split(with_drawn.astype(np.int64), usable[held].astype(np.int64), np.flatnonzero(wrong).astype(np.int64))


def _contradicting(data: Prepared) -> npt.NDArray[np.bool_]:
    """True where a picture's label is the rarer one among its look-alikes (on a draw: where it says sound)."""
    wrong = np.zeros(len(data.labels), dtype=np.bool_)
    for number in np.unique(data.groups[~data.drawn]):
        rows = np.flatnonzero((data.groups == number) & ~data.drawn)
        wrong[rows] = (data.labels[rows] >= 0.5) != (data.labels[rows].mean() >= 0.5)
    return wrong
