"""The page from a report of its own: both languages complete, self-contained, every statistic defined."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from inspection.reconciliation import Account, Break, JournalAccount, Late
from reports import moving, plots
from reports.control import control_charts
from reports.daily import Day
from reports.page import kappa, level, percent, render, say, words
from reports.period import BaselinePeriod, Period
from reports.quality import Counted, by, counted, totals
from reports.report import NoSuchPeriod, Wanted
from reports.tables import SLOT
from tests.reports import composed

DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"
DAYS = [date(1970, 1, 1) + timedelta(days=n) for n in range(60)]
NOW = composed.NOW
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


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.00"), (1e-7, "< 0.01"), (0.00006, "0.01"), (0.5, "50.00"), (0.9999999, "> 99.99"), (1.0, "100.00")],
)
def test_rounding_says_neither_none_nor_all_where_it_is_not_so(value: float, said: str) -> None:
    assert percent(value) == f"{said}\N{NO-BREAK SPACE}%"


def test_agreement_that_is_almost_perfect_is_not_said_to_be() -> None:
    values = (1.0, 0.9996, 0.5, 0.0002, -0.0002, 0.0)
    assert [kappa(value) for value in values] == ["1.000", "> 0.999", "0.500", "< 0.001", "> -0.001", "0.000"]


def test_findings_of_the_lake_are_told_in_each_language_and_their_days_are_utc() -> None:
    journal = JournalAccount("j", 0, 9, NOW, 5, 0, 0, ((3, 4),), ((8, 9),), ())
    breaks = (Break("name", "f", "7", "5"), Break("start", "f", "7", "5"), Break("source", "f", "7", "5"))
    late = (Late("numbers", "j", ((8, 9),), NOW), Late("partition", "t 1", (), NOW), Late("partition", "t 2", (), None))
    account = Account((journal,), breaks, late, 2, 1, NOW, NOW, 1)
    days = (Day("1970-01-01", stored=5), Day("1970-01-02", missing=2, open=1))
    report = _report(_cells({0: {"ok": 5}}), account=account, days=days)
    told = {finding["what"]: say(finding, words("en")) for finding in report["findings"]}
    assert {"missing", "broken_name", "broken_start", "broken_source", "late", "behind", "unheard"} <= told.keys()
    assert "first on 1970-01-02 UTC" in told["missing"]
    assert "First on 1970-01-02 UTC" in told["dead"]
    assert "numbers 8-9 of journal j, outstanding since 2026-03-09 00:00 UTC" in told["late"]
    for finding in report["findings"]:
        assert not re.findall(r"[a-z]{2,}", say(finding, words("ko")))


def test_letters_that_were_all_settled_are_no_finding() -> None:
    account = Account((), (), (), 3, 0, NOW, NOW, 1)
    assert "dead" not in {finding["what"] for finding in _report(_cells({}), account=account)["findings"]}


@pytest.mark.parametrize(("hours", "levels"), [(1.9, []), (2.1, ["amber"]), (300, ["amber"])])
def test_a_lake_into_which_nothing_comes_any_more_is_told(hours: float, levels: list[str]) -> None:
    account = Account((), (), (), 0, 0, NOW, NOW, 1)
    found = _report(_cells({}), NOW + timedelta(hours=hours), account)["findings"]
    assert [finding["level"] for finding in found if finding["what"] == "quiet"] == levels


def test_a_partition_without_a_statement_is_not_a_lake_without_one() -> None:
    account = Account((), (), (), 0, 0, None, NOW, 1)
    report = _report(_cells({0: {"ok": 5}}), account=account)
    assert "unproven" not in {finding["what"] for finding in report["findings"]}
    page = render(report, "en")
    assert words("en")["not_everywhere"] in page
    assert words("en")["never"] not in page


@pytest.mark.parametrize("days", [{"first": date(1970, 1, 9)}, {"last": date(1969, 12, 30)}])
def test_a_period_that_is_none_is_refused(days: dict[str, date]) -> None:
    with pytest.raises(NoSuchPeriod, match="the lake has 1970-01-01 to 1970-01-02"):
        _report(_cells({0: {"ok": 1}, 96: {"ok": 1}}), datetime(1970, 1, 20, tzinfo=UTC), **days)


def test_a_period_may_end_with_the_calendar() -> None:
    assert _report(_cells({0: {"ok": 1}}), last=date.max)["period"]["to"] == "9999-12-31"


def test_a_report_that_begins_later_lies_beside_the_whole_one() -> None:
    lake = Wanted("/data/predictions", ZoneInfo("UTC"))
    assert lake.folder("2026-03-03") == "/data/reports/date=2026-03-03"
    part = Wanted("/data/predictions", ZoneInfo("UTC"), first=date(2026, 3, 2))
    assert part.folder("2026-03-03") == "/data/reports/date=2026-03-03_from=2026-03-02"


@pytest.mark.parametrize(("zone", "year"), [("Asia/Seoul", 9999), ("America/New_York", 1)])
def test_a_clock_at_the_end_of_all_calendars_is_a_wrong_clock(zone: str, year: int) -> None:
    at = datetime(9999, 12, 31, 23, tzinfo=UTC) if year == 9999 else datetime(1, 1, 1, 0, 30, tzinfo=UTC)
    slot = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=SLOT)
    rows = counted(_cells({slot: {"ok": 1}}), _NOTHING, ZoneInfo(zone))
    assert {hour.year for hour in rows.hour} == {year}
    histograms = pa.table({"hour": [slot // 4], "measure": ["brightness"], "bin": [3], "n": [1], "camera": ["c"]})
    assert {day.year for day in moving.daily(histograms, ZoneInfo(zone))["c"]["brightness"]} == {year}


def test_a_hundred_thousand_lots_are_drawn_as_a_thousand() -> None:
    rows = [{"lot": f"lot-{n}", "parts": 10 + n % 90, "share": 0.01, "n": 1} for n in range(100_000)]
    drawn = plots.funnel_plot({"target": 0.01, "lots": rows, "alarms": ["lot-0"]}, "funnel", words("en"))
    assert "lot-0" in drawn
    assert len(drawn) < 400_000


def test_the_worst_finding_colours_the_page() -> None:
    assert level({"findings": [{"level": "amber"}, {"level": "red"}]}) == "red"
    assert level({"findings": []}) == "green"
