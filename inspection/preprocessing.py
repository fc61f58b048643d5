"""A decoded picture to what the network sees: the one path of training, serving and archives.

Knows nothing of the network. Changing what it computes means a new ``PREPROCESSING`` id: bundles made for another one
are refused when they are loaded.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inspection.picture import Picture

PREPROCESSING = "resize/1"
SIZE = 300
#: What is measured of each picture beside its pixels: mean grey (0 to 255), variance of the Laplacian.
MEASURES = ("brightness", "sharpness")


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture, ready for the network: ``pixels`` uint8 [SIZE, SIZE], ``measures`` float32 [len(MEASURES)]."""

    pixels: npt.NDArray[np.uint8]
    measures: npt.NDArray[np.float32]


def prepare(picture: Picture) -> Sample:
    """Resample to SIZE x SIZE by area and measure. Thread-safe, deterministic, releases the GIL."""
    pixels = np.asarray(cv2.resize(picture.grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    measures = np.array([pixels.mean(), cv2.Laplacian(pixels, cv2.CV_32F).var()], dtype=np.float32)
    return Sample(pixels, measures)
