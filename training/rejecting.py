"""The limits beyond which a picture is refused, from validation pictures as they are and altered."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.preprocessing import MEASURES
from inspection.unusable import Limits, likeness

#: Of good pictures at most this share may fall short of any one limit (before the slack is added).
TAIL = 0.003
#: How far beyond the tail the limit lies, in distances from the median to the tail.
SLACK = 0.3
#: The likeness may fall further short: a sound part that validation doesn't hold lies at 0.64, while of 700 drawn other
#: things those that show a channel reach 0.45.
LIKENESS_SLACK = 0.8
#: With more of the face blown out, up to 2.8 % of validation's defects passed as ok (blurred, then lit up by half).
GLARE = 0.5
CUT_OFF = 0.06  # share of the rim outside the picture: geometry, nothing to fit


@dataclass(frozen=True, slots=True)
class Seen:
    """Good pictures as prepared: ``pixels`` uint8 [N, *SHAPE], ``measures`` float32 [N, len(MEASURES)]."""

    pixels: npt.NDArray[np.uint8]
    measures: npt.NDArray[np.float32]


def fit_limits(clean: Seen, altered: Seen) -> Limits:
    """The usual casting's profile from ``clean``, the limits from both; what an alteration cut off doesn't count."""
    profile = clean.pixels.mean(axis=(0, 2), dtype=np.float64).astype(np.float32)
    measures = np.concatenate([clean.measures, altered.measures])
    whole = measures[:, MEASURES.index("cut_off")] <= CUT_OFF
    measures = measures[whole]
    resembling = np.concatenate([likeness(clean.pixels, profile), likeness(altered.pixels, profile)])[whole]

    def of(name: str) -> npt.NDArray[np.float32]:
        return np.asarray(measures[:, MEASURES.index(name)])

    return Limits(
        fit=_least(of("fit")),
        likeness=_least(resembling, LIKENESS_SLACK),
        contrast=max(8.0, _least(of("contrast"))),
        sharpness=max(0.0, _least(np.log(of("sharpness") + 1e-3), back=np.exp)),
        blown_out=min(0.9, -_least(-of("blown_out"))),
        glare=GLARE,
        cut_off=CUT_OFF,
        profile=tuple(round(float(level), 2) for level in profile),
    )


def told(limits: Limits) -> dict[str, Any]:
    """As the card has them."""
    return asdict(limits)


def _least(values: npt.NDArray[Any], slack: float = SLACK, back: Any = float) -> float:
    tail, median = np.quantile(values, [TAIL, 0.5])
    return round(float(back(tail - slack * (median - tail))), 5)
