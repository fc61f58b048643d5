"""What scoring writes, without Ray."""

import csv
from pathlib import Path

from inspection.spreadsheet import cell
from scoring.judging import Row
from scoring.results import gathered, tables, write_part


def test_no_spreadsheet_runs_the_name_of_an_archives_member(tmp_path: Path) -> None:
    names = ['=HYPERLINK("http://x","a").png', "+1.png", "-1.png", "@a.png", "\ta.png", "a=b.png", "부품.png"]
    (tmp_path / "results").mkdir()
    (tmp_path / ".work").mkdir()
    rows = [Row(path=name, source="=1+1.zip", error="not_an_image") for name in names]
    write_part(tmp_path / "results" / "0.parquet", tmp_path / "partial", rows, "digest")
    gathered(tmp_path / "results", tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["path"] for row in written] == [*(f"'{name}" for name in names[:5]), *names[5:]]
    assert {row["source"] for row in written} == {"'=1+1.zip"}
    kept = [name for table in tables(tmp_path / "results") for name in table["path"].to_pylist()]
    assert kept == names  # Parquet is for programs


def test_what_is_no_formula_is_left_as_it_is() -> None:
    assert [cell(text) for text in ("", "a", "1-2", "=1")] == ["", "a", "1-2", "'=1"]
