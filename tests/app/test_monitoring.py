"""Dashboard and alerts ask only for what the service exports."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import generate_latest

from app import metrics
from inspection.outbox import Backlog
from streaming.watch import Watch

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"


def _exported(text: str) -> set[str]:
    names = {name for name in re.findall(r"(?m)^# TYPE (casting_\w+) ", text) if not name.endswith("_created")}
    return names | {f"{name}_bucket" for name in re.findall(r"(?m)^# TYPE (casting_\w+) histogram", text)}


def _service() -> set[str]:
    return _exported(metrics._text(Backlog(0, None)).decode())


def _consumer() -> set[str]:
    return _exported(generate_latest(Watch().registry).decode())


def _family(name: str) -> str:
    return re.sub(r"_(bucket|total)$", "", name)


def _asked(expressions: list[str]) -> set[str]:
    return {name for expression in expressions for name in re.findall(r"\bcasting_\w+", expression)}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text())
    asked = _asked([target["expr"] for panel in board["panels"] for target in panel["targets"]])
    assert asked <= _service()
    assert {_family(name) for name in asked} == {_family(name) for name in _service()}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_operations_say_what_to_do_at_each_alert_and_at_no_other() -> None:
    text = (FOLDER.parents[1] / "docs" / "operations.md").read_text()
    told = re.findall(r"(?m)^\| `([A-Z]\w+)` \|", text)
    assert told == [rule["alert"] for rule in _rules()]


def test_alerts_ask_for_what_is_exported() -> None:
    rules = _rules()
    assert _asked([rule["expr"] for rule in rules]) <= _service() | _consumer()
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
