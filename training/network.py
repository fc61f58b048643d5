"""The network and its recipe: a plain strided net. Knows Keras; knows nothing of data, Ray or thresholds."""

from dataclasses import dataclass
from typing import Any

import keras

from inspection.preprocessing import SIZE


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is trained: ``batch`` is over all workers; ``ema`` the decay a step of the averaged weights (0: none);
    ``patience`` in epochs; ``copies`` altered copies are prepared of every picture; ``drawn`` castings are added."""

    epochs: int
    batch: int
    learning_rate: float
    warmup_epochs: float
    weight_decay: float
    ema: float
    patience: int
    copies: int
    drawn: int


RECIPE = Recipe(12, 64, 2e-3, 0.5, 1e-4, 0.99, 6, 0, 200)


def build(seed: int) -> keras.Model:
    """Input float32 [N, SIZE, SIZE, 1], raw grey; output the uncalibrated logit of a defect, float32 [N, 1]."""
    keras.utils.set_random_seed(seed)
    picture = keras.Input((SIZE, SIZE, 1))
    x = _block(keras.layers.Rescaling(1 / 127.5, -1)(picture), 16, 2)
    for filters in (24, 32, 64, 96):
        x = _block(_block(x, filters, 2), filters, 1)
    logit = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(picture, logit)


def _block(x: Any, filters: int, strides: int) -> Any:
    x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(synchronized=True)(x))


def losses(labels: Any, outputs: Any) -> Any:
    """Loss of each example, float32 [N]; ``labels`` float32 [N], 1 for a defect; ``outputs`` of the model."""
    logit = (outputs[0] if isinstance(outputs, list | tuple) else outputs)[:, 0]
    return keras.ops.relu(logit) - logit * labels + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logit)))
