"""The network and its recipe: local decisions on the unrolled part, the worst place decides. Knows Keras only."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from inspection.preprocessing import SHAPE

_WRAP = 16  # columns repeated at either end of the strip, so that nothing lies at an edge
_BEYOND = 1  # rows of places, the outermost, that lie wholly beyond the rim: what the bench shows is no defect
_NEVER = -20.0  # their logit
_NEAR = 4  # columns that share a usual level
_AROUND = 9  # such groups over which it is taken along a row: what differs from it is local


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


RECIPE = Recipe(8, 64, 3e-3, 0.5, 1e-3, 0.99, 6, 4, 300)


@keras.saving.register_keras_serializable("casting")
class RowBias(keras.layers.Layer):  # type: ignore[misc]
    """Adds a learnt value to each row and channel: what is usual at the groove is not at the rim."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.bias = self.add_weight(shape=(shape[1], 1, shape[3]), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        return x + self.bias


def build(seed: int) -> keras.Model:
    """Input float32 [N, *SHAPE, 1], grey levels 0 to 255.

    Outputs: the uncalibrated logit of a defect, float32 [N, 1]; the logits of the places, float32 [N, rows, columns, 1]
    over the strip, of which the first is the smooth maximum: log of the mean of the exponentials.
    """
    keras.utils.set_random_seed(seed)
    strip = keras.Input((*SHAPE, 1))
    x = keras.layers.Concatenate(axis=2)([strip[:, :, -_WRAP:], strip, strip[:, :, :_WRAP]])
    local = (x - usual(x)) * 3.0  # a defect is faint beside the part's own levels
    x = _block(keras.layers.Concatenate()([x, local]), 16, 2)  # the first normalisation scales the input, too
    x = RowBias()(_block(x, 24, 2))
    x = RowBias()(_block(x, 48, 2))
    x = _block(_block(x, 48, 1), 48, 1)
    wrapped = keras.layers.Conv2D(1, 1)(x)
    on_part = wrapped[:, :-_BEYOND, _WRAP // 8 : -(_WRAP // 8)]
    count = on_part.shape[1] * on_part.shape[2]
    flat = keras.ops.reshape(on_part, (-1, count))
    worst = keras.ops.logsumexp(flat, axis=1, keepdims=True) - float(np.log(count))
    places = keras.ops.pad(on_part, ((0, 0), (0, _BEYOND), (0, 0), (0, 0)), constant_values=_NEVER)
    return keras.Model(strip, [worst, places])


def usual(x: Any) -> Any:
    """The mean along each row around each place, of the shape of ``x``: by groups of columns.

    Spelt as a product and a look-up: pooling over a single channel costs the engine a fifth of the whole network.
    """
    rows, columns = x.shape[1:3]
    groups = keras.ops.mean(keras.ops.reshape(x, (-1, rows, columns // _NEAR, _NEAR)), axis=3)
    means = keras.ops.matmul(groups, keras.ops.convert_to_tensor(_around(columns // _NEAR)))
    everywhere = keras.ops.take(means, np.repeat(np.arange(columns // _NEAR), _NEAR), axis=2)
    return keras.ops.reshape(everywhere, (-1, rows, columns, 1))


def _around(count: int) -> Any:
    """float32 [count, count]: each column averages the _AROUND places nearest to its own, fewer at the ends."""
    place = np.arange(count)
    near = np.abs(place[:, np.newaxis] - place) <= _AROUND // 2
    return (near / near.sum(axis=0)).astype(np.float32)


def _block(x: Any, filters: int, strides: int) -> Any:
    x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(synchronized=True)(x))


def losses(labels: Any, outputs: Any) -> Any:
    """Loss of each example, float32 [N]; ``labels`` float32 [N], 1 for a defect; ``outputs`` of the model.

    Cross-entropy with labels smoothed by one percent: a few labels are wrong.
    """
    logit, soft = outputs[0][:, 0], labels * 0.98 + 0.01
    return keras.ops.relu(logit) - logit * soft + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logit)))
