"""Whole reports over whole lakes: what is planted must be said, what Spark counts must equal the plain twin."""

import json
import os
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.reports import days_of
from deployments.settings import Settings
from reports import counting, quality, tables
from reports.days import RECIPE
from reports.lake import LakeUnreadable
from reports.period import Period
from reports.report import Wanted, make
from reports.storage import LocalStorage
from tests.reports import twin
from tests.reports.lakes import Partition, Plant, generate, statement, to_table

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def _report(spark: Any, root: Path, zone: str = "UTC", **wanted: Any) -> dict[str, Any]:
    return make(spark, Wanted(str(root), ZoneInfo(zone), **wanted), NOW)


def _says(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["level"], finding["what"]) for finding in report["findings"]}


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with a shifted line, a bad lot and dark pictures from the ninth day on."""
    root = tmp_path_factory.mktemp("troubled") / "predictions"
    generate(Plant(events=33_000, days=11, shift_line=1, bad_lot=7, darker=15, since=8), root)
    return root


def test_a_healthy_lake_is_whole_and_says_nothing(spark: Any, tmp_path: Path) -> None:
    root = tmp_path / "predictions"
    issued = generate(Plant(events=12_000, days=6), root)
    report = make(spark, Wanted(str(root), ZoneInfo("UTC")), datetime(2026, 3, 8, 0, 30, tzinfo=UTC))
    account = report["reconciliation"]
    assert account["whole"]
    assert (account["issued"], account["stored"]) == (issued, issued)
    assert not {level for level, what in _says(report) if what != "misses"}
    assert report["baseline"]["provisional"]
    assert not (tmp_path / "reports" / "baseline.json").exists()


def test_the_page_lists_the_report_and_its_copy(spark: Any, tmp_path: Path) -> None:
    root, copy = tmp_path / "predictions", tmp_path / "copy"
    generate(Plant(events=300, days=1), root)
    report = make(spark, Wanted(str(root), ZoneInfo("UTC")), NOW, copy_to=copy)
    day = report["period"]["to"]
    for reports in (Settings(lake=str(root)).reports, copy):
        assert days_of(reports) == [day]
        assert json.loads((reports / f"date={day}" / "report.json").read_bytes())["period"]["to"] == day


def test_planted_troubles_stand_on_the_first_screen(spark: Any, troubled: Path) -> None:
    report = _report(spark, troubled)
    found = {finding["what"]: finding["values"] for finding in report["findings"]}
    assert found["shift_up"]["line"] == "line-1"
    began = datetime.fromisoformat(found["shift_up"]["since"])
    assert abs(began - datetime(2026, 3, 10, tzinfo=UTC)) < timedelta(hours=13)
    assert found["shift_up"]["share"] > 2 * found["shift_up"]["mean"]
    assert (found["lot"]["lot"], found["lot"]["since"][:10]) == ("lot-7", "2026-03-02")
    assert (found["drift"]["measure"], found["drift"]["since"]) == ("brightness", "2026-03-10")
    frozen = json.loads((troubled.parent / "reports" / "baseline.json").read_bytes())
    assert frozen == {"from": "2026-03-02", "to": "2026-03-08"}
    folder = troubled.parent / "reports" / "date=2026-03-12"
    assert json.loads((folder / "report.json").read_bytes()) == json.loads(json.dumps(report))
    page = (folder / "index.html").read_text()
    assert "lot-7" in page.split("</section>")[0]
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_loss_and_doubling_are_named(spark: Any, troubled: Path, tmp_path: Path) -> None:
    root = tmp_path / "predictions"
    shutil.copytree(troubled, root)
    files = sorted(root.glob("date=2026-03-04/*.parquet"))
    lost = pq.ParquetFile(files[0])
    table = lost.read()
    pq.write_table(table.slice(10).replace_schema_metadata(lost.schema_arrow.metadata), files[0])
    before = _report(spark, troubled)["quality"]["total"]["inspections"]
    report = _report(spark, root)
    first = int(table["number"][0].as_py())
    assert report["reconciliation"]["missing"] == 10
    assert not report["reconciliation"]["whole"]
    assert report["reconciliation"]["troubled"][0]["missing"] == [[first, first + 9]]
    day = next(day for day in report["reconciliation"]["by_day"] if day["missing"])
    assert (day["date"], day["missing"]) == ("2026-03-04", 10)
    assert ("red", "missing") in _says(report)

    pq.write_table(table.replace_schema_metadata(lost.schema_arrow.metadata), files[0])
    copy = files[0].with_name(f"prediction_results+0+{10**9:020}.parquet")
    shutil.copy(files[0], copy)
    report = _report(spark, root)
    assert report["reconciliation"]["doubled"] == table.num_rows
    assert report["reconciliation"]["troubled"][0]["doubled_numbers"] == [[first, first + table.num_rows - 1]]
    doubled = next(finding for finding in report["findings"] if finding["what"] == "doubled")
    assert f"j-writer {first}-{first + table.num_rows - 1}" in doubled["values"]["where"]
    assert report["quality"]["total"]["inspections"] == before  # doubled rows count once
    assert ("red", "doubled") in _says(report)
    assert ("red", "broken_start") in _says(report)


def test_unchanged_days_are_not_read_again_and_late_events_are_picked_up(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "predictions"
    generate(Plant(events=1_000, days=3), root)
    first = _report(spark, root)
    read: list[int] = []
    events = tables.events

    def counting(spark: Any, root: str, files: Any, dedupe: bool = False) -> Any:
        read.append(len(files))
        return events(spark, root, files, dedupe)

    monkeypatch.setattr(tables, "events", counting)
    assert _report(spark, root) == first
    assert read == []
    offsets = max(int(path.stem.rpartition("+")[2]) for path in root.glob("date=*/*.parquet")) + 1
    late = Partition(root, offset=offsets)
    row = {"kind": "inspection", "event_id": "late", "journal": "j-late", "number": 1, "verdict": "defect"}
    late.write(to_table([{**row, "occurred_at": datetime(2026, 3, 2, 5, tzinfo=UTC)}]), "2026-03-05")
    second = _report(spark, root)
    assert read == [1]
    assert second["quality"]["by_day"][0]["defect"] == first["quality"]["by_day"][0]["defect"] + 1


_EVENT = st.fixed_dictionaries(
    {
        "hour": st.integers(0, 71),
        "late": st.sampled_from([-1, 0, 0, 0, 1]),
        "part_id": st.none() | st.sampled_from(["a", "b", "c"]),
        "line": st.none() | st.sampled_from(["L1", "라인"]),
        "lot": st.none() | st.sampled_from(["x", "y"]),
        "verdict": st.sampled_from(["ok", "defect", "review", "rejected"]),
    }
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_EVENT, max_size=25), st.sampled_from(["UTC", "Asia/Seoul", "America/New_York", "Asia/Kathmandu"]))
def test_spark_equals_the_plain_twin(spark: Any, events: list[dict[str, Any]], zone: str) -> None:
    """Empty lakes, one event, all defects, clocks that are off, daylight saving (8 March 2026), missing part data."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "predictions"
        _write(root, events)
        rows = tables.events(spark, str(root), LocalStorage().lake_files(str(root)))
        firsts = tables.first_inspections(tables.parts(rows)).toArrow()
        counted = quality.counted(tables.cells(rows).toArrow(), firsts, ZoneInfo(zone))
        for name in ("day", "hour", "line", "lot"):
            told = {row[name]: row for row in quality.by(counted, name) if row["parts"]}
            expected = twin.by(twin.rows(root), name, ZoneInfo(zone))
            assert told.keys() == expected.keys()
            for key, row in expected.items():
                assert {verdict: told[key][verdict] for verdict in row} == row


def _write(root: Path, events: list[dict[str, Any]]) -> None:
    """One file a folder, in the order of the events; ``late`` puts an event into another day's folder."""
    partition, began = Partition(root), datetime(2026, 3, 7, 5, 30, tzinfo=UTC)
    days: dict[str, list[dict[str, Any]]] = {"2026-03-12": [statement("s", 1, began, {"j": (0, len(events))})]}
    for number, event in enumerate(events, 1):
        at = began + timedelta(hours=event["hour"])
        row = {name: event[name] for name in ("part_id", "line", "lot", "verdict")}
        row |= {"kind": "inspection", "event_id": f"e{number}", "journal": "j", "number": number, "occurred_at": at}
        days.setdefault((at.date() + timedelta(days=event["late"])).isoformat(), []).append(row)
    for day, rows in sorted(days.items()):
        partition.write(to_table(rows), day)


def test_a_newer_schema_odd_values_and_one_dark_camera_are_read(spark: Any, tmp_path: Path) -> None:
    """Unknown columns, a missing one, NaN and infinities; where only one camera drifts, it is named."""
    root = tmp_path / "predictions"
    generate(Plant(events=6_000, days=6, darker=20, since=4), root)
    for path in root.glob("date=*/*.parquet"):
        file = pq.ParquetFile(path)
        table, footer = file.read(), file.schema_arrow.metadata
        bright = table["brightness"].to_pylist()
        late = path.parent.name >= "date=2026-03-06"
        cameras = table["camera"].to_pylist()
        mended = [
            value + 20 if value and late and camera != "camera-2" else value
            for value, camera in zip(bright, cameras, strict=True)
        ]
        mended[0] = float("nan")
        table = table.set_column(table.column_names.index("brightness"), "brightness", pa.array(mended, pa.float64()))
        odd = pa.array([float("-inf"), *table["sharpness"].to_pylist()[1:]], pa.float64())
        table = table.set_column(table.column_names.index("sharpness"), "sharpness", odd).drop_columns(["operator"])
        table = table.append_column("furnace", pa.array(["A"] * table.num_rows))
        pq.write_table(table.replace_schema_metadata(footer), path)
    report = _report(spark, root, baseline=Period(date(2026, 3, 2), date(2026, 3, 5)))
    assert json.loads((tmp_path / "reports" / "baseline.json").read_bytes())["to"] == "2026-03-05"
    assert report["reconciliation"]["whole"]
    drift = [finding["values"] for finding in report["findings"] if finding["what"].startswith("drift")]
    assert [(found["measure"], found["camera"], found["since"]) for found in drift] == [
        ("brightness", "camera-2", "2026-03-06")
    ]


def test_a_period_speaks_of_its_own_days_only(spark: Any, tmp_path: Path) -> None:
    root = tmp_path / "predictions"
    generate(Plant(events=3_000, days=3), root)
    whole, day = _report(spark, root), date(2026, 3, 3)
    one = _report(spark, root, first=day, last=day)
    assert one["period"] == {"from": "2026-03-03", "to": "2026-03-03"}
    assert [row["day"] for row in one["quality"]["by_day"]] == ["2026-03-03"]
    assert one["quality"]["by_day"][0] == whole["quality"]["by_day"][1]
    assert one["truth"]["chosen"] == one["truth"]["audits"] < whole["truth"]["chosen"]
    types = [sum(row["parts"] for row in told["quality"]["defect_types"]) for told in (one, whole)]
    assert types[0] < types[1]
    assert one["reconciliation"] == whole["reconciliation"]  # always over the whole lake


def test_days_without_rows_odd_paths_and_odd_clocks_are_read(spark: Any, tmp_path: Path) -> None:
    """A day on which all was unreadable has a file without rows; Spark takes some names of folders for patterns; a
    clock may show any year; and a period may hold none but parts that were first seen before it."""
    root = tmp_path / "plant [1] {a,b}*" / "predictions"
    partition = Partition(root)
    row = {"kind": "inspection", "journal": "j", "verdict": "ok", "part_id": "a", "p_defect": 0.5}
    years = (datetime(2026, 3, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC))
    rows = [{**row, "event_id": str(n), "number": n, "occurred_at": at} for n, at in enumerate(years, 1)]
    partition.write(to_table(rows), "2026-03-02")
    partition.write(to_table([]), "2026-03-03", dead=(3,))
    for zone in ("Asia/Seoul", "America/New_York"):
        account = _report(spark, root, zone, last=date(2026, 3, 3))["reconciliation"]
        assert (account["whole"], account["stored"], account["dead"], account["misdated"]) == (True, 3, 1, 2)
    days = [path.name for path in (root.parent / "reports" / "_days" / RECIPE).iterdir()]
    assert {day[:10] for day in days} == {"2026-03-02", "2026-03-03", "_tmp"}


@pytest.mark.parametrize("first", [(1995, 10, 1), (2026, 3, 1), (2037, 10, 1), (2299, 12, 31)])
def test_the_first_inspection_is_the_first_in_any_decade(
    spark: Any, tmp_path: Path, first: tuple[int, int, int]
) -> None:
    began = datetime(*first, tzinfo=UTC)
    row = {"kind": "inspection", "journal": "j", "part_id": "a"}
    rows = [
        {**row, "event_id": "2", "number": 1, "occurred_at": began + timedelta(days=150), "verdict": "ok"},
        {**row, "event_id": "1", "number": 2, "occurred_at": began, "verdict": "defect"},
    ]
    Partition(tmp_path).write(to_table(rows), "2026-03-02")
    seen = tables.events(spark, str(tmp_path), LocalStorage().lake_files(str(tmp_path)))
    firsts = tables.first_inspections(tables.parts(seen)).toArrow()
    told = quality.totals(quality.counted(tables.cells(seen).toArrow(), firsts, ZoneInfo("UTC")))
    assert (told["parts"], told["defect"]) == (1, 1)


def test_a_file_that_goes_while_it_is_read_is_no_error_and_one_that_never_can_be_read_is_told(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention deletes what was listed; a copy is made again. A file whose footer alone is whole stays unreadable."""
    root = tmp_path / "predictions"
    partition = Partition(root)
    row = {"kind": "inspection", "journal": "j", "verdict": "ok", "occurred_at": datetime(2026, 3, 2, tzinfo=UTC)}
    paths = [partition.write(to_table([{**row, "event_id": f"e{n}", "number": n}]), "2026-03-02") for n in (1, 2)]
    read = counting.read_links

    def retention(storage: Any, files: Any) -> Any:
        links = read(storage, files)
        paths[0].unlink(missing_ok=True)
        return links

    monkeypatch.setattr(counting, "read_links", retention)
    assert _report(spark, root)["reconciliation"]["retired"] == 1
    monkeypatch.undo()
    whole = paths[1].read_bytes()
    paths[1].write_bytes(b"PAR1" + bytes(400) + whole[404:])
    shutil.rmtree(tmp_path / "reports")
    with pytest.raises(LakeUnreadable, match="Spark could not read it"):
        _report(spark, root)


def test_what_a_killed_report_left_is_swept_and_what_another_reads_is_not(spark: Any, tmp_path: Path) -> None:
    root = tmp_path / "predictions"
    generate(Plant(events=300, days=1), root)
    kept = tmp_path / "reports" / "_days"
    ago = time.time() - 2 * 86400
    for name in ("1/2026-03-02.old", f"{RECIPE}/_tmp/killed", f"{RECIPE}/2026-03-02.old"):
        (kept / name).mkdir(parents=True)
        os.utime(kept / name, (ago, ago))
    os.utime(kept / "1", (ago, ago))
    (kept / RECIPE / "2026-03-02.fresh").mkdir()
    _report(spark, root)
    left = {path.name for path in (kept / RECIPE).iterdir()} - {"_tmp"}
    assert len(left) == 2
    assert "2026-03-02.fresh" in left
    assert not (kept / "1").exists()
    assert not any((kept / RECIPE / "_tmp").iterdir())


def test_no_lake_is_a_clear_word(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(LakeUnreadable, match="there is no such folder"):
        _report(spark, tmp_path / "nowhere")


def test_the_consumers_own_files_are_read_the_same(spark: Any, tmp_path: Path) -> None:
    """The generator's format is an imitation; this is the real writer's."""
    from inspection.events import Event, timestamp, to_json
    from streaming.consumer import PartitionConsumer
    from streaming.folder import LocalFolder
    from streaming.record import Record, Stream

    root = tmp_path / "predictions"
    consumer = PartitionConsumer(Stream("c:t", "prediction_results", 0), LocalFolder(root), lambda letters: None)
    at = datetime(2026, 3, 7, 12, tzinfo=UTC)
    base = Event(kind="inspection", event_id="e", occurred_at=timestamp(at), journal="j", number=1, verdict="ok")
    for offset, number in enumerate([1, 2, 4, 2, 5]):  # 3 is lost, 2 comes twice
        value = to_json(replace(base, event_id=f"e{number}", number=number))
        consumer.add(Record(offset, at, "j", number, value))
    consumer.add(Record(5, at, None, None, b"not an event"))
    said = replace(
        base, kind="statement", event_id="s", journal="s", number=1, journals={"j": {"partition": 0, "issued": 6}}
    )
    consumer.add(Record(6, at, "s", 1, to_json(said)))
    consumer.flush()
    account = _report(spark, root)["reconciliation"]
    assert (account["issued"], account["stored"], account["missing"], account["doubled"]) == (7, 5, 2, 0)
    assert account["dead"] == 1
    assert account["troubled"][0]["missing"] == [[3, 3], [6, 6]]
