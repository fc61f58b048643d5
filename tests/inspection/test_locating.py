"""The geometry that everything is measured in, against the long way round."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from drawing.castings import draw
from inspection.locating import Ellipse, Rings, locate, median, rim


@given(st.floats(5, 200), st.floats(5, 200), st.floats(-7, 7))
def test_the_matrix_stretches_along_the_axes_and_turns_nothing(a, b, turn):
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array([[cos, -sin], [sin, cos]])
    matrix = Ellipse(3.0, 4.0, a, b, turn).matrix()
    assert matrix[:, :2] == pytest.approx(turned @ np.diag([a, b]) @ turned.T, rel=1e-5, abs=1e-4)
    assert matrix[:, 2].tolist() == [3.0, 4.0]


def test_rings_lie_at_their_shares():
    x, y = Rings((0.5, 1.0, 2.0), 16).on(Ellipse(10.0, 20.0, 30.0, 30.0, 0.0))
    assert np.hypot(x - 10, y - 20) == pytest.approx(np.array([[15.0], [30.0], [60.0]]) * np.ones(16), rel=1e-5)


@given(arrays.arrays(np.uint8, st.integers(2, 40)))
def test_the_median_is_numpys(values):
    assert median(values) == np.median(values)


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_casting_is_found_with_its_rim(seed):
    grey = draw(seed).pixels
    found = locate(grey)
    outline = rim(grey, found.ellipse)
    assert found.fit > 0.3
    assert outline.a / found.ellipse.a == pytest.approx(1.83, abs=0.12)
