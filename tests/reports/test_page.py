"""The page from a report of its own: both languages complete, self-contained, every statistic defined."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from reports.page import level, render, words
from reports.period import Period
from reports.quality import Counted, by, control_charts, counted, totals
from reports.reconciliation import Account
from reports.report import Counts, Wanted, compose
from reports.tables import DIMENSIONS, SLOT
from tests.reports.lakes import Plant, inspections

NOW = datetime(2026, 3, 9, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"


def _cells(slots: dict[int, dict[str, int]]) -> pa.Table:
    """Slot to parts by verdict, all on one line."""
    rows = [
        {"slot": slot, "cell": slot * 10 + i, "n": n, "alone": n, "verdict": verdict, "line": "<L&1>", "lot": "a"}
        for slot, verdicts in slots.items()
        for i, (verdict, n) in enumerate(verdicts.items())
    ]
    text = [(name, pa.string()) for name in DIMENSIONS]
    numbers = [(name, pa.int64()) for name in ("slot", "cell", "n", "alone")]
    return pa.Table.from_pylist(rows, schema=pa.schema([*numbers, *text]))


_NOTHING = pa.table({"cell": pa.array([], pa.int64()), "firsts": pa.array([], pa.int64())})


def _report(cells: pa.Table) -> dict[str, object]:
    empty = pa.table({name: pa.array([], pa.int64()) for name in ("hour", "bin", "n")})
    histograms = empty.append_column("measure", pa.array([], pa.string()))
    plant = inspections(Plant(), 0, 50, 1, "j", 0)
    names = ["event_id", "line", "lot", "model_version", "verdict", "prediction", "p_defect", "audit_probability"]
    chosen = plant.select(names).slice(0, 0).append_column("at", pa.array([], pa.int64()))
    audited = ["event_id", "inspection_id", "true_label", "auditor", "defect_type", "blind"]
    audits = plant.select(audited).slice(0, 0).append_column("at", pa.array([], pa.int64()))
    account = Account((), (), (), 0, (), None, None, 0)
    wanted = Wanted("/lake", ZoneInfo("Asia/Seoul"))
    return compose(Counts(account, cells, _NOTHING, histograms, chosen, audits), wanted, None, NOW)


def test_both_languages_have_the_same_words_and_placeholders() -> None:
    english, korean = words("en"), words("ko")
    assert english.keys() == korean.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", korean[name])), name


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
    chart = control_charts(rows, Period(date(1970, 1, 1), date(1970, 1, 2)))[0]
    began = datetime.fromtimestamp(120 * 4 * SLOT, UTC)
    assert chart["alarm"]
    assert datetime.fromisoformat(chart["alarm_since"]) == began


def test_the_hour_that_comes_twice_is_two_hours_of_one_name() -> None:
    start = int(datetime(2026, 11, 1, 5, tzinfo=UTC).timestamp()) // SLOT  # 01:00 in New York, then 01:00 again
    rows: Counted = counted(_cells({start: {"ok": 1}, start + 4: {"ok": 2}}), _NOTHING, ZoneInfo("America/New_York"))
    assert len({hour.isoformat() for hour in rows.hour}) == 2
    assert [(row["hour"], row["parts"]) for row in by(rows, "hour")] == [("01", 3)]
    assert totals(rows)["parts"] == 3


def test_the_worst_finding_colours_the_page() -> None:
    assert level({"findings": [{"level": "amber"}, {"level": "red"}]}) == "red"
    assert level({"findings": []}) == "green"
