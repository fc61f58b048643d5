"""No group of look-alikes on both sides; contradicting labels on neither."""

from pathlib import Path

import numpy as np

from training.prepared import Prepared
from training.split import split


def data(groups, labels, drawn=None):
    count = len(labels)
    return Prepared(
        Path(), np.zeros((1, count, 1, 1), np.uint8), np.zeros((1, count, 1), np.float32),
        np.array(labels, np.float32), np.array(groups), np.zeros(count, bool) if drawn is None else drawn,
        tuple(map(str, range(count))), tuple(map(str, range(count))), "",
    )  # fmt: skip


def test_every_fold_keeps_groups_together_and_covers_everything_once():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 500)
    pictures = data(groups, (groups % 3 == 0).astype(float))
    held = []
    for fold in range(5):
        parts = split(pictures, fold)
        assert not set(groups[parts.train]) & set(groups[parts.held])
        assert set(pictures.labels[parts.held]) == {0.0, 1.0}
        held += list(parts.held)
    assert sorted(held) == list(range(500))


def test_the_rarer_label_of_a_group_is_left_out():
    groups = np.repeat(np.arange(20), 10)
    labels = (groups % 2).astype(float)
    labels[3] = 1 - labels[3]
    parts = split(data(groups, labels))
    assert list(parts.contradicting) == [3]
    assert 3 not in parts.train
    assert 3 not in parts.held


def test_drawn_castings_are_only_trained_on():
    groups = np.repeat(np.arange(20), 10)
    drawn = np.arange(200) >= 190
    parts = split(data(groups, (groups % 2).astype(float), drawn))
    assert set(range(190, 200)) <= set(parts.train)
