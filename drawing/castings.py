"""Draws pump impellers from above, sound or with a defect whose place is known, turned, placed and lit at random.

They stand in for photographs wherever a photograph's licence forbids its use; they are drawings, and say so.
All lengths are in pixels of the finished 300 x 300 picture.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

Kind = Literal["ok", "blow_hole", "crack", "scratch", "broken_rim"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIDE = 300

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a defect is: centre ``x``, ``y`` and ``radius`` that encloses it, in pixels."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Casting:
    """A drawn casting: ``pixels`` uint8 [300, 300]; ``places`` is empty for a sound part."""

    kind: Kind
    pixels: npt.NDArray[np.uint8]
    places: tuple[Place, ...]

    @property
    def label(self) -> str:
        return "ok_front" if self.kind == "ok" else "def_front"

    def png(self) -> bytes:
        """The picture as a PNG file."""
        return bytes(cv2.imencode(".png", self.pixels)[1])

    def jpeg(self) -> bytes:
        """The picture as a JPEG file, as a camera sends it."""
        return bytes(cv2.imencode(".jpg", self.pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def draw(seed: int, kind: Kind = "ok") -> Casting:
    """Draw one casting; the same ``seed`` and ``kind`` give the same picture."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    body = _Body.random(rng)
    picture = _bench(rng) * (1 - body.shadow(rng))
    rim = np.zeros((SIDE, SIDE), np.float32)
    places: tuple[Place, ...] = ()
    if kind == "broken_rim":
        rim, places = _broken_rim(body, rng)
    inside = np.clip(_edge(body.radius - body.r) - rim, 0, 1)
    picture = picture * (1 - inside) + body.surface(rng) * inside
    if kind in _MARKS:
        mark, places = _MARKS[kind](body, rng)
        picture = picture * (1 - mark) + rng.uniform(12, 40) * mark
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 0.8)) + rng.normal(0, 2.0, picture.shape)
    light = rng.uniform(0.85, 1.12)
    return Casting(kind, np.clip(picture * light, 0, 255).astype(np.uint8), places)


@dataclass(frozen=True, slots=True)
class _Body:
    """The impeller's place: distance ``r`` and angle ``a`` of every pixel from its centre, and its outer radius."""

    x: float
    y: float
    radius: float
    turn: float
    r: Plane
    a: Plane

    @classmethod
    def random(cls, rng: np.random.Generator) -> "_Body":
        x, y = rng.uniform(SIDE / 2 - 9, SIDE / 2 + 9, 2)
        ys, xs = _grid()
        return cls(
            x, y, rng.uniform(104, 124), rng.uniform(0, 2 * np.pi), np.hypot(xs - x, ys - y), np.arctan2(ys - y, xs - x)
        )

    def at(self, share: float, angle: float) -> tuple[float, float]:
        """The point at ``share`` of the outer radius in direction ``angle``."""
        return self.x + share * self.radius * np.cos(angle), self.y + share * self.radius * np.sin(angle)

    def shadow(self, rng: np.random.Generator) -> Plane:
        side = rng.uniform(0, 2 * np.pi)
        ys, xs = _grid()
        away = np.hypot(xs - self.x - 5 * np.cos(side), ys - self.y - 5 * np.sin(side)) - self.radius
        return np.asarray(rng.uniform(0.35, 0.6) / (1 + np.exp(away / 4.0)), dtype=np.float32)

    def surface(self, rng: np.random.Generator) -> Plane:
        """Turned face with its sheen, groove, inner ring, dark channel with vanes, boss and bore."""
        share = self.r / self.radius
        sheen = sum(
            rng.uniform(6, 16) * np.cos(k * (self.a - rng.uniform(0, 2 * np.pi))) for k in (2, 3, 4)
        ) + 20 * np.exp(-(((self.a - self.turn + np.pi) % (2 * np.pi) - np.pi) ** 2) / 0.05)
        turning = cv2.GaussianBlur(rng.normal(0, 1, 512), (0, 0), 1.0).ravel()
        rings = 5 * np.interp(self.r, np.arange(512) * 0.5, turning)
        face = rng.uniform(165, 195) + sheen + rings
        vanes = 22 * np.clip(np.cos(6 * (self.a - self.turn + 2.2 * share)), 0, 1) ** 8 + 14
        bore = rng.uniform(110, 150) + 45 * np.cos(self.a - self.turn) * share / 0.2
        layers = ((0.635, 30.0), (0.605, 185 + 0.6 * sheen), (0.545, vanes), (0.27, 178 + 0.8 * sheen), (0.20, bore))
        for edge, level in layers:
            inside = _edge((edge - share) * self.radius)
            face = face * (1 - inside) + level * inside
        rim = np.exp(-((share - 0.985) ** 2) / 0.0002)
        return np.asarray(face - 35 * rim, dtype=np.float32)


@cache
def _grid() -> tuple[Plane, Plane]:
    ys, xs = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return ys, xs


def _edge(signed: Plane) -> Plane:
    """1 inside, 0 outside, soft over one pixel; ``signed`` is the distance from the edge, positive inside."""
    return np.asarray(np.clip(signed + 0.5, 0, 1), dtype=np.float32)


def _bench(rng: np.random.Generator) -> Plane:
    ys, xs = _grid()
    slope = rng.uniform(-40, 40, 2)
    texture = cv2.GaussianBlur(rng.normal(0, 30, (SIDE, SIDE)), (0, 0), rng.uniform(2, 6))
    level = rng.uniform(110, 205)
    return np.asarray(level + slope[0] * (xs / SIDE - 0.5) + slope[1] * (ys / SIDE - 0.5) + texture, dtype=np.float32)


def _blow_holes(body: _Body, rng: np.random.Generator) -> tuple[Plane, tuple[Place, ...]]:
    mark = np.zeros((SIDE, SIDE), np.float32)
    ys, xs = _grid()
    places = []
    for _ in range(int(rng.integers(1, 4))):
        x, y = body.at(rng.uniform(0.70, 0.92), rng.uniform(0, 2 * np.pi))
        size, squash = rng.uniform(3.0, 5.5), rng.uniform(0.6, 1.0)
        turn = rng.uniform(0, np.pi)
        u = (xs - x) * np.cos(turn) + (ys - y) * np.sin(turn)
        v = (ys - y) * np.cos(turn) - (xs - x) * np.sin(turn)
        mark = np.maximum(mark, _edge((size - np.hypot(u, v / squash)).astype(np.float32)))
        places.append(Place(x, y, size + 1))
    return mark * 0.9, tuple(places)


def _crack(body: _Body, rng: np.random.Generator) -> tuple[Plane, tuple[Place, ...]]:
    angle, share = rng.uniform(0, 2 * np.pi), 0.66
    points = [body.at(share, angle)]
    while share < 0.94:
        share += rng.uniform(0.025, 0.05)
        angle += rng.normal(0, 0.035)
        points.append(body.at(min(share, 0.96), angle))
    return _stroke(points, rng.uniform(1.6, 2.8), 0.9)


def _scratch(body: _Body, rng: np.random.Generator) -> tuple[Plane, tuple[Place, ...]]:
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.6)
    bend = rng.uniform(0.72, 0.78), rng.uniform(0.82, 0.9)
    shares = np.linspace(bend[0], bend[1], 8)
    points = [body.at(share, angle + length * i / 7) for i, share in enumerate(shares)]
    return _stroke(points, rng.uniform(1.5, 2.4), 0.8)


def _stroke(points: list[tuple[float, float]], width: float, depth: float) -> tuple[Plane, tuple[Place, ...]]:
    big = np.zeros((SIDE * 4, SIDE * 4), np.uint8)
    line = (np.array(points) * 4).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(big, [line], False, 255, round(width * 4), cv2.LINE_AA)
    mark = cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    centre = np.mean(points, axis=0)
    reach = max(float(np.hypot(*(np.array(point) - centre))) for point in points)
    return mark * depth, (Place(float(centre[0]), float(centre[1]), reach + width),)


def _broken_rim(body: _Body, rng: np.random.Generator) -> tuple[Plane, tuple[Place, ...]]:
    """What is missing of the disc: bites out of its rim, with ragged edges."""
    ys, xs = _grid()
    missing = np.zeros((SIDE, SIDE), np.float32)
    ragged = cv2.GaussianBlur(rng.normal(0, 9, (SIDE, SIDE)), (0, 0), 2.0)
    places = []
    for _ in range(int(rng.integers(1, 3))):
        x, y = body.at(1.02, rng.uniform(0, 2 * np.pi))
        size = rng.uniform(11, 19)
        missing = np.maximum(missing, _edge((size + ragged - np.hypot(xs - x, ys - y)).astype(np.float32)))
        places.append(Place(x, y, size + 3))
    return missing, tuple(places)


_MARKS = {"blow_hole": _blow_holes, "crack": _crack, "scratch": _scratch}
