"""Every statistic against a published worked example or an independent library."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from reports.statistics import agreement, charts, drift, funnel
from reports.statistics.intervals import Share, clopper_pearson, domain_share, weighted_share, wilson

# Montgomery, Introduction to Statistical Quality Control, 7th ed., table 7.1: orange juice cans, 30 samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (7, 50), (50, 50), (3, 100_000)])
def test_wilson_and_clopper_pearson_equal_statsmodels(hits: int, n: int) -> None:
    share = wilson(hits, n)
    assert (share.low, share.high) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)
    assert clopper_pearson(hits, n) == pytest.approx(proportion_confint(hits, n, method="beta"), abs=1e-12)


def test_equal_weights_give_the_exact_binomial_interval() -> None:
    hit = np.array([True] * 7 + [False] * 93)
    share = weighted_share(hit, np.full(100, 50.0))
    assert share.value == pytest.approx(0.07)
    assert (share.low, share.high) == pytest.approx(proportion_confint(7, 100, method="beta"), abs=1e-9)


def test_weighted_share_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        score = random.random(4000)
        bad = random.random(4000) < 0.02 + 0.5 * (score > 0.95)
        chosen = np.where(score > 0.95, 1.0, 0.05)
        drawn = random.random(4000) < chosen
        share = weighted_share(bad[drawn], 1 / chosen[drawn])
        covered += share.low <= 0.02 + 0.5 * 0.05 <= share.high
    assert covered >= 372  # 93 of 100; chance puts a true 95 % interval below this less than once in thirty


@pytest.mark.parametrize(("parts", "missed", "drawn"), [(20_000, 0.02, 0.02), (10_000, 0.1, 0.02), (5_000, 0.3, 0.05)])
def test_rare_misses_in_a_small_sample_are_covered(parts: int, missed: float, drawn: float) -> None:
    """A miss stands for fifty parts, a defect that was caught for one: often no miss is drawn at all."""
    random = np.random.default_rng(3)
    misses = alarms = 0
    for _ in range(150):
        bad = random.random(parts) < 0.03
        called = np.where(bad, random.random(parts) >= missed, random.random(parts) < 0.01)
        seen = called | (random.random(parts) < drawn)
        weight = np.where(called, 1.0, 1 / drawn)[seen]
        miss = domain_share(~called[seen], bad[seen], weight)
        alarm = domain_share(called[seen], ~bad[seen], weight)
        misses += miss.low <= missed <= miss.high
        alarms += alarm.low <= 0.01 <= alarm.high
    assert misses >= 136  # chance puts true 95 % intervals below this less than once in a hundred
    assert alarms >= 136


@pytest.mark.parametrize(
    ("parts", "bad", "review", "called"), [(1000, 0.1, 50, 100), (3000, 0.03, 300, 100), (2000, 0.05, 400, 600)]
)
def test_parts_for_review_do_not_hide_that_passed_ones_are_few(
    parts: int, bad: float, review: int, called: int
) -> None:
    """Of those called sound the review's weigh 1 and the passed ones 50: few of these are drawn, and stand for most."""
    random = np.random.default_rng(5)
    missed = parts * bad + review * 0.3
    true_miss, true_rate = missed / (missed + called * 0.95), (missed + called * 0.95) / (parts + review + called)
    misses = rates = 0
    for _ in range(150):
        drawn = random.random(parts) < 0.02
        truth = np.concatenate(
            [random.random(drawn.sum()) < bad, random.random(review) < 0.3, random.random(called) < 0.95]
        )
        weight = np.concatenate([np.full(drawn.sum(), 50.0), np.ones(review + called)])
        sound = np.arange(len(truth)) < drawn.sum() + review
        miss, rate = domain_share(sound, truth, weight), weighted_share(truth, weight)
        misses += miss.low <= true_miss <= miss.high
        rates += rate.low <= true_rate <= rate.high
    assert misses >= 136  # chance puts true 95 % intervals below this less than once in a hundred
    assert rates >= 136


def test_a_domain_share_is_hajeks_and_says_nothing_of_what_nobody_drew() -> None:
    hit = np.array([True, True, False, False, False])
    bad, weight = np.array([True, False, True, True, False]), np.array([50.0, 50.0, 1.0, 1.0, 1.0])
    share = domain_share(hit, bad, weight)
    assert share.value == pytest.approx(50 / 52)
    assert share.low < share.value < share.high
    assert share.n == 3
    none: Share = domain_share(np.zeros(5, dtype=bool), bad, weight)
    assert math.isnan(none.value)
    assert math.isnan(none.high)


def test_no_hit_still_has_an_upper_bound() -> None:
    share = weighted_share(np.zeros(100, dtype=bool), np.full(100, 50.0))
    assert share.value == 0
    assert share.low == 0
    assert share.high == pytest.approx(1 - 0.025 ** (1 / 100))


def test_p_chart_of_montgomery() -> None:
    defects, n = np.array(CANS, dtype=float), np.full(30, 50.0)
    frozen = charts.Baseline(float(defects.sum() / n.sum()), 1.0, 30, 1.0, 347, 1500)
    low, high = charts.limits(frozen, n)
    assert frozen.mean == pytest.approx(0.2313, abs=5e-5)  # the book's figures
    assert high[0] == pytest.approx(0.4102, abs=5e-5)
    assert low[0] == pytest.approx(0.0524, abs=5e-5)
    beyond = charts.nelson(charts.standardise(frozen, defects, n))[0]
    assert [index + 1 for index in np.flatnonzero(beyond)] == [15, 23]  # the two samples the book investigates


def test_laney_sigma_finds_overdispersion_and_only_that() -> None:
    random = np.random.default_rng(5)
    n = np.full(400, 5000.0)
    steady = random.binomial(5000, 0.03, 400).astype(float)
    wandering = random.binomial(5000, np.clip(random.normal(0.03, 0.006, 400), 0, 1)).astype(float)
    assert charts.laney_sigma(steady, n) == pytest.approx(1.0, abs=0.1)
    assert not charts.baseline(steady, n).overdispersed
    expected = math.sqrt(1 + 0.006**2 / (0.03 * 0.97 / 5000))
    assert charts.laney_sigma(wandering, n) == pytest.approx(expected, rel=0.1)
    assert charts.baseline(wandering, n).overdispersed


def test_nelson_rules_fire_at_the_completing_point() -> None:
    one, two, three, four = charts.nelson(np.array([0.0, 3.1, -3.2, 2.9]))
    assert one.tolist() == [False, True, True, False]
    _, two, _, _ = charts.nelson(np.array([-1.0] + [0.5] * 10))
    assert np.flatnonzero(two).tolist() == [9, 10]
    _, _, three, _ = charts.nelson(np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.4]))
    assert np.flatnonzero(three).tolist() == [5]
    _, _, _, four = charts.nelson(np.array([0.1, -0.1] * 8))
    assert np.flatnonzero(four).tolist() == [13, 14, 15]


def test_a_baseline_without_a_defect_still_sees_a_line_fail() -> None:
    frozen = charts.baseline(np.zeros(7), np.full(7, 100.0))
    assert frozen.mean == pytest.approx(1 - 0.05 ** (1 / 700))  # Clopper and Pearson's upper limit, one-sided 95 %
    z = charts.standardise(frozen, np.array([0.0, 1.0, 30.0]), np.full(3, 100.0))
    assert np.abs(z[:2]).max() < 3 < z[2]


def test_what_was_not_seen_gives_a_limit_to_one_side_only() -> None:
    """No defect seen: less is no fall. No sound part seen: more is no rise. One part says nearly nothing."""
    for n, limit in ((1, 0.95), (2, 0.7764), (700, 0.00427)):
        none, all_bad = (charts.baseline(np.array([k]), np.array([n])) for k in (0.0, float(n)))
        assert (none.mean, all_bad.mean) == pytest.approx((limit, 1 - limit), abs=1e-4)
        assert none.unseen
        shares = np.array([0.0, 500.0, 1000.0])
        assert charts.standardise(none, shares, np.full(3, 1000.0)).min() >= 0
        assert charts.standardise(all_bad, shares, np.full(3, 1000.0)).max() <= 0


@pytest.mark.parametrize(("n", "rate"), [(30, 0.036), (60, 0.022), (100, 0.018), (300, 0.0036)])
def test_expected_false_alarms_are_exact_where_defects_are_rare(n: int, rate: float) -> None:
    frozen = charts.Baseline(0.01, 1.0, 30, 1.0, 100, 10_000)
    told = charts.false_alarms(frozen, np.full(24, float(n)))
    drawn = np.random.default_rng(2).binomial(n, 0.01, 200_000).astype(float)
    seen = charts.nelson(charts.standardise(frozen, drawn, np.full(200_000, float(n))))[0].mean()
    assert told[0] == pytest.approx(rate, rel=0.05)
    assert told[0] == pytest.approx(seen, rel=0.1)
    assert told[1:] == ((None,) * 3 if n < 300 else charts.FALSE_ALARMS[1:])


def test_one_point_alone_is_judged_with_the_baselines_own_error() -> None:
    """After a baseline of 20 of 1000, as of 40 of 1000 drawn from one share: no more often than said."""
    random = np.random.default_rng(4)
    n, wrong, least = np.full(1, 500.0), 0, 0.005
    for _ in range(2000):
        frozen = charts.baseline(np.array([float(random.binomial(1000, 0.03))]), np.array([1000.0]))
        point = np.array([float(random.binomial(500, 0.03))])
        wrong += charts.chance_alone(frozen, point, n, charts.standardise(frozen, point, n))[0] < least
    assert wrong / 2000 <= 2 * least * 1.5
    sharp = charts.baseline(np.array([3e5]), np.array([1e7]))
    point = np.array([30.0])
    known = charts.chance_alone(sharp, point, n, charts.standardise(sharp, point, n))[0]
    assert known == pytest.approx(stats.binom.sf(29, 500, 0.03), rel=0.01)


def test_the_ewma_allows_for_the_error_of_a_short_baseline() -> None:
    random = np.random.default_rng(6)
    n, signals = np.full(60, 200.0), 0
    for _ in range(400):
        defects = random.binomial(200, 0.05, 60).astype(float)
        frozen = charts.baseline(defects[:3], n[:3])
        signals += charts.smoothed(frozen, charts.standardise(frozen, defects, n), n).signals[-1]
    assert signals <= 8  # one in fifty; without the allowance it is one in five


def test_one_wild_point_is_no_lasting_shift() -> None:
    n, defects = np.full(40, 1000.0), np.full(40, 30.0)
    frozen = charts.Baseline(0.03, 1.0, 168, 1.0, 5040, 168_000)
    defects[10] = 900
    assert not charts.smoothed(frozen, charts.standardise(frozen, defects, n), n).signals.any()
    defects[10:] = 50
    assert charts.smoothed(frozen, charts.standardise(frozen, defects, n), n).signals[13:].all()


def test_p_chart_limits_equal_statsmodels_standard_error() -> None:
    from statsmodels.stats.proportion import std_prop

    n = np.array([50.0, 80.0, 400.0])
    low, high = charts.limits(charts.Baseline(0.05, 1.5, 9, 1.5, 50, 1000), n)
    assert high == pytest.approx(0.05 + 3 * 1.5 * std_prop(0.05, n), abs=1e-12)
    assert low == pytest.approx(np.maximum(0, 0.05 - 3 * 1.5 * std_prop(0.05, n)), abs=1e-12)


def test_false_alarm_rates_are_those_of_a_process_in_control() -> None:
    z = np.random.default_rng(11).standard_normal(400_000)
    seen = [rule.mean() for rule in charts.nelson(z)]
    assert seen == pytest.approx(charts.FALSE_ALARMS, abs=0.0004)


def test_ewma_of_montgomery() -> None:
    # Table 9.10 (7th ed.): mean 10, sigma 1, weight 0.10, L 2.7; first values of z.
    x = np.array([9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34])
    smooth = charts.ewma(x - 10, weight=0.10, width=2.7)
    book = [9.945, 9.7495, 9.70355, 9.8992, 10.1253, 10.1307, 9.92167, 10.0755, 9.98796, 10.0232]
    assert smooth.value + 10 == pytest.approx(book, abs=6e-4)
    assert smooth.limit[0] == pytest.approx(0.27, abs=1e-9)
    assert smooth.limit[1] == pytest.approx(0.3632, abs=1e-4)


def test_funnel_limits_hold_what_they_promise() -> None:
    n = np.array([20.0, 100.0, 1000.0, 20000.0])
    low, high = funnel.limits(n, 0.03)
    count = np.ceil(high * n)  # the limit lies between this count and the one below
    assert (stats.binom.sf(count, n, 0.03) <= 0.001).all()
    assert (stats.binom.sf(count - 2, n, 0.03) >= 0.001).all()
    normal = 0.03 + 3.09 * math.sqrt(0.03 * 0.97 / 20000)
    assert high[-1] == pytest.approx(normal, rel=0.01)
    assert low[0] == 0


# Landis and Koch style tables against statsmodels.
@pytest.mark.parametrize("table", [[[20, 5], [10, 15]], [[88, 14], [10, 76]], [[3, 0], [1, 6]]])
def test_cohens_kappa_equals_statsmodels(table: list[list[int]]) -> None:
    mine, theirs = agreement.cohen(np.array(table, dtype=float)), cohens_kappa(np.array(table))
    assert mine.value == pytest.approx(theirs.kappa, abs=1e-12)
    assert mine.low == pytest.approx(max(-1, theirs.kappa - 1.96 * theirs.std_kappa), abs=1e-6)


def test_fleiss_kappa_of_the_original_paper() -> None:
    # The ten-subject example that is reproduced everywhere (Wikipedia: kappa = 0.210), 14 raters, 5 categories.
    counts = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ],
        dtype=float,
    )  # fmt: skip
    mine = agreement.fleiss(counts)
    assert mine.value == pytest.approx(0.210, abs=5e-4)
    assert mine.value == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    assert mine.low < mine.value < mine.high
    left_out = np.array([agreement.fleiss(np.delete(counts, index, axis=0)).value for index in range(10)])
    assert mine.high - mine.value == pytest.approx(1.96 * math.sqrt(9 * left_out.var()), abs=1e-12)


def test_kappa_without_a_disagreement_is_not_certain() -> None:
    """Three parts on which all agree say little; the more parts, the more."""
    lows = [agreement.fleiss(np.array([[3.0, 0.0], [0.0, 3.0]] * n)).low for n in (2, 20, 200)]
    assert lows[0] < 0.2 < lows[1] < 0.9 < lows[2] < 1
    assert agreement.fleiss(np.array([[3.0, 0.0], [0.0, 3.0]] * 20)).value == 1
    table = agreement.cohen(np.array([[20.0, 0.0], [0.0, 20.0]]))
    assert (table.low, table.value, table.high) == (pytest.approx(lows[1]), 1.0, 1.0)


def test_aiag_figures_count_against_the_reference() -> None:
    truth = np.array([True, True, True, False, False])
    called = np.array([True, False, True, True, False])
    figures = agreement.appraise(called, truth)
    assert (figures.right, figures.missed, figures.defective, figures.alarms, figures.sound) == (3, 1, 3, 1, 2)


def test_psi_is_the_symmetric_divergence_and_stays_under_its_noise() -> None:
    random = np.random.default_rng(2)
    p = np.array([100.0, 300.0, 400.0, 200.0]) * 1e6
    q = np.array([200.0, 300.0, 300.0, 200.0]) * 1e6
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert drift.psi(p, q) == pytest.approx(expected, rel=1e-6)
    draws = [
        drift.psi(random.multinomial(2000, [0.1] * 10).astype(float), random.multinomial(500, [0.1] * 10).astype(float))
        for _ in range(2000)
    ]
    over = np.mean(np.array(draws) > drift.noise(10, 2000, 500, 0.95))
    assert over == pytest.approx(0.05, abs=0.02)


def test_drift_began_on_the_first_day_of_the_run_that_lasts() -> None:
    assert drift.began([False, True, False, True, True]) == 3
    assert drift.began([True, True]) == 0
    assert drift.began([True, False]) is None
    assert drift.began([]) is None
