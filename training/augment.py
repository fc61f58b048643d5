"""What is changed at random for training: whole pictures once (``copy``), their strips at every step (``augment``).

NumPy and OpenCV only; runs in threads beside the training step.
"""

import cv2
import numpy as np
import numpy.typing as npt

from training import alter

Grey = npt.NDArray[np.uint8]
Rng = np.random.Generator

_BENCHES: dict[str, tuple[float, float]] = {"bench_grey": (0, 255), "bench_texture": (5, 70), "bench_scene": (0.2, 2)}
_LIGHTS: dict[str, tuple[float, float]] = {"brightness": (0.6, 1.5), "contrast": (0.6, 1.4), "slope": (0, 0.6)}
_LENSES: dict[str, tuple[float, float]] = {
    "noise": (0, 16),
    "blur": (0, 1.6),
    "jpeg": (20, 95),
    "resolution": (0.5, 1.0),
}


def copy(grey: Grey, rng: Rng) -> Grey:
    """Another camera's picture of the part, uint8 [h, w]: bench, place, light and lens changed, or some of them."""
    if rng.random() < 0.5:
        grey = _one_of(_BENCHES, grey, rng)
    if rng.random() < 0.7:
        grey = alter.moved(grey, rng, rng.uniform(0, 360), rng.uniform(0, 25), rng.uniform(0.8, 1.2))
    if rng.random() < 0.6:
        grey = _one_of(_LIGHTS, grey, rng)
    return _one_of(_LENSES, grey, rng) if rng.random() < 0.6 else grey


def augment(strips: Grey, labels: npt.NDArray[np.float32], rng: Rng) -> Grey:
    """Turn, flip, relight, roughen each strip, uint8 [n, *SHAPE]; sound ones are also spliced from two sound parts."""
    out = np.stack([_changed(strip, rng) for strip in strips])
    sound = np.flatnonzero(labels < 0.5)
    donors = out[rng.permutation(sound)]
    for row, donor in zip(sound, donors, strict=True):
        if rng.random() < 0.6:
            width = int(rng.integers(64, 384))
            out[row][:, :width] = donor[:, :width]
    return out


def _changed(strip: Grey, rng: Rng) -> Grey:
    columns = strip.shape[1]
    strip = np.roll(strip, int(rng.integers(columns)), axis=1)
    if rng.random() < 0.5:
        strip = strip[:, ::-1]
    if rng.random() < 0.5:
        strip = np.roll(strip, int(rng.integers(-2, 3)), axis=0)
    levels = strip.astype(np.float32)
    if rng.random() < 0.7:
        waves, phase = int(rng.integers(1, 3)), rng.uniform(0, 2 * np.pi)
        light = rng.uniform(0, 25) * np.cos(np.arange(columns) * 2 * np.pi / columns * waves + phase)
        levels = levels * rng.uniform(0.8, 1.2) + (rng.uniform(-15, 15) + light).astype(np.float32)
    if rng.random() < 0.5:  # another finish: few sound parts are known, and their profiles mustn't be learnt by heart
        rough = rng.standard_normal((strip.shape[0], 1), dtype=np.float32)
        profile = cv2.GaussianBlur(rough, (0, 0), rng.uniform(2, 8))
        levels += profile * np.float32(rng.uniform(0, 15) / (profile.std() + 1e-6))
    if rng.random() < 0.25:
        levels += rng.standard_normal(levels.shape, dtype=np.float32) * np.float32(rng.uniform(0, 10))
    if rng.random() < 0.15:
        levels = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.3, 1.2))
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def _one_of(changes: dict[str, tuple[float, float]], grey: Grey, rng: Rng) -> Grey:
    name = str(rng.choice(sorted(changes)))
    return alter.alter(name, float(rng.uniform(*changes[name])), grey, rng)
