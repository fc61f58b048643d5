"""`casting score` as users run it: rubbish planted, killed and resumed, the same answers as the classifier gives."""

import csv
import json
import os
import signal
import time
import zipfile

import httpx
import pyarrow.parquet as pq
import pytest

from deployments.publishing import publish
from deployments.settings import Settings
from drawing.castings import KINDS, draw
from inspection.bundle import champion, read_card
from inspection.record import Search
from ledger import Ledger
from tests.scoring.command import ROOT, rows, start
from tests.serving import LocalJudge, running

GOOD = 300
RUBBISH = {
    "x/ok_front/broken.png": b"rubbish", "x/empty.png": b"", "x/cut.png": draw(1).png()[:3000],
    "x/notes.txt": b"hello", "x/inner.zip": b"PK\x03\x04",
}  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "parts.zip"
    pngs = [draw(8000 + seed, KINDS[seed % 5]) for seed in range(20)]
    with zipfile.ZipFile(path, "w") as file:
        for number in range(GOOD):
            casting = pngs[number % 20]
            file.writestr(f"x/{casting.label}/{number:04d}.png", casting.png())
        for name, content in RUBBISH.items():
            file.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def scored(archive, tmp_path_factory):
    """A scoring that was killed as soon as its first part was there, and then run to its end."""
    out = tmp_path_factory.mktemp("scored")
    first = start([archive], out)
    until = time.monotonic() + 240
    while not list(out.glob("results/*.parquet")):
        assert first.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = {path.name: path.stat().st_mtime_ns for path in out.glob("results/*.parquet")}
    second = start([archive], out)
    assert second.wait(300) == 3
    return out, left


@pytest.mark.timeout(900)
def test_every_member_is_there_once_after_a_kill(scored):
    out, _ = scored
    paths = [row["path"] for row in rows(out)]
    assert len(paths) == len(set(paths)) == GOOD + len(RUBBISH)


def test_finished_parts_were_not_judged_again(scored):
    out, left = scored
    assert left
    assert all((out / "results" / name).stat().st_mtime_ns == when for name, when in left.items())


def test_bad_members_are_rows_with_an_error_and_good_ones_have_none(scored):
    out, _ = scored
    errors = {row["path"]: row["error"] for row in rows(out) if row["error"] is not None}
    assert errors == {
        "x/ok_front/broken.png": "not_an_image",
        "x/empty.png": "empty",
        "x/cut.png": "truncated",
        "x/notes.txt": "not_an_image",
        "x/inner.zip": "nested_archive",
    }
    assert all((row["prediction"] is None) == (row["error"] is not None) for row in rows(out))


def test_the_answers_are_those_of_the_service_field_by_field(archive, scored, tmp_path):
    out, _ = scored
    found = {row["path"]: row for row in rows(out)}
    names = [*list(found)[:30], *(name for name in RUBBISH if name != "x/inner.zip")]
    with zipfile.ZipFile(archive) as file, running(tmp_path, LocalJudge()) as service:
        files = [("file", (name, file.read(name))) for name in names]
        answers = httpx.post(f"{service.address}/predict", files=files, timeout=60).json()["results"]
    shared = ("prediction", "verdict", "p_defect", "reasons", "image_sha256", "image_width", "image_height",
              "brightness", "sharpness", "model_version")  # fmt: skip
    for name, answer in zip(names, answers, strict=True):
        row = found[name]
        assert row["error"] == answer.get("error", {}).get("code")
        if row["error"] is None:
            assert {field: row[field] for field in shared} == {field: answer[field] for field in shared}


def test_summary_csv_and_metadata_agree_with_the_rows(scored):
    out, _ = scored
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["members"], summary["failed"]) == (GOOD + len(RUBBISH), len(RUBBISH))
    assert sum(summary["verdicts"].values()) == sum(summary["confusion"].values()) == GOOD
    with (out / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == summary["members"]
    digest = read_card(champion(ROOT / "models")).digest.encode()
    assert {pq.read_schema(path).metadata[b"model_card_sha256"] for path in out.glob("results/*.parquet")} == {digest}
    assert list(out.rglob("*.parquet")) == list((out / "results").glob("*.parquet"))
    assert "<svg" in (out / "report.html").read_text()


def test_a_changed_source_is_noticed(archive, scored):
    out, _ = scored
    os.utime(archive)
    assert start([archive], out).wait(120) == 1


def test_published_rows_are_in_the_ledger_once(archive, scored, monkeypatch, tmp_path):
    out, _ = scored
    monkeypatch.setenv("CASTING_DATA_DIR", str(tmp_path))
    assert publish(out) == GOOD
    for mark in (out / ".work").glob("*.published"):
        mark.unlink()  # as if it had been killed between commit and mark
    publish(out)
    ledger = Ledger.open(Settings().ledger_url)
    stored = list(ledger.records.stream(Search(origin="archive")))
    ledger.close()
    assert len(stored) == GOOD
    assert {event.number for event in stored} <= set(range(1, GOOD + 1))
    with zipfile.ZipFile(archive) as file:
        assert {event.filename for event in stored} == set(file.namelist()) - set(RUBBISH)
