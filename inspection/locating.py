"""Finds the part in a picture: the dark channel around the hub, wherever, however large and however lit it is.

The channel lies inside the part, so what the part lies on can't mislead. It looks like an ellipse; everything else
about the part is measured in its axes (*shares*): the channel ends at 1, the rim lies at about 1.83. Knows nothing of
networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_WORKING_SIDE = 150  # the search runs on a copy whose shorter side has so many pixels
_SMALLEST, _LARGEST = 0.2 * _WORKING_SIDE, 0.75 * _WORKING_SIDE  # diameters of the channel that are looked at
_LEVELS = (0.4, 0.25, 0.55, 0.12, 0.75)  # of the way from dark to bright, likeliest first
_CLEAR = 0.35  # a fit from which no further level is tried


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre ``x``, ``y`` and semi-axes ``a``, ``b`` in pixels; ``turn`` is the direction of ``a`` in radians."""

    x: float
    y: float
    a: float
    b: float
    turn: float

    def matrix(self) -> Floats:
        """float32 [2, 3]: from shares along the picture's own directions to pixels; the angle isn't turned."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        skew = (self.a - self.b) * cos * sin
        along, across = self.a * cos * cos + self.b * sin * sin, self.a * sin * sin + self.b * cos * cos
        return np.array([[along, skew, self.x], [skew, across, self.y]], np.float32)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the channel is and how much it looks like one: ``fit`` up to about 1; below 0 there is none."""

    ellipse: Ellipse
    fit: float


class Rings:
    """Points on circles of the given ``shares``, each at the same ``angles`` directions, evenly spread."""

    def __init__(self, shares: Sequence[float], angles: int) -> None:
        angle = np.arange(angles) * 2 * np.pi / angles
        self.shares = np.array(shares, np.float32)
        self._column = self.shares[:, np.newaxis]
        self._directions = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)

    @classmethod
    def between(cls, first: float, last: float, count: int, angles: int) -> "Rings":
        return cls(np.linspace(first, last, count).tolist(), angles)

    def on(self, ellipse: Ellipse) -> tuple[Floats, Floats]:
        """Where they lie in the picture: x and y in pixels, float32 [shares, angles] each."""
        matrix = ellipse.matrix()
        along = matrix[:, :2] @ self._directions  # all circles are one, stretched: an outer product is all it takes
        x, y = self._column * along[0], self._column * along[1]
        x += matrix[0, 2]
        y += matrix[1, 2]
        return x, y


def sample(grey: Grey, ellipse: Ellipse, rings: Rings) -> Grey:
    """The picture along ``rings``: uint8 [shares, angles]; beyond the picture its edge goes on."""
    return _at(grey, *rings.on(ellipse))


def outside(x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], shape: tuple[int, ...]) -> float:
    """The share of the points ``x``, ``y`` (pixels) that lie outside a picture of ``shape``: (height, width)."""
    out = (x < -0.5) | (y < -0.5) | (x > shape[1] - 0.5) | (y > shape[0] - 0.5)
    return float(np.count_nonzero(out) / out.size)


def _at(grey: Grey, x: Floats, y: Floats) -> Grey:
    return np.asarray(cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def median(values: npt.NDArray[Any]) -> float:
    """The middle value, or the mean of both: NumPy's own spends five times as long on what is so small."""
    half = values.size // 2
    found = np.partition(values, (half - 1, half), axis=None)
    return float(found[half]) if values.size % 2 else (float(found[half - 1]) + float(found[half])) / 2


def locate(grey: Grey) -> Found:
    """Find the channel in uint8 [h, w]; where there is none, a centred circle of its usual size with a fit of -1."""
    found = _search(grey)
    if found is None:
        height, width = grey.shape
        usual = 0.225 * min(height, width)
        return Found(Ellipse((width - 1) / 2, (height - 1) / 2, usual, usual, 0.0), -1.0)
    return Found(_refine(grey, found.ellipse), found.fit)


def rim(grey: Grey, channel: Ellipse) -> Ellipse:
    """The part's outer edge: of many circles of shares, a little off the channel's centre, the one with most change."""
    unrolled = cv2.GaussianBlur(sample(grey, channel, _ABOUT_RIM), (3, 3), 0)
    change = np.minimum(cv2.absdiff(unrolled[2:], unrolled[:-2]), 40)
    places, crossed = _rim_candidates()
    along_circles = cv2.reduce(change.take(crossed, mode="clip"), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    share, along, across = places[along_circles.argmax()]
    x, y = channel.matrix() @ np.array([along, across, 1.0], np.float32)
    return Ellipse(float(x), float(y), share * channel.a, share * channel.b, channel.turn)


@cache
def _rim_candidates() -> tuple[Floats, npt.NDArray[np.intp]]:
    """Circles as (share, off centre along x, along y), and the place in ``change``, row by row, that each crosses at
    each angle. All in whole numbers and C: in floats and NumPy's indexing of two axes it took four times as long."""
    off = np.linspace(-0.14, 0.14, 15)
    places = np.array([(share, x, y) for share in np.linspace(1.72, 1.95, 24) for x in off for y in off], np.float32)
    angle = np.arange(64) * 2 * np.pi / 64
    wave = places[:, :1] + places[:, 1:2] * np.cos(angle) + places[:, 2:] * np.sin(angle)
    row = ((wave - 1.5) / 0.65 * (_RIM_ROWS - 1)).round().astype(np.intp) - 1
    return places, np.clip(row, 0, _RIM_ROWS - 3) * 64 + np.arange(64)


_PROBE = Rings((0.80, 0.90, 1.10, 1.18), 32)
_EDGE = Rings.between(0.84, 1.16, 28, 64)
_RIM_ROWS = 66
_ABOUT_RIM = Rings.between(1.5, 2.15, _RIM_ROWS, 64)


def _search(grey: Grey) -> Found | None:
    height, width = grey.shape
    factor = _WORKING_SIDE / min(height, width)
    size = (round(width * factor), round(height * factor))
    small = np.asarray(cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (5, 5), 1.2), np.uint8)
    dark, bright = _levels(small)
    span = bright - dark + 8.0
    best: Found | None = None
    for level in _LEVELS:
        below = cv2.threshold(small, dark + level * (bright - dark), 255, cv2.THRESH_BINARY_INV)[1]
        for contour in cv2.findContours(below, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
            found = _judge(small, contour, span)
            if found and (best is None or found.fit > best.fit):
                best = found
        if best and best.fit >= _CLEAR:
            break
    if best is None or best.fit < 0:
        return None
    small_one = best.ellipse
    x, y = (small_one.x + 0.5) / factor - 0.5, (small_one.y + 0.5) / factor - 0.5
    return Found(Ellipse(x, y, small_one.a / factor, small_one.b / factor, small_one.turn), best.fit)


def _levels(grey: Grey) -> tuple[float, float]:
    """The grey below which 2 % and 70 % of the picture lie."""
    below = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel(), dtype=np.float64) / grey.size
    return float(np.searchsorted(below, 0.02)), float(np.searchsorted(below, 0.70))


def _judge(small: Grey, contour: npt.NDArray[np.int32], span: float) -> Found | None:
    """How much a contour looks like the channel's: an ellipse, evenly dark inside, brighter all around."""
    if len(contour) < 60:
        return None
    _, _, width, height = cv2.boundingRect(contour)
    if not (_SMALLEST < width < _LARGEST and _SMALLEST < height < _LARGEST and 0.55 < width / height < 1.8):
        return None
    hull = cv2.convexHull(contour)
    ellipse = _fitted(hull)
    if ellipse is None or not (_SMALLEST < 2 * ellipse.a < _LARGEST and _SMALLEST < 2 * ellipse.b < _LARGEST):
        return None
    full = cv2.contourArea(hull) / (np.pi * ellipse.a * ellipse.b)
    if abs(full - 1) > 0.3:
        return None
    probe = sample(small, ellipse, _PROBE)
    ring = cv2.reduce(probe, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel().tolist()
    step = min(ring[2], ring[3]) - max(ring[0], ring[1])
    uneven = float(cv2.meanStdDev(probe[:2])[1][0, 0])
    return Found(ellipse, (step - uneven) / span - 3 * abs(full - 1))


def _refine(grey: Grey, ellipse: Ellipse) -> Ellipse:
    """Fit again to where the brightness rises most along 64 rays, to a fraction of a pixel."""
    x, y = _EDGE.on(ellipse)
    unrolled = cv2.GaussianBlur(_at(grey, x, y), (3, 5), 0).astype(np.float32)
    rise = unrolled[2:] - unrolled[:-2]
    row, column = rise.argmax(axis=0), np.arange(rise.shape[1])
    share, steep = _EDGE.shares[1:-1][row], rise[row, column]
    good = (np.abs(share - median(share)) < 0.06) & (steep > 0.4 * median(steep))
    if np.count_nonzero(good) < 24:
        return ellipse
    edge = (row + 1)[good], column[good]
    refined = _fitted(np.stack([x[edge], y[edge]], axis=-1))
    grown = refined.a * refined.b / (ellipse.a * ellipse.b) if refined else 0.0
    return refined if refined and 0.8 < grown < 1.25 else ellipse


def _fitted(points: npt.NDArray[np.float32] | npt.NDArray[np.int32]) -> Ellipse | None:
    if len(points) < 8:
        return None
    (x, y), (width, height), degrees = cv2.fitEllipseDirect(points)
    if not np.isfinite(x + y + width + height) or min(width, height) <= 0:
        return None
    return Ellipse(x, y, width / 2, height / 2, float(np.deg2rad(degrees)))
