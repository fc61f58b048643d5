"""Another camera, by name and strength: what is done to a decoded picture to see whether the verdict survives it.

All work on uint8 [h, w] before any preprocessing, as another bench, lamp or lens would. Strengths are in the units that
each function names. Knows nothing of networks.
"""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from inspection.locating import Ellipse, Rings, locate, outside, rim

Grey = npt.NDArray[np.uint8]
Alteration = Callable[[Grey, float, np.random.Generator], Grey]


def angle(grey: Grey, degrees: float, rng: np.random.Generator) -> Grey:
    """Turn about the centre by ``degrees``."""
    return moved(grey, rng, degrees=degrees)


def shift(grey: Grey, pixels: float, rng: np.random.Generator) -> Grey:
    """Move by ``pixels`` of a 300-pixel picture in a random direction."""
    return moved(grey, rng, pixels=pixels * min(grey.shape) / 300)


def scale(grey: Grey, factor: float, rng: np.random.Generator) -> Grey:
    """Show the part ``factor`` times as large in a picture of the same size."""
    return moved(grey, rng, factor=factor)


def brightness(grey: Grey, factor: float, rng: np.random.Generator) -> Grey:  # noqa: ARG001
    """Multiply by ``factor``."""
    return _grey(grey.astype(np.float32) * factor)


def contrast(grey: Grey, factor: float, rng: np.random.Generator) -> Grey:  # noqa: ARG001
    """Stretch around mid-grey by ``factor``."""
    return _grey((grey.astype(np.float32) - 128) * factor + 128)


def slope(grey: Grey, fall: float, rng: np.random.Generator) -> Grey:
    """Light that falls off to a random side: from 1 + ``fall`` / 2 to 1 - ``fall`` / 2 times."""
    height, width = grey.shape
    side = rng.uniform(0, 2 * np.pi)
    ys, xs = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    return _grey(grey * (1 + fall * (xs * np.cos(side) + ys * np.sin(side))))


def noise(grey: Grey, sigma: float, rng: np.random.Generator) -> Grey:
    """Add normal noise of ``sigma`` grey levels."""
    return _grey(grey + rng.normal(0, sigma, grey.shape)) if sigma > 0 else grey


def blur(grey: Grey, sigma: float, rng: np.random.Generator) -> Grey:  # noqa: ARG001
    """Blur with a Gaussian of ``sigma`` pixels of a 300-pixel picture."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma * min(grey.shape) / 300), np.uint8) if sigma > 0 else grey


def jpeg(grey: Grey, quality: float, rng: np.random.Generator) -> Grey:  # noqa: ARG001
    """Compress with ``quality`` (1 to 100) and read again."""
    stored = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.uint8)


def resolution(grey: Grey, factor: float, rng: np.random.Generator) -> Grey:  # noqa: ARG001
    """Another number of pixels for the same view: 0.5 is half, 2 is double."""
    size = (round(grey.shape[1] * factor), round(grey.shape[0] * factor))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), np.uint8)


def bench_grey(grey: Grey, level: float, rng: np.random.Generator) -> Grey:
    """A bench of one ``level`` of grey (0 to 255) with faint noise."""
    return _on(grey, _grey(level + rng.normal(0, 2, grey.shape)))


def bench_texture(grey: Grey, depth: float, rng: np.random.Generator) -> Grey:
    """A random rough bench whose levels spread by ``depth``: stripes, checks, grain."""
    height, width = grey.shape
    grain = cv2.GaussianBlur(rng.normal(0, 1, grey.shape), (0, 0), rng.uniform(0.6, 12))
    grain /= grain.std() + 1e-6
    ys, xs = np.mgrid[0:height, 0:width] * (2 * np.pi / rng.uniform(6, 60))
    side = rng.uniform(0, np.pi)
    stripes = np.sin(xs * np.cos(side) + ys * np.sin(side))
    checks = np.sign(np.sin(xs) * np.sin(ys))
    pattern = (grain, stripes, checks, 0.5 * grain + stripes)[int(rng.integers(4))]
    return _on(grey, _grey(rng.uniform(40, 215) + depth * pattern))


def bench_scene(grey: Grey, depth: float, rng: np.random.Generator) -> Grey:
    """A bench like a photograph: soft light, drawn tools, boxes, edges and circles, levels spread by ``depth``."""
    height, width = grey.shape
    scene = np.full(grey.shape, rng.uniform(40, 215), np.float32)
    scene += cv2.GaussianBlur(rng.normal(0, 1, grey.shape), (0, 0), width / 6).astype(np.float32) * depth * 20
    for _ in range(int(rng.integers(4, 16))):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        to = (int(rng.integers(width)), int(rng.integers(height)))
        level = float(rng.uniform(0, 255))
        match int(rng.integers(4)):
            case 0:
                cv2.rectangle(scene, at, to, level, -1)
            case 1:
                cv2.circle(scene, at, int(rng.uniform(0.02, 0.2) * width), level, -1)
            case 2:
                cv2.line(scene, at, to, level, int(rng.integers(1, 8)))
            case _:
                size = (int(rng.uniform(4, 80)), int(rng.uniform(4, 80)))
                cv2.ellipse(scene, at, size, float(rng.uniform(0, 180)), 0, 360, level, int(rng.choice([-1, 1, 3])))
    soft = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, 2.0))
    return _on(grey, _grey(soft + rng.normal(0, rng.uniform(0, 8), grey.shape)))


def rim_cut(grey: Grey, share: float, rng: np.random.Generator) -> Grey:
    """Cut ``share`` of the part's width off at one side of the picture; the picture gets smaller."""
    found = locate(grey).ellipse
    edge = max(found.a, found.b) * 1.85
    turns = int(rng.integers(4))
    turned = np.rot90(grey, turns)
    y = {0: found.y, 1: grey.shape[1] - 1 - found.x, 2: grey.shape[0] - 1 - found.y, 3: found.x}[turns]
    first = max(0, round(y - edge + 2 * edge * share))
    return np.asarray(np.ascontiguousarray(np.rot90(turned[first:], -turns)), np.uint8)


ALTERATIONS: dict[str, tuple[Alteration, tuple[float, ...]]] = {
    "angle": (angle, (10, 17, 30, 45, 90, 137, 180, 250)),
    "shift": (shift, (5, 10, 15, 20, 25)),
    "scale": (scale, (0.8, 0.85, 0.9, 1.1, 1.15, 1.2)),
    "brightness": (brightness, (0.6, 0.7, 0.8, 1.2, 1.4, 1.5)),
    "contrast": (contrast, (0.6, 0.8, 1.2, 1.4)),
    "slope": (slope, (0.2, 0.4, 0.6)),
    "noise": (noise, (5, 10, 15)),
    "blur": (blur, (0.5, 1.0, 1.5)),
    "jpeg": (jpeg, (70, 50, 30, 20)),
    "resolution": (resolution, (0.5, 2.0)),
    "bench_grey": (bench_grey, (0, 40, 80, 128, 170, 210, 255)),
    "bench_texture": (bench_texture, (15, 40, 70)),
    "bench_scene": (bench_scene, (1, 2)),
    "rim_cut": (rim_cut, (0.1, 0.2)),
}
#: Changes that take a part of the part away: the answer must be review or rejected, never ok.
CUTTING = frozenset({"rim_cut"})
_RANGES: dict[str, tuple[float, float]] = {
    "angle": (0, 360),
    "shift": (0, 25),
    "scale": (0.8, 1.2),
    "brightness": (0.6, 1.5),
    "contrast": (0.6, 1.4),
    "slope": (0, 0.6),
    "noise": (0, 15),
    "blur": (0, 1.5),
    "jpeg": (20, 95),
    "resolution": (0.5, 2.0),
    "bench_grey": (0, 255),
    "bench_texture": (5, 70),
    "bench_scene": (0.2, 2),
}


#: Of 54 pairs at the ends of their ranges the two that cost most.
_HARDEST = (("blur", "brightness"), ("brightness", "blur"))
_OUTLINE = Rings((1.0,), 256)


def alter(name: str, strength: float, grey: Grey, rng: np.random.Generator) -> Grey:
    """Alter a decoded picture, uint8 [h, w], by the alteration called ``name`` in ALTERATIONS."""
    return ALTERATIONS[name][0](grey, strength, rng)


def changes() -> Iterator[tuple[str, float | None, Callable[[Grey, np.random.Generator], Grey]]]:
    """Name, strength and what it does: every alteration at each of its strengths, then two at once: at random (strength
    None), and those that cost most."""
    for name, (_, strengths) in ALTERATIONS.items():
        for strength in strengths:
            yield name, strength, partial(alter, name, strength)
    yield "pair", None, pair
    for first, then in _HARDEST:
        yield f"{first} 1.5, then {then}", 1.5, partial(_both, (first, 1.5), (then, 1.5))


def _both(first: tuple[str, float], then: tuple[str, float], grey: Grey, rng: np.random.Generator) -> Grey:
    return alter(*then, alter(*first, grey, rng), rng)


def pair(grey: Grey, rng: np.random.Generator) -> Grey:
    """Two different alterations at random strengths, in random order."""
    for name in rng.choice(sorted(_RANGES), 2, replace=False):
        grey = alter(str(name), float(rng.uniform(*_RANGES[str(name)])), grey, rng)
    return grey


def moved(grey: Grey, rng: np.random.Generator, degrees: float = 0.0, pixels: float = 0.0, factor: float = 1.0) -> Grey:
    """Turn about the centre, move by ``pixels`` in a random direction, show ``factor`` times as large, in one go."""
    height, width = grey.shape
    matrix = _movement(grey.shape, rng, degrees, pixels, factor)
    return np.asarray(
        cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def rim_outside(name: str, strength: float, grey: Grey, rng: np.random.Generator) -> float:
    """The share of the part's rim that lies outside the picture after ``shift`` or ``scale``, else before: geometry.

    ``rng`` as it was for :func:`alter`. The rim is looked for in the picture as it was, where all of it can be seen.
    """
    matrix = np.eye(2, 3)
    if name == "shift":
        matrix = _movement(grey.shape, rng, 0.0, strength * min(grey.shape) / 300, 1.0)
    elif name == "scale":
        matrix = _movement(grey.shape, rng, 0.0, 0.0, strength)
    outline = rim(grey, locate(grey).ellipse)
    x, y = matrix[:, :2] @ np.stack([one.ravel() for one in _OUTLINE.on(outline)]) + matrix[:, 2:]
    return outside(x, y, grey.shape)


def _movement(
    shape: tuple[int, ...], rng: np.random.Generator, degrees: float, pixels: float, factor: float
) -> npt.NDArray[np.float64]:
    matrix = cv2.getRotationMatrix2D(((shape[1] - 1) / 2, (shape[0] - 1) / 2), degrees, factor)
    side = rng.uniform(0, 2 * np.pi)
    matrix[:, 2] += pixels * np.array([np.cos(side), np.sin(side)])
    return np.asarray(matrix, np.float64)


def _on(grey: Grey, bench: Grey) -> Grey:
    """The part, cut out a little outside its rim, on another ``bench``."""
    outline: Ellipse = rim(grey, locate(grey).ellipse)
    mask = np.zeros(grey.shape, np.uint8)
    box = ((outline.x, outline.y), (2 * 1.03 * outline.a, 2 * 1.03 * outline.b), float(np.rad2deg(outline.turn)))
    cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
    share = cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255
    return _grey(grey * share + bench * (1 - share))


def _grey(values: npt.NDArray[np.floating]) -> Grey:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
