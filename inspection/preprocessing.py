"""A decoded picture to what the network sees: the one path of training, serving and archives.

Position, size, stretch, light and bench are taken out before the network: the part is found by its dark channel,
unrolled along it into a strip (rows: from the channel's edge outwards to just beyond the rim; columns: once around),
and its grey levels are stretched so that channel and face have fixed levels; the face's in each direction, because
turned metal shines in spokes that wander with the lamp. Knows nothing of the network. Changing what it computes means
a new ``PREPROCESSING`` id: bundles made for another one are refused when they are loaded.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inspection.locating import Ellipse, Grey, Rings, locate, median, outside, rim, sample
from inspection.picture import Picture

PREPROCESSING = "unrolled/2"
#: Rows and columns of the strip: about a pixel of a 300-pixel picture each at the face.
SHAPE = (64, 512)
#: What is measured of each picture beside its pixels: mean grey of the picture (0 to 255), variance of the strip's
#: Laplacian after normalising, how much the channel looks like one (-1 to 1), levels between channel and face before
#: normalising, share of the face that is blown out (255), share of the rim outside the picture; then the picture's
#: size and the channel's ellipse in pixels (turn in radians).
MEASURES = (
    "brightness", "sharpness", "fit", "contrast", "blown_out", "cut_off",
    "width", "height", "x", "y", "a", "b", "turn",
)  # fmt: skip
FIRST, LAST = 0.92, 2.02  # shares of the first and last row

_STRIP = Rings.between(FIRST, LAST, *SHAPE)
_RIM = Rings((1.0,), 64)  # of the rim's own ellipse
_REACH = Rings((1.96,), 64)  # no rim lies further out, however far off the channel's centre
_CHANNEL_ROWS, _FACE_ROWS = slice(0, 4), slice(18, 44)
CHANNEL_LEVEL, FACE_LEVEL = 30.0, 170.0
_SPOKE = 4.0  # columns (sigma) over which the face's level is averaged: wider than a defect, narrower than a spoke


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture, ready for the network: ``pixels`` uint8 SHAPE, ``measures`` float32 [len(MEASURES)]."""

    pixels: npt.NDArray[np.uint8]
    measures: npt.NDArray[np.float32]


def prepare(picture: Picture) -> Sample:
    """Find, unroll, normalise and measure. Thread-safe, deterministic, releases the GIL for most of its time."""
    grey = picture.grey
    found = locate(grey)
    strip = sample(grey, found.ellipse, _STRIP)
    face = strip[_FACE_ROWS, ::4]
    low, high = median(strip[_CHANNEL_ROWS, ::4]), median(face)
    pixels = _stretched(strip, low, high)
    sharpness = cv2.Laplacian(pixels[_FACE_ROWS], cv2.CV_16S)
    measures = (
        float(cv2.mean(grey)[0]),
        float(cv2.meanStdDev(sharpness)[1][0, 0]) ** 2,
        found.fit,
        high - low,
        float(np.count_nonzero(face == 255)) / face.size,
        _outside(found.ellipse, grey),
        grey.shape[1],
        grey.shape[0],
        *(found.ellipse.x, found.ellipse.y, found.ellipse.a, found.ellipse.b, found.ellipse.turn),
    )
    return Sample(pixels, np.array(measures, dtype=np.float32))


def onto_picture(along_strip: npt.NDArray[np.float32], measures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Roll a map over the strip (float32 [rows, columns], any resolution) back: float32 in the picture's frame.

    Its longer side is at most 512 pixels; zero wherever the strip does not reach.
    """
    width, height, x, y, a, b, turn = (float(one) for one in measures[MEASURES.index("width") :])
    factor = min(1.0, 512 / max(width, height))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    into = cv2.invertAffineTransform(Ellipse(x * factor, y * factor, a * factor, b * factor, turn).matrix())
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    shares = cv2.transform(np.stack([xs, ys], axis=-1), into)
    share, angle = np.hypot(shares[..., 0], shares[..., 1]), np.arctan2(shares[..., 1], shares[..., 0])
    rows, columns = along_strip.shape
    around = np.hstack([along_strip[:, -1:], along_strip, along_strip[:, :1]])  # the strip's ends meet
    at_row = (share - FIRST) / (LAST - FIRST) * rows - 0.5
    at_column = (angle % (2 * np.pi)) / (2 * np.pi) * columns + 0.5
    rolled = cv2.remap(around, at_column, at_row.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where((share >= FIRST) & (share <= LAST), rolled, 0.0).astype(np.float32)


def _stretched(strip: Grey, low: float, high: float) -> Grey:
    """Channel to its level, then the face to its own in every direction; one multiply and add a pixel."""
    gain = (FACE_LEVEL - CHANNEL_LEVEL) / max(high - low, 8.0)
    offset = CHANNEL_LEVEL - low * gain
    face = cv2.reduce(strip[_FACE_ROWS], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F) * gain + offset
    around = np.hstack([face[:, -24:], face, face[:, :24]])
    spokes = cv2.GaussianBlur(around, (0, 0), sigmaX=_SPOKE, sigmaY=1)[:, 24:-24]
    evened = FACE_LEVEL / np.maximum(spokes, 20.0)
    levels = strip * (gain * evened)
    levels += offset * evened + 0.5
    return np.asarray(np.clip(levels, 0, 255, out=levels), np.uint8)


def _outside(channel: Ellipse, grey: Grey) -> float:
    """The share of the rim outside the picture; the rim is looked for only where it may come so near."""
    if outside(*_REACH.on(channel), grey.shape) == 0:
        return 0.0
    return outside(*_RIM.on(rim(grey, channel)), grey.shape)
