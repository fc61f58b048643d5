"""Errors by pictures and by parts; folds add up, seeds don't."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from drawing.castings import draw
from inspection.bundle import champion
from inspection.errors import BadRequest
from training import alter
from training.figures import by_parts, share
from training.folds import keep, seeds, together
from training.modelcard import page

ROOT = Path(__file__).parents[2]
CHAMPION = champion(ROOT / "models")
RUN = {
    "pictures": 4,
    **{"found": 2, "missed": 0, "false_alarms": 1, "passed": 1},
    **{"escapes": share(1, 2), "overkill": share(0, 2), "review": share(2, 4)},
    "wrong": ["a.jpeg"],
    "parts": by_parts(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 0], bool), np.array([1, 1, 1, 0], bool)),
}


def kept(folder, fold, seed, folds=5):
    order = SimpleNamespace(fold=fold, folds=folds, seed=seed, epochs=None)
    keep(folder / f"{fold}-{seed}-{folds}.json", order, RUN)


def test_a_part_is_wrong_when_one_of_its_pictures_is_and_counts_once():
    told = RUN["parts"]
    assert (told["defective"], told["with_a_miss"]) == (1, 0)
    assert (told["sound"], told["with_a_false_alarm"]) == (2, 1)
    assert told["missed"]["high"] == pytest.approx(0.975)  # no miss in one part says next to nothing


def test_folds_add_up(tmp_path):
    for fold in range(3):
        kept(tmp_path, fold, 0, 3)
    told = together(tmp_path)
    assert (told["pictures"], told["missed"], told["false_alarms"]) == (12, 0, 3)
    assert [run["fold"] for run in told["runs"]] == [0, 1, 2]
    assert (told["escapes"], told["overkill"], told["review"]) == (share(3, 6), share(0, 6), share(6, 12))


def test_a_fold_too_few_or_of_another_number_of_folds_is_refused(tmp_path):
    for fold in range(4):
        kept(tmp_path, fold, 0)
    with pytest.raises(BadRequest) as few:
        together(tmp_path)
    kept(tmp_path, 4, 0, 10)
    with pytest.raises(BadRequest) as mixed:
        together(tmp_path)
    with pytest.raises(BadRequest) as none:
        together(tmp_path / "empty")
    assert {one.value.code for one in (few, mixed, none)} == {"not_folds"}
    assert "4 of 10" in str(mixed.value)


def test_the_card_says_what_the_folds_leave_open(tmp_path):
    for fold in range(2):
        kept(tmp_path, fold, 0, 2)
    told = json.loads((CHAMPION / "card.json").read_text())
    text = page({**told, "figures": {"folds": together(tmp_path)}})
    assert "thresholds of each net were set on the very pictures that it judges here" in text
    assert "| Review | 50.00% (15.70% to 84.30%) |" in text
    assert "| 1 | 0 | full | 4 | 0 | 1 | 50.00% | 50.00% | 0 of 1 | 1 of 2 |" in text


def test_the_page_of_the_champion_is_what_its_card_says():
    told = json.loads((CHAMPION / "card.json").read_text())
    assert (ROOT / "docs/model-card.md").read_text() == page(told)
    assert told["figures"]["folds"]["runs"] == together(ROOT / "docs/figures/folds")["runs"]
    assert told["seeds"] == seeds(ROOT / "docs/figures/seeds")


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
