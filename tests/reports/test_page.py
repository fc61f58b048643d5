"""The page from a report of its own: both languages complete, self-contained, every statistic defined."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from reports import moving, plots
from reports.control import control_charts
from reports.page import level, render, words
from reports.period import BaselinePeriod, Period
from reports.quality import Counted, by, counted, totals
from reports.tables import SLOT
from tests.reports import composed

DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"
DAYS = [date(1970, 1, 1) + timedelta(days=n) for n in range(60)]
_cells, _report, _NOTHING = composed.cells, composed.report, composed.NOTHING


def test_both_languages_have_the_same_words_and_placeholders() -> None:
    english, korean = words("en"), words("ko")
    assert english.keys() == korean.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", korean[name])), name


def test_every_word_is_used() -> None:
    """By the templates and the code that draws and says; a word that nobody says is only translated for nothing."""
    read = {path.name: path.read_text() for path in Path(plots.__file__).parent.iterdir() if path.is_file()}
    said = read["body.html.j2"] + read["page.py"] + read["plots.py"]
    used = set(re.findall(r"\bt\.(\w+)", said)) | set(re.findall(r"@(\w+)@", said))
    used |= set(re.findall(r"""\bt\[["'](\w+)["']\]""", said)) | {"green", "amber", "red"}
    for names in re.findall(r"for name in (\(.*?\))", read["body.html.j2"]):
        used |= set(re.findall(r'"(\w+)"', names))
    for dimension in re.findall(r'grouped\("(\w+)"', read["body.html.j2"]):
        used |= {dimension, f"by_{dimension}"}
    for anchor in re.findall(r'define\("([\w-]+)"\)', read["body.html.j2"]):
        used |= {f"def_{anchor}", f"defname_{anchor}"}
    directions = {f"{kind}_{way}" for kind in ("shift", "episode") for way in ("up", "down")}
    used |= {f"finding_{what}" for what in directions | set(re.findall(r'"(\w+)"', read["findings.py"]))}
    used |= {f"measure_{measure}" for measure in moving.MEASURES}
    assert words("en").keys() - used == set()


def test_every_definition_of_the_page_is_in_the_document() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCUMENT.read_text(), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    defined = {name.removeprefix("def_") for name in words("en") if name.startswith("def_")}
    assert defined <= anchors
    page = render(_report(_cells({0: {"ok": 5}})), "en")
    assert set(re.findall(r'href="#en-def-([\w-]+)"', page)) <= defined


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("slots", [{}, {0: {"defect": 1}}, {n * 4: {"ok": 90, "defect": 2 + n % 3} for n in range(60)}])
def test_the_page_stands_for_any_lake(slots: dict[int, dict[str, int]], language: str) -> None:
    """Nothing at all, one defect, a few days; names are escaped; every inner link has its place."""
    page = render(_report(_cells(slots)), language)
    assert "<script" not in page
    assert "<L&1>" not in page
    places = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'<a[^>]* href="#([^"]+)"', page)) <= places


def test_a_shift_is_found_and_dated() -> None:
    slots = {n * 4: {"ok": 970 - 30 * (n >= 120), "defect": 30 + 30 * (n >= 120)} for n in range(168)}
    rows = counted(_cells(slots), _NOTHING, ZoneInfo("UTC"))
    chart = control_charts(rows, Period(DAYS[0], DAYS[6]), BaselinePeriod(Period(DAYS[0], DAYS[1]), False))[0]
    began = datetime.fromtimestamp(120 * 4 * SLOT, UTC)
    assert chart["alarm"]
    assert datetime.fromisoformat(chart["alarm_since"]) == began


def test_the_hour_that_comes_twice_is_two_hours_of_one_name() -> None:
    start = int(datetime(2026, 11, 1, 5, tzinfo=UTC).timestamp()) // SLOT  # 01:00 in New York, then 01:00 again
    rows: Counted = counted(_cells({start: {"ok": 1}, start + 4: {"ok": 2}}), _NOTHING, ZoneInfo("America/New_York"))
    assert len(set(rows.hour)) == 2
    assert [(row["hour"], row["parts"]) for row in by(rows, "hour")] == [("01", 3)]
    assert totals(rows)["parts"] == 3


@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", (2026, 10, 25)), ("Europe/Berlin", (2026, 3, 29))])
def test_a_day_of_25_or_23_hours_is_one_day_and_each_hour_a_point(zone: str, day: tuple[int, int, int]) -> None:
    start = int(datetime(*day, tzinfo=ZoneInfo(zone)).timestamp()) // SLOT
    hours = 25 if day[1] == 10 else 23
    period = Period(date(*day), date(*day))
    baseline = BaselinePeriod(period, False)
    cells = {start + 4 * n: {"ok": 900, "defect": 100} for n in range(hours)}
    chart = control_charts(counted(_cells(cells), _NOTHING, ZoneInfo(zone)), period, baseline)[0]
    assert [point["n"] for point in chart["points"]] == [1000] * hours
    rare = {start + 4 * n: {"ok": 10} for n in range(hours)}
    chart = control_charts(counted(_cells(rare), _NOTHING, ZoneInfo(zone)), period, baseline)[0]
    assert [(point["n"], point["at"][:16]) for point in chart["points"]] == [(10 * hours, f"{date(*day)}T00:00")]


def test_a_shift_that_has_ended_is_told_with_its_end() -> None:
    slots = {n * 4: {"ok": 970 - 40 * (96 <= n < 110), "defect": 30 + 40 * (96 <= n < 110)} for n in range(168)}
    report = _report(_cells(slots))
    found = [finding for finding in report["findings"] if finding["what"] == "episode_up"]
    assert len(found) == 1
    began, until = (datetime.fromisoformat(found[0]["values"][name]) for name in ("since", "until"))
    assert abs((began - datetime.fromtimestamp(96 * 4 * SLOT, UTC)).total_seconds()) <= 7200
    assert abs((until - datetime.fromtimestamp(110 * 4 * SLOT, UTC)).total_seconds()) <= 12 * 3600


def test_a_wrong_clock_moves_neither_period_nor_baseline() -> None:
    slots = {n * 4: {"ok": 90, "defect": 3} for n in range(100)}
    future = int(datetime(2099, 1, 1, tzinfo=UTC).timestamp()) // SLOT
    report = _report(_cells({**slots, future: {"ok": 1}}), now=datetime(1970, 2, 1, tzinfo=UTC))
    assert report["period"] == {"from": "1970-01-01", "to": "1970-01-05"}
    assert report["reconciliation"]["misdated"] == 1
    assert "misdated" in {finding["what"] for finding in report["findings"]}


@pytest.mark.parametrize("name", ["$\\frac{$", "$x_1$", "<b>&lot</b>", "가나다", "x" * 400, "@parts@", ""])
def test_any_name_can_be_drawn(name: str) -> None:
    """Names that look like formulas or markup, other scripts, and very long ones."""
    cells = _cells({n * 4: {"ok": 900, "defect": 40} for n in range(60)})
    table = cells.set_column(cells.column_names.index("line"), "line", pa.array([name] * cells.num_rows))
    bad = _cells({7: {"defect": 400}})
    bad = bad.set_column(bad.column_names.index("lot"), "lot", pa.array([name or "-"]))
    page = render(_report(pa.concat_tables([table, bad])), "en")
    assert "<b>&lot" not in page


def test_a_hundred_thousand_lots_are_drawn_as_a_thousand() -> None:
    rows = [{"lot": f"lot-{n}", "parts": 10 + n % 90, "share": 0.01, "n": 1} for n in range(100_000)]
    drawn = plots.funnel_plot({"target": 0.01, "lots": rows, "alarms": ["lot-0"]}, "funnel", words("en"))
    assert "lot-0" in drawn
    assert len(drawn) < 400_000


def test_the_worst_finding_colours_the_page() -> None:
    assert level({"findings": [{"level": "amber"}, {"level": "red"}]}) == "red"
    assert level({"findings": []}) == "green"
