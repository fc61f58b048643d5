"""A fitted network to a model bundle: Keras weights, the engine for the CPU, and how far the two agree.

Knows Keras and OpenVINO's file format; what the card says is gathered in ``card``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.bundle import ENGINE

KERAS = "model.keras"


@dataclass(frozen=True, slots=True)
class Parity:
    """Greatest difference of any output between Keras and the engine over ``pictures`` pictures, and the first
    output's (the logit's) alone."""

    pictures: int
    greatest: float
    greatest_logit: float


class Engine:
    """A bundle's exported engine, asked for its raw outputs."""

    def __init__(self, bundle: Path, threads: int | None = None) -> None:
        from inspection.classifier import compiled

        self._compiled = compiled(bundle / ENGINE, threads)

    def outputs(self, pixels: npt.NDArray[np.uint8], batch: int = 32) -> list[npt.NDArray[Any]]:
        """All outputs for uint8 [N, *SHAPE], one array an output."""
        parts: list[list[npt.NDArray[Any]]] = []
        for start in range(0, len(pixels), batch):
            some = pixels[start : start + batch, ..., np.newaxis].astype(np.float32)
            found = self._compiled(some)
            parts.append([np.array(found[number]) for number in range(len(self._compiled.outputs))])
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def logits(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """The uncalibrated scores, float64 [N]."""
        return self.outputs(pixels)[0].reshape(-1).astype(np.float64)


def export(weights: list[npt.NDArray[Any]], seed: int, bundle: Path) -> Any:
    """Write ``model.keras`` and the engine into ``bundle``; returns the Keras model."""
    from training.network import build

    bundle.mkdir(parents=True, exist_ok=True)
    model = build(seed)
    model.set_weights(weights)
    model.save(bundle / KERAS)
    model.export(str(bundle / ENGINE), format="openvino", verbose=False)
    return model


def parity(model: Any, engine: Engine, pixels: npt.NDArray[np.uint8]) -> Parity:
    """Compare the two on uint8 [N, *SHAPE]."""
    theirs = engine.outputs(pixels)
    found = model.predict(pixels[..., np.newaxis].astype(np.float32), batch_size=32, verbose=0)
    mine = found if isinstance(found, list) else [found]
    apart = [float(np.abs(one.reshape(-1) - other.reshape(-1)).max()) for one, other in zip(mine, theirs, strict=True)]
    return Parity(len(pixels), max(apart), apart[0])
