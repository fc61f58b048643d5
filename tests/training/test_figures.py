"""Errors by pictures and by parts; folds add up, seeds don't."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from drawing.castings import draw
from inspection.errors import BadRequest
from training import alter
from training.figures import by_parts
from training.folds import keep, seeds, together

RUN = {
    "pictures": 4,
    **{"found": 2, "missed": 0, "false_alarms": 1, "passed": 1},
    "wrong": ["a.jpeg"],
    "parts": by_parts(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 0], bool), np.array([1, 1, 1, 0], bool)),
}


def kept(folder, fold, seed):
    order = SimpleNamespace(fold=fold, folds=5, seed=seed, epochs=None)
    keep(folder / f"{fold}-{seed}.json", order, RUN)


def test_a_part_is_wrong_when_one_of_its_pictures_is_and_counts_once():
    told = RUN["parts"]
    assert (told["defective"], told["with_a_miss"]) == (1, 0)
    assert (told["sound"], told["with_a_false_alarm"]) == (2, 1)
    assert told["missed"]["high"] == pytest.approx(0.975)  # no miss in one part says next to nothing


def test_folds_add_up(tmp_path):
    for fold in range(3):
        kept(tmp_path, fold, 0)
    told = together(tmp_path)
    assert (told["pictures"], told["missed"], told["false_alarms"]) == (12, 0, 3)
    assert [run["fold"] for run in told["runs"]] == [0, 1, 2]


def test_seeds_are_told_side_by_side_and_refused_as_folds(tmp_path):
    for seed in (1, 0):
        kept(tmp_path, 0, seed)
    assert [run["seed"] for run in seeds(tmp_path)] == [0, 1]
    with pytest.raises(BadRequest):
        together(tmp_path)
    json.dumps(seeds(tmp_path))


def outside(name, strength):
    return alter.rim_outside(name, strength, draw(3).pixels, np.random.default_rng(0))


def test_the_rim_outside_is_what_a_shift_or_a_scale_moves_out():
    assert outside("brightness", 1.5) == outside("scale", 0.8) == 0.0
    assert 0.0 < outside("shift", 60) < outside("shift", 90) < 0.6
    assert outside("scale", 2.0) > 0.9
