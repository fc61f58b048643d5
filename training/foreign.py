"""Pictures that show no casting: drawn things, and those that installed packages ship. Are they refused?"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inspection.errors import BadPicture
from inspection.picture import decode

Grey = npt.NDArray[np.uint8]
Rng = np.random.Generator
SIDE = 300
_PACKAGES = ("skimage", "sklearn", "matplotlib")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})


def drawn(seed: int) -> tuple[str, Grey]:
    """One drawn thing that is no casting: its name and uint8 [300, 300]."""
    rng = np.random.default_rng(seed)
    name = sorted(_THINGS)[seed % len(_THINGS)]
    canvas = np.full((SIDE, SIDE), rng.uniform(60, 220), np.float32)
    _THINGS[name](canvas, rng)
    return name, np.asarray(np.clip(canvas + rng.normal(0, 3, canvas.shape), 0, 255), np.uint8)


def shipped() -> Iterator[tuple[str, Grey]]:
    """Pictures inside installed packages, and crops of the larger ones: name and uint8 [h, w]."""
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for root in spec.submodule_search_locations or () if spec else ():
            for path in sorted(path for path in Path(root).rglob("*") if path.suffix.lower() in _SUFFIXES):
                try:
                    grey = decode(path.read_bytes()).grey
                except BadPicture:
                    continue
                if min(grey.shape) >= 64:
                    yield path.name, grey
                    yield from _crops(path.name, grey)


def _crops(name: str, grey: Grey) -> Iterator[tuple[str, Grey]]:
    height, width = grey.shape
    if min(height, width) >= 300:
        for number, (y, x) in enumerate(((0, 0), (0, width // 2), (height // 2, 0), (height // 2, width // 2))):
            yield f"{name}#{number}", np.ascontiguousarray(grey[y : y + height // 2, x : x + width // 2])


def _blank(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    canvas += cv2.GaussianBlur(rng.normal(0, 60, canvas.shape), (0, 0), rng.uniform(2, 40)).astype(np.float32)


def _noise(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    canvas += rng.normal(0, rng.uniform(20, 90), canvas.shape).astype(np.float32)


def _document(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    sheet = np.full(canvas.shape, rng.uniform(200, 250), np.uint8)
    for line in range(20, SIDE, int(rng.integers(14, 26))):
        letters = rng.integers(97, 123, 60)
        letters[rng.random(60) < 0.18] = ord(" ")
        words = bytes(letters.astype(np.uint8)).decode()
        cv2.putText(sheet, words, (12, line), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.3, 0.5), 30, 1, cv2.LINE_AA)
    canvas[:] = sheet


def _discs(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    """Washers, plates, targets: round like the part, without its channel."""
    centre = (int(rng.uniform(120, 180)), int(rng.uniform(120, 180)))
    for radius in sorted(rng.uniform(10, 130, int(rng.integers(1, 5))), reverse=True):
        cv2.circle(canvas, centre, int(radius), float(rng.uniform(20, 240)), -1, cv2.LINE_AA)


def _gear(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    teeth, radius = int(rng.integers(8, 30)), rng.uniform(80, 120)
    angle = np.linspace(0, 2 * np.pi, 400)
    edge = radius + rng.uniform(6, 14) * np.sign(np.sin(teeth * angle))
    outline = np.stack([150 + edge * np.cos(angle), 150 + edge * np.sin(angle)], axis=-1).astype(np.int32)
    cv2.fillPoly(canvas, [outline], float(rng.uniform(30, 220)), cv2.LINE_AA)
    cv2.circle(canvas, (150, 150), int(rng.uniform(10, 50)), float(rng.uniform(20, 240)), -1, cv2.LINE_AA)


def _bolts(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    for _ in range(int(rng.integers(3, 25))):
        centre, radius = rng.uniform(20, 280, 2), rng.uniform(8, 45)
        turn = np.arange(6) * np.pi / 3 + rng.uniform(0, 1)
        corners = (centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)).astype(np.int32)
        cv2.fillPoly(canvas, [corners], float(rng.uniform(30, 220)), cv2.LINE_AA)
        cv2.circle(
            canvas, (int(centre[0]), int(centre[1])), int(radius / 2), float(rng.uniform(20, 240)), -1, cv2.LINE_AA
        )


def _boxes(canvas: npt.NDArray[np.float32], rng: Rng) -> None:
    for _ in range(int(rng.integers(2, 20))):
        (x, y), (w, h) = rng.integers(0, 260, 2), rng.integers(10, 160, 2)
        cv2.rectangle(canvas, (int(x), int(y)), (int(x + w), int(y + h)), float(rng.uniform(0, 255)), -1)


_THINGS = {
    "bench": _blank,
    "bolts": _bolts,
    "boxes": _boxes,
    "discs": _discs,
    "document": _document,
    "gear": _gear,
    "noise": _noise,
}
