"""Calibration and bounds, against what is known of made-up scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.thresholds import Policy, calibrate, choose, expected_calibration_error, sigmoid


def made_up(count=20000, scale=2.0, shift=-1.0, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, count)
    return logits, (rng.random(count) < sigmoid(scale * logits + shift)).astype(float)


def test_calibration_finds_the_scale_and_shift_that_made_the_labels():
    found = calibrate(*made_up())
    assert found.scale == pytest.approx(2.0, rel=0.05)
    assert found.shift == pytest.approx(-1.0, rel=0.1)


def test_calibration_lowers_the_calibration_error():
    logits, labels = made_up(scale=0.4)
    found = calibrate(logits, labels)
    before = expected_calibration_error(sigmoid(logits), labels)
    after = expected_calibration_error(sigmoid(found.scale * logits + found.shift), labels)
    assert after < 0.02 < before


def test_calibration_stays_finite_when_nothing_overlaps():
    logits = np.concatenate([np.full(500, -3.0), np.full(500, 3.0)])
    found = calibrate(logits, (logits > 0).astype(float))
    assert 0 < found.scale < 10
    assert sigmoid(np.array([found.scale * 3 + found.shift]))[0] > 0.99


def test_constant_scores_don_t_blow_up():
    found = calibrate(np.full(100, 0.3), np.arange(100) % 2 * 1.0)
    assert np.isfinite([found.scale, found.shift]).all()


@pytest.mark.parametrize("cost", [1.0, 10.0, 99.0])
def test_decide_follows_from_the_cost_of_a_miss(cost):
    bounds = choose(np.array([0.0, 1.0]), np.array([0.0, 1.0]), Policy(miss_cost=cost))
    assert bounds.decide == pytest.approx(1 / (1 + cost))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=300),
    st.floats(0, 0.1),
    st.floats(0, 0.1),
)
def test_the_bounds_keep_what_they_promise(scored, escapes, overkill):
    p, labels = np.array([one for one, _ in scored]), np.array([float(label) for _, label in scored])
    bounds = choose(p, labels, Policy(10, escapes, overkill))
    assert bounds.ok_below <= bounds.decide <= bounds.defect_from
    defects, sound = p[labels > 0.5], p[labels < 0.5]
    assert (defects < bounds.ok_below).sum() <= escapes * len(defects)
    assert (sound >= bounds.defect_from).sum() <= overkill * len(sound)


def test_scores_that_no_part_had_are_doubtful():
    p = np.concatenate([np.linspace(0, 0.05, 500), np.linspace(0.7, 1, 500)])
    bounds = choose(p, (p > 0.5).astype(float), Policy(10, 0.0, 0.0))
    assert bounds.ok_below == pytest.approx(0.05)
    assert bounds.defect_from == pytest.approx(0.7)


def logit(p):
    return np.log(p / (1 - p))


@pytest.mark.parametrize("cost", [1.0, 10.0, 99.0])
def test_decide_is_raised_half_the_way_to_the_lowest_defect_where_that_saves_false_alarms(cost):
    p, labels = np.array([0.0, 0.52, 0.6, 0.7, 0.9]), np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    bounds = choose(p, labels, Policy(cost, 0.0, 0.0))
    assert logit(bounds.decide) == pytest.approx((logit(1 / (1 + cost)) + logit(0.7)) / 2)


def test_decide_stays_where_no_false_alarm_would_be_saved_or_a_defect_comes_first():
    alone = choose(np.array([0.0, 0.05, 0.7]), np.array([0.0, 0.0, 1.0]), Policy(10, 0.0, 0.0))
    mixed = choose(np.array([0.0, 0.4, 0.1, 0.7]), np.array([0.0, 0.0, 1.0, 1.0]), Policy(10, 0.0, 0.0))
    assert alone.decide == mixed.decide == pytest.approx(1 / 11)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=300), st.floats(0.1, 1000))
def test_raising_decide_misses_nothing_more(scored, cost):
    p, labels = np.array([one for one, _ in scored]), np.array([float(label) for _, label in scored])
    bounds = choose(p, labels, Policy(cost))
    defects = p[labels > 0.5]
    assert 1 / (1 + cost) - 1e-12 <= bounds.decide <= 1
    assert (defects < bounds.decide).sum() == (defects < 1 / (1 + cost)).sum()
