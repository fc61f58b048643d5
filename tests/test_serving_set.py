"""What `make run` installs is enough to serve, to verify and to manage; the rest says what it needs."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.serving import ROOT

_WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import deployments.inspection
from cli import main
main()
"""


def _absent() -> set[str]:
    """Top-level modules of this environment that the serving set has not."""
    locked = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / "requirements" / "serve.txt").read_text(), re.M)
    there = {canonicalize_name(name) for name in (*locked, "casting-inspector", "pip")}
    return {
        module
        for module, owners in packages_distributions().items()
        if there.isdisjoint(canonicalize_name(owner) for owner in owners)
    }


def _casting(*arguments: str, data: Path) -> "subprocess.CompletedProcess[str]":
    program = _WITHOUT.replace("ABSENT", repr(_absent()))
    environment = {"PATH": "/usr/bin:/bin", "CASTING_DATA_DIR": str(data), "HOME": str(data)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", [["keys", "list"], ["models", "list"]], ids=lambda c: c[0])
def test_the_serving_set_is_enough(command: list[str], tmp_path: Path) -> None:
    done = _casting(*command, data=tmp_path)
    assert done.returncode == 0, done.stderr


def test_no_lake_is_not_called_whole(tmp_path: Path) -> None:
    done = _casting("verify", data=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"casting verify: no file of a lake lies in {tmp_path}/lake: nothing can be said of it.\n"


@pytest.mark.parametrize(
    "command",
    [
        ["train", "--data", "x", "--out", "y"],
        ["report"],
        ["score", "x", "--out", "y"],
    ],
    ids=lambda c: c[0],
)
def test_what_needs_more_says_so(command: list[str], tmp_path: Path) -> None:
    done = _casting(*command, data=tmp_path)
    assert done.returncode == 1
    assert "`make setup` installs all." in done.stderr
    assert "Traceback" not in done.stderr
