"""Who said what of a part, what that makes the truth, and how well people agree with each other."""

import numpy as np
import pytest

from reports.truth import agreements, truths
from tests.reports.composed import audits, chosen

BAD, OK = "def_front", "ok_front"


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        ([("kim", BAD), ("kim", BAD), ("kim", OK)], {"p": False}),  # a double click, then the correction
        ([("kim", BAD), ("kim", "unclear")], {}),
        ([("kim", BAD), ("lee", OK), ("kim", "unclear")], {"p": False}),
        ([("kim", BAD), ("kim", BAD), ("lee", OK), ("park", OK)], {"p": False}),
        ([("kim", BAD), ("lee", OK)], {"p": False}),  # even: the newest
    ],
)
def test_a_persons_last_word_is_the_one_that_counts(said: list[tuple[str, str]], truth: dict[str, bool]) -> None:
    assert truths(audits(*(("p", who, label) for who, label in said))) == truth


def _coins(people: int, parts: int) -> list[tuple[str, str, str]]:
    random = np.random.default_rng(3)
    return [(f"p{n}", f"i{k}", str(random.choice([BAD, OK]))) for n in range(parts) for k in range(people)]


def test_two_inspectors_are_measured_as_a_pair_only() -> None:
    """Coins agree on half of the parts; held against what both say, each would be perfect."""
    drawn = [(f"p{n}", "ok", OK, 0.02) for n in range(200)]
    told = agreements(audits(*_coins(2, 200)), chosen(*drawn))
    people = [judge for judge in told["judges"] if judge["judge"] is not None]
    assert [judge["n"] for judge in people] == [0, 0]
    assert all(np.isnan(judge["effectiveness"]) and np.isnan(judge["kappa"]["value"]) for judge in people)
    pair = next(pair for pair in told["pairs"] if None not in (pair["a"], pair["b"]))
    assert (pair["n"], abs(pair["value"]) < 0.2, abs(pair["agreed"]["value"] - 0.5) < 0.1) == (200, True, True)
    model = next(judge for judge in told["judges"] if judge["judge"] is None)
    assert model["n"] + told["undecided"] == 200
    assert 60 < told["undecided"] < 140


def test_three_coins_are_no_better_than_coins() -> None:
    told = agreements(audits(*_coins(3, 1000)), chosen())
    for judge in told["judges"][:3]:
        assert judge["effectiveness"] == pytest.approx(0.5, abs=0.07)
        assert judge["kappa"]["value"] == pytest.approx(0, abs=0.13)


def test_an_inspector_called_model_keeps_his_row() -> None:
    said = [("p", "model", BAD), ("p", "kim", BAD), ("p", "lee", BAD)]
    told = agreements(audits(*said), chosen(("p", "ok", OK, 0.02)))
    assert [(judge["judge"], judge["effectiveness"]) for judge in told["judges"]] == [
        ("kim", 1.0), ("lee", 1.0), ("model", 1.0), (None, 0.0),
    ]  # fmt: skip
