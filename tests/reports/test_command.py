"""What ``casting report`` refuses before it starts Spark."""

import pytest
import typer
from typer.testing import CliRunner

from cli import build
from reports.cli import _seconds


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1.5m", 90), ("1h", 3600), ("2d", 172_800)])
def test_every_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "nanh", "infd", "5", "5w"])
def test_every_without_sense_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        _seconds(text)


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "2026-03-03", "--to", "2026-03-02"),
        ("--from", "3 March"),
        ("--language", "de"),
        ("--timezone", "Mars/Olympus"),
        ("--timezone", "Asia"),
        ("--baseline", "2026-03-01"),
        ("--baseline", "2026-03-07..2026-03-01"),
    ],
)
def test_wrong_usage_is_said_at_once(options: tuple[str, ...]) -> None:
    assert CliRunner().invoke(build(), ["report", *options]).exit_code == 2
