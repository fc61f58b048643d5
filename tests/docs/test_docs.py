"""Documents say what the code does: settings, links, and the README's commands, which are run."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drawing.castings import draw
from tests.chaos import table
from tests.docs import settings
from tests.serving import ROOT, LocalJudge, running

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_setting_is_described_and_the_table_is_the_codes() -> None:
    assert all(field.description for fields in settings.FIELDS.values() for field in fields.values())
    assert settings.PAGE.read_text() == settings.written()


def test_every_setting_is_declared_once() -> None:
    declared = [name for fields in settings.FIELDS.values() for name in fields]
    assert len(declared) == len(set(declared))
    assert set(declared) == {name for made in settings.CLASSES.values() for name in made.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_two_readmes_name_the_same_commands() -> None:
    english, korean = (_typed((ROOT / name).read_text()) for name in ("README.md", "README.ko.md"))
    assert english == korean


def _typed(text: str) -> set[str]:
    """What a reader is told to type, whatever is in quotes left out: names are translated."""
    commands = re.findall(r"`((?:[A-Z_]+=\S+ )?(?:curl|make|docker|docker-compose|kubectl|\S*casting) [^`]+)`", text)
    return {re.sub(r"""(["']).*?\1""", "…", command) for command in commands}


def _commands(text: str) -> list[str]:
    return re.findall(r"`((?:curl|\.venv/bin/casting|make) [^`]+)`", text)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("docs"), LocalJudge()) as made:
        yield made.address


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_curl_commands_answer(page: str, service: str, tmp_path: Path) -> None:
    for name in ("part", "a", "b"):
        (tmp_path / f"{name}.png").write_bytes(draw(3, "crack").png())
    text = (ROOT / page).read_text()
    first = re.search(r"^\$ (curl .*)$", text, re.MULTILINE)
    assert first is not None
    options = re.findall(r"`(-[FH] [^`]+)`", text)
    for command in (
        first[1],
        *(c for c in _commands(text) if c.startswith("curl")),
        *(f"{first[1]} {o}" for o in options),
    ):
        arguments = [part.replace("http://127.0.0.1:8000", service) for part in shlex.split(command)]
        done = subprocess.run([*arguments, "-sS", "--fail-with-body"], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if command == first[1]:
            shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)
            assert shown is not None
            assert list(json.loads(shown[1])) == list(json.loads(done.stdout))
        assert '"number":' in done.stdout


def test_the_casting_commands_exist() -> None:
    commands = [c for c in _commands((ROOT / "README.md").read_text()) if c.startswith(".venv/bin/casting")]
    assert commands
    for command in commands:
        subcommand = [part for part in shlex.split(command)[1:3] if re.fullmatch("[a-z]+", part)]
        casting = str(Path(sys.executable).with_name("casting"))
        done = subprocess.run([casting, *subcommand, "--help"], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, command
        for option in re.findall(r"--[a-z-]+", command):
            assert option in done.stdout, command


def test_the_client_prints_verdicts(service: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(draw(3, "ok").png())
    bad.write_bytes(b"rubbish")
    casting = str(Path(sys.executable).with_name("casting"))
    done = subprocess.run([casting, "predict", str(good), str(bad), "--url", service], capture_output=True, text=True)
    assert done.returncode == 3
    assert "_front" in done.stdout.splitlines()[0]
    assert "not_an_image" in done.stdout.splitlines()[1]


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_table_of_faults_is_the_last_long_runs(page: str) -> None:
    text = (ROOT / page).read_text()
    state = json.loads((ROOT / "docs" / "chaos.json").read_text())
    assert text == table.written(text, state)
    assert table.markdown(state) in text
