"""What is changed at random in each training step, on prepared pixels. NumPy only; runs in a thread beside the step."""

import numpy as np
import numpy.typing as npt


def augment(pixels: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Flip, quarter-turn and relight each picture: uint8 [n, SIZE, SIZE] to the same."""
    out = np.empty_like(pixels)
    for number, picture in enumerate(pixels):
        turned = np.rot90(picture, int(rng.integers(4)))
        turned = turned[:, ::-1] if rng.random() < 0.5 else turned
        light = rng.uniform(0.8, 1.2) * turned.astype(np.float32) + rng.uniform(-20, 20)
        out[number] = np.clip(light, 0, 255)
    return out
