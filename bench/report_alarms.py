"""How often the report's alarms and intervals are wrong, over lines and samples whose truth is drawn.

    python -m bench.report_alarms [--runs N]

First, lines in control for sixty days: the share whose newest point is told as a rise (red) or a fall, for a baseline
of one, seven and twenty days; and of lines that triple, how many days pass until it is told (median, longest). Then,
of the measured rates, how often the 95 % interval holds the truth where parts for review (all audited) and passed
parts (one of fifty) lie on one side; five times as many runs.
"""

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from reports.control import control_charts
from reports.period import BaselinePeriod, Period
from reports.quality import Counted
from reports.statistics.intervals import domain_share, weighted_share
from reports.tables import DIMENSIONS

LINES = ((168, 0.02), (504, 0.02), (1008, 0.02), (1008, 0.005), (4800, 0.02))
DAYS, BASELINES, SHIFTED = 60, (1, 7, 20), 30
HOURS = tuple(datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=n) for n in range(DAYS * 24))
#: Passed parts, their defective share, parts for review (three in ten defective), parts called defective.
SAMPLES = ((1000, 0.1, 50, 100), (3000, 0.03, 300, 100), (2000, 0.05, 400, 600), (5000, 0.03, 500, 400))
SAMPLED = 0.02


def line(random: Any, a_day: int, share: Any) -> Counted:
    parts = random.poisson(a_day / 24, len(HOURS))
    bad = random.binomial(parts, share)
    nothing = {name: (None,) * (2 * len(HOURS)) for name in DIMENSIONS}
    verdicts = ("ok",) * len(HOURS) + ("defect",) * len(HOURS)
    counts = (*(parts - bad).tolist(), *bad.tolist())
    return Counted(HOURS + HOURS, {**nothing, "verdict": verdicts}, counts, counts)


def chart(rows: Counted, baseline: int, days: int = DAYS) -> dict[str, Any]:
    period, frozen = (Period(HOURS[0].date(), HOURS[n * 24 - 1].date()) for n in (days, baseline))
    return control_charts(rows, period, BaselinePeriod(frozen, False))[0]


def in_control(runs: int) -> None:
    print("| parts a day | share | days of baseline | risen | fallen | tripled: days until told |")
    print("|---|---|---|---|---|---|")
    for a_day, share in LINES:
        for baseline in BASELINES:
            random, up, down, waits = np.random.default_rng(1), 0, 0, []
            for _ in range(runs):
                told = chart(line(random, a_day, share), baseline)
                up += told["alarm"]
                down += told["alarm_since"] is not None and not told["alarm"]
            tripled = np.where(np.arange(len(HOURS)) < SHIFTED * 24, share, 3 * share)
            for _ in range(max(1, runs // 20)):
                rows = line(random, a_day, tripled)
                later = range(1, DAYS - SHIFTED + 1)
                waits.append(next((n for n in later if chart(rows, baseline, SHIFTED + n)["alarm"]), len(later) + 1))
            wait = f"{np.median(waits):.0f} (at most {max(waits)})"
            print(f"| {a_day} | {share:.1%} | {baseline} | {up / runs:.1%} | {down / runs:.1%} | {wait} |", flush=True)


def held(runs: int) -> None:
    print("\n| passed | defective | for review | called defective | misses | escapes | false alarms | true rate |")
    print("|---|---|---|---|---|---|---|---|")
    for passed, bad, review, called in SAMPLES:
        random, good = np.random.default_rng(1), np.zeros(4)
        for _ in range(runs):
            drawn = int(random.binomial(passed, SAMPLED))
            truth = np.concatenate(
                [random.random(drawn) < bad, random.random(review) < 0.3, random.random(called) < 0.95]
            )
            weight = np.concatenate([np.full(drawn, 1 / SAMPLED), np.ones(review + called)])
            at = np.arange(len(truth))
            missed, escaped, caught = passed * bad + review * 0.3, passed * bad, called * 0.95
            alarms, sound = called * 0.05, passed * (1 - bad) + review * 0.7
            for i, (share, true) in enumerate(
                [
                    (domain_share(at < drawn + review, truth, weight), missed / (missed + caught)),
                    (domain_share(at < drawn, truth, weight), escaped / (missed + caught)),
                    (domain_share(at >= drawn + review, ~truth, weight), alarms / (alarms + sound)),
                    (weighted_share(truth, weight), (missed + caught) / (passed + review + called)),
                ]
            ):
                good[i] += share.low <= true <= share.high
        shares = " | ".join(f"{held:.1%}" for held in good / runs)
        print(f"| {passed} | {bad:.0%} | {review} | {called} | {shares} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    in_control(runs)
    held(5 * runs)


if __name__ == "__main__":
    main()
