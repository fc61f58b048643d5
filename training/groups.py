"""Finds pictures of the same part: turned, flipped, stretched, relit copies, so that no split has twins on both sides.

The dark channel around the hub gives an ellipse; unrolled along it, a turn becomes a shift, a flip a mirror, and a
stretch nothing. Fourier magnitudes, which don't change under shifts and mirrors, propose candidates; registration over
all shifts, both ways round, decides. On the public data twins correlate above 0.95 and strangers below 0.75, see
docs/decisions/0030. Knows nothing of labels.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inspection.locating import Ellipse

ANGLES, RADII = 256, 40
#: Correlation from which two pictures count as the same part; merging too much costs variety, too little leaks.
SAME = 0.8
NEIGHBOURS = 60

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Of one picture [RADII, ANGLES / 2 + 1], or of many [N, RADII, ANGLES / 2 + 1].
Spectra = npt.NDArray[np.complex64]
_BLOCK = 512


def group(spectra: Spectra) -> Ints:
    """Number every picture's group of look-alikes: int64 [N], groups counted from 0 by first appearance."""
    parent = np.arange(len(spectra))
    for first, second in _candidates(spectra):
        for one, other in zip(first, second, strict=True):
            if _root(parent, one) != _root(parent, other) and likeness(spectra[one], spectra[other]) >= SAME:
                parent[_root(parent, one)] = _root(parent, other)
    roots = [_root(parent, one) for one in range(len(parent))]
    order = {root: number for number, root in enumerate(dict.fromkeys(roots))}
    return np.array([order[root] for root in roots], dtype=np.int64)


def like(mine: Spectra, theirs: Spectra) -> Floats:
    """How much each picture resembles its nearest among ``theirs``: float32 [N], -1 to 1, same part from SAME."""
    kept = min(NEIGHBOURS, len(theirs))
    near = np.argpartition(-(_magnitudes(mine, theirs) @ _magnitudes(theirs, theirs).T), kept - 1, axis=1)[:, :kept]
    best = [max(likeness(one, theirs[j]) for j in row) for one, row in zip(mine, near, strict=True)]
    return np.array(best, dtype=np.float32)


def likeness(one: Spectra, other: Spectra) -> float:
    """Best correlation of two spectra (complex64 [RADII, ANGLES / 2 + 1] each) over all turns, both ways round."""
    same = np.fft.irfft((one * np.conj(other)).sum(0), n=ANGLES).max()
    mirrored = np.fft.irfft((one * other).sum(0), n=ANGLES).max()
    return float(max(same, mirrored))


def channel(grey: Grey) -> Ellipse:
    """The outer edge of the dark channel; where none is found, a centred circle of its usual size."""
    side = min(grey.shape)
    dark = (cv2.GaussianBlur(grey, (0, 0), side / 200) < 70).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rings = [contour for contour in contours if _is_channel(contour, grey.shape, side)]
    if not rings:
        return Ellipse(grey.shape[1] / 2, grey.shape[0] / 2, 0.225 * side, 0.225 * side, 0.0)
    (x, y), (a, b), degrees = cv2.fitEllipse(cv2.convexHull(max(rings, key=cv2.contourArea)))
    return Ellipse(x, y, a / 2, b / 2, float(np.deg2rad(degrees)))


def _is_channel(contour: npt.NDArray[Any], shape: tuple[int, ...], side: int) -> bool:
    (x, y), radius = cv2.minEnclosingCircle(contour)
    off = max(abs(x - shape[1] / 2), abs(y - shape[0] / 2))
    return bool(len(contour) > 20 and 0.13 * side < radius < 0.34 * side and off < 0.17 * side)


def spectrum(grey: Grey) -> Spectra:
    """Fourier transform along the angle of the unrolled part, high-passed, every radius weighing alike, norm 1.

    complex64 [RADII, ANGLES / 2 + 1]; thread-safe.
    """
    unrolled = _unroll(cv2.GaussianBlur(grey, (0, 0), 1.0), channel(grey)).astype(np.float32)
    around = np.hstack([unrolled[:, -32:], unrolled, unrolled[:, :32]])
    fine = unrolled - cv2.GaussianBlur(around, (0, 0), sigmaX=8, sigmaY=3)[:, 32:-32]
    fine -= fine.mean(axis=1, keepdims=True)
    fine = np.clip(fine / (np.sqrt((fine**2).mean(axis=1, keepdims=True)) + 2.0), -3, 3)
    fine /= np.sqrt((fine**2).sum()) + 1e-6
    return np.asarray(np.fft.rfft(fine, axis=1), dtype=np.complex64)


def _unroll(grey: Grey, ellipse: Ellipse) -> Grey:
    """Polar picture uint8 [RADII, ANGLES] from 0.55 to 1.9 times the channel's edge: hub side to rim."""
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    share = np.linspace(0.55, 1.9, RADII)[:, None]
    u, v = share * np.cos(angle) * ellipse.a, share * np.sin(angle) * ellipse.b
    cos, sin = np.cos(ellipse.turn), np.sin(ellipse.turn)
    xs, ys = ellipse.x + u * cos - v * sin, ellipse.y + u * sin + v * cos
    picture = cv2.remap(
        grey, xs.astype(np.float32), ys.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(picture, dtype=np.uint8)


def _magnitudes(spectra: Spectra, centre: Spectra) -> Floats:
    """Unit vectors float32 [N, RADII * 64] that turns and flips leave alone, centred on the mean of ``centre``."""
    flat = np.abs(spectra[:, :, 1:65]).reshape(len(spectra), -1)
    flat = flat - np.abs(centre[:, :, 1:65]).reshape(len(centre), -1).mean(axis=0)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _candidates(spectra: Spectra) -> Iterator[tuple[Ints, Ints]]:
    """Pairs worth registering, nearest first within a block, so that most later ones are already joined."""
    vectors = _magnitudes(spectra, spectra)
    kept = min(NEIGHBOURS, len(vectors) - 1)
    for start in range(0, len(vectors) if kept > 0 else 0, _BLOCK):
        near = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(near))
        near[rows, start + rows] = -2
        best = np.argsort(-near, axis=1)[:, :kept]
        for rank in range(kept):
            yield start + rows, best[:, rank]


def _root(parent: Ints, one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = int(parent[one])
    return int(one)
