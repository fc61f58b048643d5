"""The gate: defects first, then work weighed by the cost of a miss; force and rollback leave a trace."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli import build
from drawing.castings import draw
from inspection.bundle import champion
from inspection.errors import Conflict, NotFound, Unavailable
from inspection.judgement import Thresholds, judge
from training.evaluate import Answers
from training.promote import LOG, compare, promote, read_aliases, rollback

SHIPPED = champion(Path(__file__).parents[2] / "models")
BOUNDS = Thresholds(decide=0.5, ok_below=0.1, defect_from=0.9)


@pytest.fixture
def models(tmp_path):
    for version in ("one", "two"):
        shutil.copytree(SHIPPED, tmp_path / version)
    return tmp_path


def altered(bundle, **changes):
    """Change parts of a bundle's card."""
    card = json.loads((bundle / "card.json").read_text())
    (bundle / "card.json").write_text(json.dumps({**card, **changes}))


def says(defect, misses=(), alarms=(), escapes=(), review=(), rejected=()):
    """Right of every picture but those named; ``misses`` and ``alarms`` stay within review's bounds."""
    p = np.where(defect, 0.95, 0.05)
    for rows, value in ((misses, 0.4), (alarms, 0.95), (escapes, 0.05)):
        p[list(rows)] = value
    p[list(review)] = np.where(defect[list(review)], 0.6, 0.4)
    return Answers(tuple(judge(float(one), ("cut_off",) * (row in rejected), BOUNDS, "") for row, one in enumerate(p)))


DEFECT = np.arange(200) < 100


def refused(challenger, champion, miss_cost=10.0):
    return compare(DEFECT, challenger, champion, miss_cost).refused


def test_one_more_miss_is_refused_and_one_less_is_not():
    one = says(DEFECT, misses=[1])
    assert "misses" in refused(says(DEFECT, misses=[2, 3]), one)
    assert refused(says(DEFECT), one) is None


def test_a_saved_miss_outweighs_as_many_false_alarms_as_it_costs():
    one = says(DEFECT, misses=[1])
    assert refused(says(DEFECT, alarms=range(100, 110)), one) is None
    assert "false alarms" in refused(says(DEFECT, alarms=range(100, 111)), one)
    assert refused(says(DEFECT, alarms=range(100, 111)), one, miss_cost=11.0) is None


def test_a_model_that_calls_everything_defective_is_refused():
    assert "false alarms" in refused(says(DEFECT, alarms=range(100, 200)), says(DEFECT, misses=[1]))


def test_false_alarms_count_only_when_they_are_more_than_chance():
    few = compare(DEFECT, says(DEFECT, alarms=[100, 101]), says(DEFECT, alarms=[102]), 10.0)
    many = compare(DEFECT, says(DEFECT, alarms=range(100, 110)), says(DEFECT), 10.0)
    assert few.refused is None
    assert many.refused
    assert many.false_alarms.p == pytest.approx(0.5**10)


def test_one_more_defect_passed_as_ok_is_refused_though_neither_finds_it():
    assert "passed as ok" in refused(says(DEFECT, escapes=[1]), says(DEFECT, misses=[1]))


def test_a_model_that_decides_nothing_is_refused():
    for name in ("review", "rejected"):
        found = compare(DEFECT, says(DEFECT, **{name: range(200)}), says(DEFECT), 10.0)
        assert (found.misses.more, found.false_alarms.more, found.escapes.more) == (0, 0, 0)
        assert "undecided" in found.refused


def test_an_escape_saved_outweighs_as_many_looks_as_it_costs():
    one = says(DEFECT, escapes=[1])
    assert refused(says(DEFECT, misses=[1], review=range(100, 109)), one) is None
    assert "undecided" in refused(says(DEFECT, misses=[1], review=range(100, 111)), one)


def test_a_refused_model_is_promoted_only_by_force_and_both_are_noted(models):
    worse = compare(DEFECT, says(DEFECT, misses=[2]), says(DEFECT), 10.0)
    promote(models, "one", None, force=False)
    with pytest.raises(Conflict):
        promote(models, "two", worse, force=False)
    assert read_aliases(models)["champion"] == "one"
    promote(models, "two", worse, force=True)
    assert read_aliases(models)["champion"] == "two"
    notes = [json.loads(line) for line in (models / LOG).read_text().splitlines()]
    assert [note["action"] for note in notes] == ["promoted", "refused", "promoted"]
    assert notes[-1]["forced"] is True
    assert notes[-1]["comparison"]["pictures"] == 200


def test_rollback_goes_back_one_and_no_further_than_the_first(models):
    promote(models, "one", None, force=False)
    promote(models, "two", None, force=False)
    assert rollback(models) == "one"
    with pytest.raises(NotFound):
        rollback(models)


def test_promoting_the_champion_again_changes_nothing(models):
    for version in ("one", "two", "two", "two/"):
        promote(models, version, None, force=False)
    assert read_aliases(models) == {"champion": "two", "earlier": ["one"]}
    assert len((models / LOG).read_text().splitlines()) == 2
    assert rollback(models) == "one"


def test_a_version_is_the_name_of_its_folder(models):
    promote(models, "two/", None, force=False)
    assert read_aliases(models)["champion"] == "two"
    for other in ("three", f"../{models.name}/one", str(models / "one"), ".", ".."):
        with pytest.raises(NotFound):
            promote(models, other, None, force=True)


@pytest.mark.parametrize("what", ["engine.xml", "engine.bin", "preprocessing"])
def test_what_services_could_not_load_becomes_champion_by_neither_way(models, what):
    promote(models, "one", None, force=False)
    promote(models, "two", None, force=False)
    if what == "preprocessing":
        altered(models / "one", preprocessing={"id": "x/1"})
    else:
        (models / "one" / what).unlink()
    with pytest.raises(Unavailable):
        rollback(models)
    with pytest.raises(Unavailable):
        promote(models, "one", None, force=True)
    assert read_aliases(models) == {"champion": "two", "earlier": ["one"]}


def test_the_command_compares_on_unseen_pictures_and_refuses_one_that_rejects_everything(models):
    for number in range(8):
        casting = draw(8000 + number, "ok" if number % 2 else "crack")
        (models / "data" / casting.label).mkdir(parents=True, exist_ok=True)
        (models / "data" / casting.label / f"{number}.png").write_bytes(casting.png())
    rejection = json.loads((SHIPPED / "card.json").read_text())["rejection"]
    altered(models / "two", rejection={**rejection, "contrast": 100000.0})
    promote(models, "one", None, force=False)
    order = ["models", "promote", "two", "--models", str(models), "--data", str(models / "data")]
    done = CliRunner().invoke(build(), order)
    assert isinstance(done.exception, Conflict)
    assert "undecided" in str(done.exception)
    assert "8 pictures that neither was trained on, 0 left out" in done.output
    assert CliRunner().invoke(build(), [*order, "--force"]).exit_code == 0
    assert read_aliases(models)["champion"] == "two"
