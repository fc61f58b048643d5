"""The gate: misses first, then significantly more false alarms; force and rollback leave a trace."""

import json

import numpy as np
import pytest

from inspection.errors import Conflict, NotFound
from training.promote import LOG, compare, promote, read_aliases, rollback

CARD = {"preprocessing": {"id": "x/1"}, "thresholds": {"decide": 0.5, "ok_below": 0.1, "defect_from": 0.9}}


@pytest.fixture
def models(tmp_path):
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "card.json").write_text(json.dumps({"version": version, **CARD}))
    return tmp_path


def says(defect, misses=(), alarms=()):
    told = defect.copy()
    told[list(misses)] = False
    told[list(alarms)] = True
    return told


DEFECT = np.arange(200) < 100


def test_one_more_miss_is_refused_and_one_less_is_not():
    champion = says(DEFECT, misses=[1])
    assert compare(DEFECT, says(DEFECT, misses=[2, 3]), champion).refused
    assert compare(DEFECT, says(DEFECT), champion).refused is None


def test_fewer_misses_outweigh_false_alarms():
    assert compare(DEFECT, says(DEFECT, alarms=range(100, 120)), says(DEFECT, misses=[1])).refused is None


def test_false_alarms_count_only_when_they_are_more_than_chance():
    few = compare(DEFECT, says(DEFECT, alarms=[100, 101]), says(DEFECT, alarms=[102]))
    many = compare(DEFECT, says(DEFECT, alarms=range(100, 110)), says(DEFECT))
    assert few.refused is None
    assert many.refused
    assert many.false_alarms.p == pytest.approx(0.5**10)


def test_a_refused_model_is_promoted_only_by_force_and_both_are_noted(models):
    worse = compare(DEFECT, says(DEFECT, misses=[2]), says(DEFECT))
    promote(models, "one", None, force=False)
    with pytest.raises(Conflict):
        promote(models, "two", worse, force=False)
    assert read_aliases(models)["champion"] == "one"
    promote(models, "two", worse, force=True)
    assert read_aliases(models)["champion"] == "two"
    notes = [json.loads(line) for line in (models / LOG).read_text().splitlines()]
    assert [note["action"] for note in notes] == ["promoted", "refused", "promoted"]
    assert notes[-1]["forced"] is True


def test_rollback_goes_back_one_and_no_further_than_the_first(models):
    promote(models, "one", None, force=False)
    promote(models, "two", None, force=False)
    assert rollback(models) == "one"
    with pytest.raises(NotFound):
        rollback(models)


def test_a_version_that_is_not_there_is_refused(models):
    with pytest.raises(NotFound):
        promote(models, "three", None, force=True)
