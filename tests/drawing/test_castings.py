"""Drawn castings: the same seed gives the same picture, and a defect is where it is said to be."""

import numpy as np
import pytest

from drawing.castings import KINDS, draw
from inspection.picture import decode

DEFECTS = [kind for kind in KINDS if kind != "ok"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_and_kind_are_one_picture(kind: str) -> None:
    first, again, other = draw(5, kind), draw(5, kind), draw(6, kind)  # type: ignore[arg-type]
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.pixels != other.pixels).any()
    assert first.pixels.shape == (300, 300)
    np.testing.assert_array_equal(decode(first.png()).grey, first.pixels)


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_is_dark_where_it_is_said_to_be(kind: str) -> None:
    for seed in range(10):
        casting = draw(seed, kind)  # type: ignore[arg-type]
        assert casting.label == "def_front"
        assert casting.places
        ys, xs = np.mgrid[0:300, 0:300]
        for place in casting.places:
            inside = np.hypot(xs - place.x, ys - place.y) <= place.radius
            around = np.hypot(xs - place.x, ys - place.y) <= place.radius + 12
            assert casting.pixels[inside].min() < casting.pixels[around & ~inside].mean() - 15


def test_a_sound_part_has_no_place() -> None:
    assert (draw(1).places, draw(1).label) == ((), "ok_front")
