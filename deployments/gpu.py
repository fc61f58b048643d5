"""A bundle's network on a GPU, by Keras and TensorFlow, with the face of the compiled CPU engine."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KERAS = "model.keras"


def gpu_engine(bundle: Path) -> Any:
    """Load ``bundle`` on the first GPU that this process sees (Ray shows an actor its own only)."""
    import keras
    import tensorflow as tf

    import training.network  # noqa: F401  its layers register with Keras

    # TensorFloat-32 rounds to ten bits: the same picture would get a visibly different score than on a CPU.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    model = keras.saving.load_model(bundle / KERAS, compile=False)
    return _Engine(tf.function(model, reduce_retracing=True))


class _Engine:
    """Requests and engine in one: TensorFlow's calls are thread-safe and keep nothing."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def create_infer_request(self) -> "_Engine":
        return self

    def infer(self, inputs: dict[int, npt.NDArray[np.float32]], share_inputs: bool) -> list[npt.NDArray[np.float32]]:
        """Outputs for the one input; ``share_inputs`` is the CPU engine's and changes nothing here."""
        del share_inputs
        return [np.asarray(one) for one in self._network(inputs[0])]
