"""What the network takes out of a strip, against the plain way to say it."""

import numpy as np
import pytest

from training.network import usual


def test_theusual_level_of_a_place_is_the_mean_of_36_columns_around_it_fewer_at_the_ends():
    strips = np.random.default_rng(0).uniform(0, 255, (2, 64, 544, 1)).astype(np.float32)
    groups = strips.reshape(2, 64, 136, 4).mean(axis=3)
    near = [groups[:, :, max(0, place - 4) : place + 5].mean(axis=2) for place in range(136)]
    expected = np.repeat(np.stack(near, axis=2), 4, axis=2)[..., np.newaxis]
    assert np.asarray(usual(strips)) == pytest.approx(expected, rel=1e-4)
