"""What is red, what is amber and what is neither: whole reports over lines whose truth is known."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from reports.page import render
from reports.period import BaselinePeriod, Period, default_baseline
from tests.reports.composed import DAY, HOUR, cells, histograms, report, says

UTC = ZoneInfo("UTC")
DAYS = [date(1970, 1, 1) + timedelta(days=n) for n in range(120)]
WEEK = Period(DAYS[0], DAYS[6])


def _hourly(hours: int, defects: Callable[[int], int], parts: int = 1000, line: str = "L1") -> pa.Table:
    slots = {n * HOUR: {"ok": parts - defects(n), "defect": defects(n)} for n in range(hours)}
    return cells(slots, line)  # type: ignore[arg-type]


def _charts(made: dict[str, Any]) -> dict[str, Any]:
    return {chart["line"]: chart for chart in made["quality"]["charts"]}


def test_a_baseline_is_frozen_when_it_holds_a_week_of_production_and_fifty_defects() -> None:
    def days(defects: list[int], *, every: int = 1) -> dict[date, int]:
        return {DAYS[n * every]: k for n, k in enumerate(defects)}

    assert default_baseline(days([20] * 7)) == BaselinePeriod(WEEK, True)  # the seventh day may not be over
    assert default_baseline(days([20] * 8)) == BaselinePeriod(WEEK, False)
    assert default_baseline(days([0, 0, 0, 0, 0, 0, 1, 40, 40, 40])).period.last == DAYS[8]  # commissioning first
    assert default_baseline(days([1] * 27)).provisional
    assert default_baseline(days([1] * 40)) == BaselinePeriod(Period(DAYS[0], DAYS[27]), False)
    assert default_baseline(days([20] * 3, every=10)).provisional  # three days of production, not twenty-one
    assert default_baseline(days([20] * 8, every=10)).period == Period(DAYS[0], DAYS[60])


@pytest.mark.parametrize(("a_day", "share"), [(168, 0.02), (1008, 0.005)])
def test_a_line_in_control_is_not_called_shifted(a_day: int, share: float) -> None:
    """Of twenty healthy lines after two months; a baseline of the first day called a third of them shifted."""
    random = np.random.default_rng(1)
    lines = []
    for line in range(20):
        parts = random.poisson(a_day / 24, 60 * 24)
        bad = random.binomial(parts, share)
        slots = {n * HOUR: {"ok": int(parts[n] - bad[n]), "defect": int(bad[n])} for n in range(60 * 24)}
        lines.append(cells(slots, f"L{line}"))
    shifted = [what for _, what in says(report(pa.concat_tables(lines), zone=UTC)) if what.startswith("shift")]
    assert shifted == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_nothing_is_red_from_a_provisional_baseline_and_the_page_says_so(language: str) -> None:
    made = report(_hourly(5 * 24, lambda n: 30 + 60 * (n >= 96)), zone=UTC)
    assert made["baseline"]["provisional"]
    assert says(made) == {("amber", "shift_up"), ("amber", "unaudited")}  # the days before are no fall
    page = render(made, language)
    assert "seven days of production" in page
    assert "생산일 7일" in page


def test_a_shift_after_a_frozen_baseline_is_red() -> None:
    made = report(_hourly(10 * 24, lambda n: 30 + 60 * (n >= 9 * 24)), zone=UTC)
    assert made["baseline"] == {"from": "1970-01-01", "to": "1970-01-07", "provisional": False}
    assert ("red", "shift_up") in says(made)


def test_a_younger_line_has_a_baseline_of_its_own_by_the_same_rule() -> None:
    old = _hourly(20 * 24, lambda n: 30)
    late = {n * HOUR: {"ok": 970, "defect": 30 + 60 * (n >= 19 * 24)} for n in range(6 * 24 + 20, 20 * 24)}
    young = {n * HOUR: {"ok": 970, "defect": 30 + 60 * (n >= 19 * 24)} for n in range(16 * 24, 20 * 24)}
    made = report(pa.concat_tables([old, cells(late, "late"), cells(young, "young")]), zone=UTC)
    found = {
        finding["values"]["line"]: finding["level"] for finding in made["findings"] if finding["what"] == "shift_up"
    }
    assert found == {"late": "red", "young": "amber"}
    base = {name: (chart["baseline"]["from"], chart["baseline"]["to"]) for name, chart in _charts(made).items()}
    assert base["L1"] == ("1970-01-01", "1970-01-07")
    assert base["late"] == ("1970-01-07", "1970-01-13")


def test_from_a_baseline_without_a_defect_nothing_falls() -> None:
    slots = {n * DAY: {"ok": 16} for n in range(7)}
    slots |= {n * DAY: {"ok": 399, "defect": 1} for n in range(7, 60)}
    made = report(cells(slots), zone=UTC, frozen=WEEK)
    assert {what for _, what in says(made)} == {"unaudited"}
    assert "<td>0 / 112<" in render(made)
    failing = report(cells(slots | {n * DAY: {"ok": 200, "defect": 200} for n in range(57, 60)}), zone=UTC, frozen=WEEK)
    (found,) = (finding for finding in failing["findings"] if finding["what"] == "shift_up")
    assert (found["level"], found["values"]["mean"]) == ("red", "0 / 112")


def test_the_newest_hour_far_off_is_red_and_an_earlier_one_is_named() -> None:
    """Nothing is green while a point stands out more than chance explains."""
    steady = _hourly(10 * 24, lambda n: 24 + 31 * (n == 10 * 24 - 1))
    newest = report(steady, zone=UTC)
    assert newest["quality"]["charts"][0]["points"][-1]["rules"] == [1]
    (found,) = (finding for finding in newest["findings"] if finding["what"] == "shift_up")
    assert (found["level"], found["values"]["since"]) == ("red", "1970-01-10T23:00+00:00")
    earlier = report(_hourly(10 * 24, lambda n: 24 + 31 * (n == 200)), zone=UTC)
    assert says(earlier) == {("amber", "point"), ("amber", "unaudited")}


@pytest.mark.parametrize("after", [3, 8, 12])
def test_a_spike_that_is_over_is_not_still_up(after: int) -> None:
    made = report(_hourly(240 + after, lambda n: 300 if 237 <= n < 240 else 30), zone=UTC)
    assert says(made) == {("amber", "episode_up"), ("amber", "unaudited")}


def test_a_line_that_stopped_is_not_still_up() -> None:
    running = _hourly(80 * 24, lambda n: 30, line="runs")
    stopped = _hourly(11 * 24, lambda n: 30 + 60 * (n >= 10 * 24), line="stopped")
    made = report(pa.concat_tables([running, stopped]), zone=UTC)
    assert says(made) == {("amber", "episode_up"), ("amber", "unaudited")}


def test_a_camera_that_is_gone_has_not_drifted_now() -> None:
    def seen(camera: str, last: int) -> pa.Table:
        return histograms({day: (140 if day < 8 or camera == "a" else 80, 50) for day in range(last)}, camera)

    for last, drifted in ((12, {("red", "drift_camera")}), (11, {("red", "drift_camera")}), (9, set())):
        told = {"histograms": pa.concat_tables([seen("a", 12), seen("b", last)])}
        made = report(_hourly(12 * 24, lambda n: 30), zone=UTC, told=told)
        assert says(made) - {("amber", "unaudited")} == drifted


def test_where_drift_cannot_be_told_the_page_says_so() -> None:
    few = histograms(dict.fromkeys(range(12), (140, 2)))
    page = render(report(_hourly(12 * 24, lambda n: 30), zone=UTC, told={"histograms": few}))
    assert "too few pictures" in page.split('id="en-drift"')[1].split('id="en-definitions"')[0]


def test_a_chart_holds_the_period_and_takes_its_limits_from_the_baseline() -> None:
    lake = _hourly(20 * 24, lambda n: 30 + 60 * (8 * 24 <= n < 9 * 24))
    one = report(lake, zone=UTC, first=DAYS[15], last=DAYS[15])
    chart = one["quality"]["charts"][0]
    assert [point["at"][:10] for point in chart["points"]] == ["1970-01-16"] * 24
    assert (chart["signals"], chart["ewma_signals"], chart["episodes"]) == (0, 0, [])
    before = report(lake, zone=UTC, first=DAYS[8], last=DAYS[8], frozen=Period(DAYS[12], DAYS[14]))
    chart = before["quality"]["charts"][0]
    assert (chart["baseline"]["from"], chart["baseline"]["mean"]) == ("1970-01-13", pytest.approx(0.03))
    assert chart["alarm"]


def test_every_finding_and_what_a_table_leaves_out_is_on_the_page() -> None:
    slots = {n * DAY: {"ok": 900, "defect": 30 + 60 * (n >= 9)} for n in range(12)}
    made = report(pa.concat_tables([cells(slots, f"line-{k:02}") for k in range(15)]), zone=UTC)
    page = render(made)
    first_screen = page.split("</section>")[0]
    assert len(made["findings"]) == 16
    assert all(f"Line line-{k:02}:" in first_screen for k in range(15))
    assert "escapes can&#39;t be measured" in first_screen
    assert "3 more are in by_line.parquet" in page
    assert "7 more are in chart_points.parquet" in page


def test_a_verdict_that_nobody_knows_is_told_apart() -> None:
    made = report(cells({0: {"ok": 8, "rejected": 1, "hold": 2, None: 3}}), zone=UTC)
    total = made["quality"]["total"]
    assert (total["parts"], total["rejected"], total["other"]) == (14, 1, 5)
    assert ("amber", "unknown") in says(made)


def test_pictures_rejected_are_pictures() -> None:
    """The same part three times is one part and three pictures."""
    table = cells({0: {"ok": 5, "rejected": 3}})
    alone = pa.array([5, 0])
    made = report(table.set_column(table.column_names.index("alone"), "alone", alone), zone=UTC)
    assert made["reconciliation"]["rejected"] == 3
    assert made["quality"]["total"]["rejected"] == 0
