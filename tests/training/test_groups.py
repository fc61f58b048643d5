"""Look-alikes are found however the copy was turned, flipped, stretched and lit, and strangers are not."""

import cv2
import numpy as np
import pytest

from drawing.castings import KINDS, draw
from training.groups import SAME, group, like, likeness, spectrum


def turned(grey, degrees):
    matrix = cv2.getRotationMatrix2D((149.5, 149.5), degrees, 1.0)
    return cv2.warpAffine(grey, matrix, (300, 300), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


COPIES = {
    "turned": lambda grey: turned(grey, 37),
    "flipped": lambda grey: np.ascontiguousarray(grey[:, ::-1]),
    "relit": lambda grey: np.clip(grey * 0.8 + 20, 0, 255).astype(np.uint8),
    "stretched": lambda grey: cv2.resize(grey, (300, 255), interpolation=cv2.INTER_AREA),
    "all of it": lambda grey: turned(np.ascontiguousarray((grey * 0.9).astype(np.uint8)[::-1]), 211),
}


@pytest.fixture(scope="module")
def castings():
    return [draw(7000 + seed, KINDS[seed % len(KINDS)]).pixels for seed in range(24)]


@pytest.fixture(scope="module")
def spectra(castings):
    return np.stack([spectrum(grey) for grey in castings])


@pytest.mark.parametrize("change", COPIES)
def test_every_copy_is_nearest_to_its_own_original(castings, spectra, change):
    for number, grey in enumerate(castings):
        copy = spectrum(COPIES[change](grey))
        found = [likeness(copy, other) for other in spectra]
        assert int(np.argmax(found)) == number


def test_copies_share_their_originals_group(castings):
    pictures = [*castings, *(COPIES["turned"](grey) for grey in castings)]
    numbers = group(np.stack([spectrum(grey) for grey in pictures]))
    assert (numbers[:24] == numbers[24:]).mean() >= 0.95


def test_like_tells_the_nearest(spectra):
    found = like(spectra[:3], spectra[2:])
    assert found[2] == pytest.approx(1.0, abs=1e-4)
    assert found[2] > SAME
    assert (found[:2] < found[2]).all()
