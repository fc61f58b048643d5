"""Every command reads the same settings in the same way: options, then the environment, then ``.env``."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands are started: an empty folder, and nothing in the environment."""
    for name in list(os.environ):
        if name.startswith("CASTING_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def casting(*arguments: str) -> Result:
    return CliRunner().invoke(cli.build(), arguments)


def dotenv(folder: Path, **values: str) -> None:
    (folder / ".env").write_text("".join(f"CASTING_{name.upper()}={value}\n" for name, value in values.items()))


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was wanted of the report, which isn't made."""
    wanted: list[Any] = []
    account = dict.fromkeys(("issued", "stored", "missing", "doubled", "outstanding", "dead"), 0)

    def make(_spark: Any, wants: Any, **_: Any) -> dict[str, Any]:
        wanted.append(wants)
        return {"reconciliation": {**account, "whole": True}, "findings": [], "period": {"to": "2026-03-01"}}

    monkeypatch.setattr("reports.session.start", lambda *_: None)
    monkeypatch.setattr("reports.report.make", make)
    return wanted


def test_report_reads_dotenv(folder: Path, reported: list[Any]) -> None:
    dotenv(folder, lake=f"{folder}/elsewhere", timezone="Asia/Seoul", models=f"{folder}/shelf")
    (folder / "shelf" / "one").mkdir(parents=True)
    (folder / "shelf" / "aliases.json").write_text('{"champion": "one"}')
    (folder / "shelf" / "one" / "card.json").write_text('{"reference": {"of": "the shelf"}}')
    assert casting("report").exit_code == 0
    (wanted,) = reported
    assert (wanted.lake, str(wanted.zone)) == (f"{folder}/elsewhere", "Asia/Seoul")
    assert wanted.card == {"of": "the shelf"}


def test_report_s_options_come_first(folder: Path, reported: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv(folder, lake="dotenv", timezone="Asia/Seoul")
    monkeypatch.setenv("CASTING_LAKE", "environment")
    assert casting("report").exit_code == 0
    assert casting("report", "--lake", "option", "--timezone", "Europe/Berlin").exit_code == 0
    assert [wanted.lake for wanted in reported] == ["environment", "option"]
    assert [str(wanted.zone) for wanted in reported] == ["Asia/Seoul", "Europe/Berlin"]


def test_report_reads_the_lake_that_serve_writes(
    folder: Path, reported: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployments.settings import Settings

    monkeypatch.setenv("CASTING_DATA_DIR", str(folder / "data"))
    assert casting("report").exit_code == 0
    assert reported[0].lake == Settings().lake_root == f"{folder}/data/lake"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, "{here}/var/reports"),
        ({"data_dir": "/data"}, "/data/reports"),
        ({"lake": "/srv/lake", "data_dir": "/data"}, "/srv/reports"),
        ({"lake": "lakes/one"}, "{here}/lakes/reports"),
    ],
)
def test_the_page_looks_for_reports_where_they_are_made(
    folder: Path, given: dict[str, str], where: str, reported: list[Any]
) -> None:
    from deployments.settings import Settings

    dotenv(folder, **given)
    assert casting("report").exit_code == 0
    assert reported[0].place == str(Settings().reports) == where.format(here=folder)


def test_of_reports_in_hdfs_the_page_shows_the_copies_in_the_data_folder(folder: Path) -> None:
    from deployments.settings import Settings

    dotenv(folder, lake="hdfs://namenode:9000/predictions", kafka="kafka:9092", data_dir="/data")
    assert Settings().reports == Path("/data/reports")


def test_an_empty_variable_is_an_unset_one(folder: Path, reported: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAKE", "TIMEZONE", "MODELS", "KAFKA", "DATA_DIR"):
        monkeypatch.setenv(f"CASTING_{name}", "")
    assert casting("report").exit_code == 0
    assert (reported[0].lake, str(reported[0].zone)) == (f"{folder}/var/lake", "UTC")
    assert "CASTING_KAFKA is not set" in casting("consume").stderr


@pytest.mark.parametrize(("options", "lake"), [((), "dotenv"), (("--lake", "option"), "option")])
def test_compact_reads_dotenv(
    folder: Path, options: tuple[str, ...], lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compacted = []
    dotenv(folder, lake="dotenv")
    monkeypatch.setattr("reports.session.start", lambda *_: None)
    monkeypatch.setattr("reports.compact.compact", lambda _spark, lake, _day: compacted.append(lake) or ())
    assert casting("compact", *options).exit_code == 0
    assert compacted == [lake]


@pytest.mark.parametrize(("options", "lake"), [((), "dotenv"), (("--lake", "option"), "option")])
def test_verify_reads_dotenv(folder: Path, options: tuple[str, ...], lake: str) -> None:
    dotenv(folder, lake="dotenv")
    assert f"no file of a lake lies in {lake}:" in casting("verify", *options).stderr


@pytest.mark.parametrize(
    "command",
    [
        "score x --out y",
        "evaluate --data x",
        "models card",
        "models folds x",
        "models seeds x",
    ],
)
def test_what_needs_the_champion_looks_where_dotenv_says(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv(folder, models="shelf")
    monkeypatch.setattr("training.folds.together", lambda _: {})
    monkeypatch.setattr("training.folds.seeds", lambda _: [])
    assert "shelf/aliases.json" in str(casting(*command.split()).exception)


@pytest.mark.parametrize(
    ("options", "work"), [((), "kept/training"), (("--work", "here"), "here")], ids=["dotenv", "option"]
)
def test_train_works_in_the_data_folder(
    folder: Path, options: tuple[str, ...], work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Any] = []

    def train(order: Any, _say: Any) -> dict[str, Any]:
        orders.append(order)
        raise KeyboardInterrupt

    dotenv(folder, data_dir="kept")
    monkeypatch.setattr("training.cli._ray", nullcontext)
    monkeypatch.setattr("training.train.train", train)
    casting("train", "--data", "x", "--out", "y", *options)
    assert [order.work for order in orders] == [Path(work)]


def test_archives_in_hdfs_are_reached_where_dotenv_says(folder: Path) -> None:
    from scoring.places import _webhdfs

    dotenv(folder, webhdfs="https://hdfs.example:9999")
    assert _webhdfs().url == "https://hdfs.example:9999/webhdfs/v1"


@pytest.mark.parametrize(("options", "key"), [((), "dotenv"), (("--key", "option"), "option")])
def test_predict_sends_the_key_of_dotenv(
    folder: Path, options: tuple[str, ...], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    class Client:
        def __init__(self, headers: dict[str, str], **_: Any) -> None:
            sent.append(headers)
            raise httpx.ConnectError("nobody there")

    dotenv(folder, key="dotenv")
    (folder / "a.png").write_bytes(b"")
    monkeypatch.setattr(httpx, "Client", Client)
    casting("predict", "a.png", *options)
    assert sent == [{"Authorization": f"Bearer {key}"}]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lake": "hdfs://namenode:9000/predictions"}, "CASTING_KAFKA"),
        ({"max_held_mib": "1"}, "CASTING_MAX_HELD_MIB is below CASTING_MAX_BODY_MIB"),
        ({"port": "http"}, "CASTING_PORT"),
    ],
    ids=lambda value: str(value),
)
def test_settings_that_can_t_hold_are_said_in_a_line(
    folder: Path,
    values: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dotenv(folder, **values)
    monkeypatch.setattr(sys, "argv", ["casting", "serve"])
    monkeypatch.setattr("deployments.supervisor.Supervisor.run", lambda _: 0)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    error = capsys.readouterr().err
    assert (ended.value.code, error.count("\n")) == (2, 1), error
    assert error.startswith("casting: ")
    assert said in error
