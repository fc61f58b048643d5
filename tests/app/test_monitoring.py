"""Dashboard and alerts ask only for what the service exports."""

import json
import re
from pathlib import Path

import yaml

from app import metrics
from inspection.outbox import Backlog

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"


def _exported() -> set[str]:
    text = metrics._text(Backlog(0, None)).decode()
    names = {name for name in re.findall(r"(?m)^# TYPE (casting_\w+) ", text) if not name.endswith("_created")}
    return names | {f"{name}_bucket" for name in re.findall(r"(?m)^# TYPE (casting_\w+) histogram", text)}


def _family(name: str) -> str:
    return re.sub(r"_(bucket|total)$", "", name)


def _asked(expressions: list[str]) -> set[str]:
    return {name for expression in expressions for name in re.findall(r"\bcasting_\w+", expression)}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text())
    asked = _asked([target["expr"] for panel in board["panels"] for target in panel["targets"]])
    assert asked <= _exported()
    assert {_family(name) for name in asked} == {_family(name) for name in _exported()}


def test_alerts_ask_for_what_is_exported() -> None:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert _asked([rule["expr"] for rule in rules]) <= _exported()
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
