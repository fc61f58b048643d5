"""Why a picture can't be judged, or not be called ok: it shows no casting, or shows one too badly. Rules on what was
measured anyway.

The limits come from validation pictures and stand in the model's card, see ``training.rejecting``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.preprocessing import MEASURES

Floats = npt.NDArray[np.float32]
#: Reasons, in the order in which they are told.
NO_CASTING, CUT_OFF, TOO_DARK, BLOWN_OUT, BLURRED = "no_casting", "cut_off", "too_dark", "blown_out", "blurred"

DARK = 30.0  # mean grey below which a picture without a channel is called dark
_GROOVE = slice(
    7, 22
)  # rows from the ring around the channel over the groove to the face: other round things have none


@dataclass(frozen=True, slots=True)
class Limits:
    """Least or greatest values of a usable picture. With more than ``glare`` of the face blown out it is usable, not
    ok. ``profile`` is the usual casting's grey by row of the strip, ``likeness`` the least correlation with it around
    the groove."""

    fit: float = -1.0
    likeness: float = -1.0
    contrast: float = 0.0
    sharpness: float = 0.0
    blown_out: float = 1.0
    glare: float = 1.0
    cut_off: float = 0.06
    profile: tuple[float, ...] = ()

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> "Limits":
        """From the card's ``rejection``; what it doesn't name refuses nothing."""
        known = {name: value for name, value in card.items() if name in cls.__dataclass_fields__}
        if "profile" in known:
            known["profile"] = tuple(known["profile"])
        return cls(**known)


def reasons(pixels: npt.NDArray[np.uint8], measures: Floats, limits: Limits) -> list[tuple[str, ...]]:
    """Of each picture why it is unusable, empty when it is usable: uint8 [N, *SHAPE], float32 [N, M] to N tuples."""
    at = {name: measures[:, MEASURES.index(name)] for name in ("fit", "contrast", "sharpness", "blown_out", "cut_off")}
    strange = at["fit"] < limits.fit
    flat = at["contrast"] < limits.contrast
    dark = flat & ((measures[:, MEASURES.index("brightness")] < DARK) | ~strange)
    if limits.profile:
        strange |= likeness(pixels, np.array(limits.profile, np.float32)) < limits.likeness
    told = {
        TOO_DARK: dark,
        NO_CASTING: (strange | flat) & ~dark,  # what can't be seen can't be strange
        CUT_OFF: at["cut_off"] > limits.cut_off,
        BLOWN_OUT: at["blown_out"] > limits.blown_out,
        BLURRED: at["sharpness"] < limits.sharpness,
    }
    return [tuple(name for name, hit in told.items() if hit[number]) for number in range(len(measures))]


def doubts(measures: Floats, limits: Limits) -> list[tuple[str, ...]]:
    """Of each picture why it can't be called ok, whatever its score: float32 [N, M] to N tuples."""
    glaring = measures[:, MEASURES.index("blown_out")] > limits.glare
    return [(BLOWN_OUT,) if one else () for one in glaring]


def likeness(pixels: npt.NDArray[np.uint8], profile: Floats) -> Floats:
    """Correlation of ring, groove and face (mean grey by row) with the usual casting's: float32 [N], -1 to 1."""
    rows = pixels[:, _GROOVE].mean(axis=2, dtype=np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    usual = profile[_GROOVE] - profile[_GROOVE].mean()
    # Five levels beside the norm: a few levels of noise on something flat are no likeness.
    return np.asarray(rows @ usual / ((np.linalg.norm(rows, axis=1) + 5.0) * np.linalg.norm(usual)), np.float32)
