"""What a model is judged on: all that it was not trained on, and nothing that it was."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from drawing.castings import draw
from inspection.bundle import champion
from inspection.errors import BadRequest, NotFound
from training.choosing import chosen, common
from training.evaluate import figures, table
from training.train import _list_pictures

CHAMPION = champion(Path(__file__).parents[2] / "models")


@pytest.fixture
def pictures(tmp_path):
    """A folder of four labelled castings, and the SHA-256 of each by its name."""
    sums = {}
    for number in range(4):
        casting = draw(7000 + number, "ok" if number % 2 else "crack")
        path = tmp_path / "data" / casting.label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(casting.png())
        sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return tmp_path / "data", sums


def bundle(folder, sums, held=(), seen=()):
    folder.mkdir()
    for name, pictures in (("held", held), ("seen", seen)):
        (folder / f"{name}.txt").write_text("".join(f"{sums[one]}\n" for one in pictures))
    return folder


def names(judged):
    return {Path(one.path).name for one in judged.members}


def test_one_picture_that_set_the_bounds_does_not_put_the_others_aside(pictures, tmp_path):
    data, sums = pictures
    judged, _ = chosen(data, bundle(tmp_path / "one", sums, held=["0.png"]))
    assert (judged.name, len(judged.members), judged.left_out) == ("all", 4, 0)


def test_what_training_has_seen_is_left_out_and_counted(pictures, tmp_path):
    data, sums = pictures
    judged, _ = chosen(data, bundle(tmp_path / "one", sums, held=["1.png"], seen=["0.png", "3.png"]))
    assert names(judged) == {"1.png", "2.png"}
    told = figures(judged, SimpleNamespace(says_defect=lambda: judged.defect, verdicts=lambda _: ~judged.defect))
    text = "all: 2 pictures, 1 of them set the thresholds; 2 others left out because training has seen them"
    assert text in table(judged, told)


def test_of_the_training_data_the_validation_part_is_judged(pictures, tmp_path):
    data, sums = pictures
    judged, _ = chosen(data, bundle(tmp_path / "one", sums, held=["0.png", "1.png"], seen=["2.png", "3.png"]))
    assert (judged.name, names(judged)) == ("validation", {"0.png", "1.png"})


def test_models_are_compared_on_what_none_was_trained_on(pictures, tmp_path):
    data, sums = pictures
    one = bundle(tmp_path / "one", sums, held=["0.png", "1.png"], seen=["2.png", "3.png"])
    two = bundle(tmp_path / "two", sums, held=["2.png", "3.png"], seen=["0.png"])
    assert names(common(data, one, two)) == {"1.png"}


def test_where_training_has_seen_all_there_is_nothing_to_judge(pictures, tmp_path):
    data, sums = pictures
    with pytest.raises(BadRequest):
        chosen(data, bundle(tmp_path / "one", sums, seen=sums))
    (tmp_path / "two").mkdir()
    with pytest.raises(NotFound):  # a bundle that doesn't say what it was trained on
        chosen(data, tmp_path / "two")


def test_a_bundle_lists_every_real_picture_once(tmp_path):
    data = SimpleNamespace(drawn=np.array([False, False, False, True]), sha256=("a", "b", "c", ""))
    _list_pictures(tmp_path, data, SimpleNamespace(held=np.array([1])))
    assert ((tmp_path / "held.txt").read_text(), (tmp_path / "seen.txt").read_text()) == ("b\n", "a\nc\n")


def test_the_champion_lists_all_that_its_card_counts():
    told = json.loads((CHAMPION / "card.json").read_text())["data"]
    held, seen = ((CHAMPION / f"{name}.txt").read_text().split() for name in ("held", "seen"))
    assert hashlib.sha256("".join(sorted(held)).encode()).hexdigest() == told["split_sha256"]
    assert len({*held, *seen}) == len(held) + len(seen) == told["pictures"]
