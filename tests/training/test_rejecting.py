"""Limits set on drawn castings: those are usable, altered ones too, other things aren't."""

import numpy as np
import pytest

from drawing.castings import draw
from inspection.judgement import Thresholds, judge
from inspection.picture import Picture
from inspection.preprocessing import MEASURES, prepare
from inspection.unusable import doubts, reasons
from training import alter, augment, foreign
from training.rejecting import Seen, fit_limits

THRESHOLDS = Thresholds(decide=0.3, ok_below=0.1, defect_from=0.8)


def seen(greys):
    samples = [prepare(Picture.of(grey)) for grey in greys]
    return Seen(np.stack([one.pixels for one in samples]), np.stack([one.measures for one in samples]))


@pytest.fixture(scope="module")
def limits():
    greys = [draw(seed).pixels for seed in range(60)]
    copies = [augment.copy(grey, np.random.default_rng(seed)) for seed, grey in enumerate(greys)]
    return fit_limits(seen(greys), seen(copies))


def told(greys, limits):
    what = seen(greys)
    return reasons(what.pixels, what.measures, limits)


def test_castings_that_the_limits_never_saw_are_usable(limits):
    assert [why for why in told([draw(1000 + seed).pixels for seed in range(40)], limits) if why] == []


def test_other_things_show_no_casting(limits):
    found = told([foreign.drawn(seed)[1] for seed in range(70)], limits)
    assert [why for why in found if not {"no_casting", "too_dark"} & set(why)] == []


def test_a_face_half_blown_out_is_usable_and_never_ok(limits):
    bright = [np.clip(draw(seed).pixels * 1.25 + 20, 0, 255).astype(np.uint8) for seed in range(20)]
    what = seen(bright)
    blown_out = what.measures[:, MEASURES.index("blown_out")]
    doubtful = (blown_out > 0.5) & (blown_out <= limits.blown_out)
    assert doubtful.any()
    assert [why for why, one in zip(doubts(what.measures, limits), doubtful, strict=True) if one] == [
        ("blown_out",)
    ] * int(doubtful.sum())
    assert judge(0.01, (), THRESHOLDS, "v").verdict == "ok"
    kept = judge(0.01, (), THRESHOLDS, "v", ("blown_out",))
    assert (kept.prediction, kept.verdict, kept.reasons) == ("ok_front", "review", ("blown_out",))
    assert judge(0.99, (), THRESHOLDS, "v", ("blown_out",)).verdict == "defect"
    assert judge(0.5, (), THRESHOLDS, "v", ("blown_out",)).reasons == ("blown_out", "doubtful_score")


def test_a_part_cut_off_is_told(limits):
    rng = np.random.default_rng(0)
    cut = [alter.alter("rim_cut", 0.15, draw(2000 + seed).pixels, rng) for seed in range(10)]
    assert all("cut_off" in why for why in told(cut, limits))


@pytest.mark.parametrize(("name", "strengths"), [("shift", (20, 30, 40, 60)), ("scale", (1.1, 1.2, 1.3))])
def test_a_part_near_the_frame_is_cut_off_only_where_its_rim_is(limits, name, strengths):
    seeds = [(seed, strength) for seed in range(20) for strength in strengths]
    greys = [alter.alter(name, how, draw(3000 + seed).pixels, np.random.default_rng(seed)) for seed, how in seeds]
    cut = ["cut_off" in why for why in told(greys, limits)]
    truth = [alter.rim_outside(name, how, draw(3000 + seed).pixels, np.random.default_rng(seed)) for seed, how in seeds]
    assert {hit for hit, share in zip(cut, truth, strict=True) if share < 0.01} == {False}
    assert {hit for hit, share in zip(cut, truth, strict=True) if share > 0.1} == {True}
