"""One optimiser step after another, under whatever tf.distribute strategy is current. Knows TensorFlow; knows no Ray.

Keras 3's own ``fit`` doesn't run under MultiWorkerMirroredStrategy, so the step is spelt out; with one worker it costs
the same. The averaged weights (EMA) are what is judged, kept and shipped.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.network import Recipe, losses

Arrays = list[npt.NDArray[Any]]


class Fitter:
    """A model, its optimiser and the averaged weights; all workers hold equal ones."""

    def __init__(self, build: Callable[[], keras.Model], recipe: Recipe, steps_per_epoch: int) -> None:
        self._strategy = tf.distribute.get_strategy()
        self._recipe = recipe
        self.model = build()
        self.optimizer = keras.optimizers.AdamW(
            _rate(recipe, steps_per_epoch), weight_decay=recipe.weight_decay, global_clipnorm=1.0
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.model.trainable_variables)
        self._average = self.weights()
        self._step = tf.function(self._distributed_step, reduce_retracing=True)
        self._forward = tf.function(lambda pixels: self.model(pixels, training=False), reduce_retracing=True)

    def step(self, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.float32]) -> float:
        """One step on this worker's share of the batch; returns the loss over the shares of all workers."""
        loss = float(self._step(tf.constant(pixels), tf.constant(labels)))
        taken = int(self.optimizer.iterations.numpy())
        decay = min(self._recipe.ema, (1 + taken) / (10 + taken))  # a young average forgets the random start sooner
        for kept, new in zip(self._average, self.weights(), strict=True):
            kept *= decay
            kept += (1 - decay) * new
        return loss

    def outputs(self, pixels: npt.NDArray[np.uint8], batch: int = 64) -> Arrays:
        """All outputs of the model as it is now, uint8 [N, *SHAPE] in, one array an output out."""
        parts: list[list[Any]] = []
        for start in range(0, len(pixels), batch):
            part = self._forward(_as_input(tf.constant(pixels[start : start + batch])))
            parts.append([one.numpy() for one in (part if isinstance(part, list | tuple) else [part])])
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def judged(self, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Sums that may be added over pictures and workers: loss, pictures, misses, defects, false alarms (at 0.5)."""
        outputs = self.outputs(pixels)
        loss = np.asarray(losses(tf.constant(labels), [tf.constant(one) for one in outputs])).sum()
        says, defect = outputs[0].reshape(-1) >= 0, labels >= 0.5
        return np.array([loss, len(labels), (defect & ~says).sum(), defect.sum(), (~defect & says).sum()], np.float64)

    def over_all_workers(self, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same sums added over all workers; every worker must call this."""
        share = self._strategy.run(lambda one: one, args=(tf.constant(sums),))
        return np.asarray(self._strategy.reduce(tf.distribute.ReduceOp.SUM, share, axis=None))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the model has the averaged weights."""
        latest = self.weights()
        _assign(self.model.weights, self._average)
        try:
            yield
        finally:
            _assign(self.model.weights, latest)

    def weights(self) -> Arrays:
        """A copy of all weights of the model, trained or not."""
        return [np.array(weight.numpy()) for weight in self.model.weights]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All that a resumed run needs."""
        kept = {"weights": self.weights(), "average": self._average, "optimizer": self._optimizer_state()}
        return {f"{kind}/{number}": array for kind, arrays in kept.items() for number, array in enumerate(arrays)}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from :meth:`state`."""
        _assign(self.model.weights, _of_kind(state, "weights"))
        _assign(self.optimizer.variables, _of_kind(state, "optimizer"))
        self._average = [np.array(array) for array in _of_kind(state, "average")]

    def fingerprint(self) -> str:
        """SHA-256 over all weights and their averages: equal on all workers after each step."""
        total = hashlib.sha256()
        for array in [*self.weights(), *self._average]:
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def _optimizer_state(self) -> Arrays:
        return [np.array(variable.numpy()) for variable in self.optimizer.variables]

    def _distributed_step(self, pixels: Any, labels: Any) -> Any:
        share = self._strategy.run(self._replica_step, args=(pixels, labels))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, share, axis=None)

    def _replica_step(self, pixels: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = self.model(_as_input(pixels), training=True)
            # Over the global batch: the optimiser sums the gradients of the workers.
            loss = tf.reduce_sum(losses(labels, outputs)) / float(self._recipe.batch)
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        return loss


def averaged_weights(state: dict[str, npt.NDArray[Any]]) -> Arrays:
    """The weights to ship, from a kept state."""
    return _of_kind(state, "average")


def _as_input(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32)[..., tf.newaxis]


def _rate(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Linear warm-up, then a cosine down to a hundredth."""
    warmup = round(recipe.warmup_epochs * steps_per_epoch)
    return keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20 if warmup else recipe.learning_rate,
        max(1, recipe.epochs * steps_per_epoch - warmup),
        alpha=0.01,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def _of_kind(state: dict[str, npt.NDArray[Any]], kind: str) -> Arrays:
    count = sum(name.startswith(f"{kind}/") for name in state)
    return [state[f"{kind}/{number}"] for number in range(count)]


def _assign(variables: Any, arrays: Arrays) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
