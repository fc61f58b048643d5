"""Copies of closed days: whole or not there, preferred only while they fit; the lake itself is never touched."""

import hashlib
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reports import tables
from reports.compact import compact, preferred
from reports.lake import LakeFile
from reports.report import Wanted, make
from reports.storage import LocalStorage
from tests.reports.lakes import Plant, generate

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def test_a_report_from_copies_is_the_report_from_the_lake(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "predictions"
    generate(Plant(events=600, days=2, files=3), root)
    before = _hashes(root)
    wanted = Wanted(str(root), ZoneInfo("UTC"))
    plain = make(spark, wanted, NOW)
    done = compact(spark, str(root), date(2026, 3, 20))
    assert [copy.files for copy in done] == [4, 4]
    assert sum(copy.rows for copy in done) == plain["reconciliation"]["stored"]
    assert compact(spark, str(root), date(2026, 3, 20)) == []  # nothing to do again
    assert _hashes(root) == before

    shutil.rmtree(tmp_path / "reports" / "_days")
    monkeypatch.setattr(tables, "events", _refuse)
    assert make(spark, wanted, NOW) == plain

    files = [file for file in LocalStorage().lake_files(str(root)) if file.date == date(2026, 3, 2)]
    copy = next((tmp_path / "predictions_daily" / "date=2026-03-02").glob("*.parquet"))
    assert preferred(LocalStorage(), str(root), "2026-03-02", files) is not None
    copy.unlink()  # a copy that lost a file is no copy
    assert preferred(LocalStorage(), str(root), "2026-03-02", files) is None
    monkeypatch.undo()
    assert [again.day for again in compact(spark, str(root), date(2026, 3, 20))] == ["2026-03-02"]

    late = sorted(root.glob("date=2026-03-03/*.parquet"))[-1]
    shutil.copy(late, late.with_name(f"prediction_results+1+{0:020}.parquet"))
    files = [file for file in LocalStorage().lake_files(str(root)) if file.date == date(2026, 3, 3)]
    assert preferred(LocalStorage(), str(root), "2026-03-03", files) is None


def _refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("the lake was read although whole copies are there")


def _hashes(root: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.parquet")}


def test_other_names_are_no_files_of_the_lake() -> None:
    for path in ("/l/date=2026-03-02/x.parquet", "/l/_tmp/t+0+00000000000000000000.parquet", "/l/date=x/t+0+1.parquet"):
        assert LakeFile.parse(path, 1) is None
