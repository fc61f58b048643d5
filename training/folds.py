"""Results of several runs (folds, seeds), each a small JSON file; together they are a figure of the card."""

import json
from pathlib import Path
from typing import Any

from training.figures import Confusion
from training.train import Order


def keep(path: Path, order: Order, figures: dict[str, Any]) -> None:
    """Write one run's figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"fold": order.fold, "folds": order.folds, "seed": order.seed, "epochs": order.epochs, "figures": figures}
    path.write_text(json.dumps(told, indent=1) + "\n")


def together(folder: Path) -> dict[str, Any]:
    """All folds of a folder as one figure: each picture was judged once, by a net that never saw its part."""
    runs = sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda one: int(one["fold"]))
    total = Confusion(0, 0, 0, 0)
    for run in runs:
        one = run["figures"]
        total = Confusion(
            total.found + one["found"],
            total.missed + one["missed"],
            total.false_alarms + one["false_alarms"],
            total.passed + one["passed"],
        )
    pictures = total.found + total.missed + total.false_alarms + total.passed
    return {"pictures": pictures, **total.told(), "runs": [_line(run) for run in runs]}


def _line(run: dict[str, Any]) -> dict[str, Any]:
    figures = run["figures"]
    told = {name: figures[name] for name in ("pictures", "missed", "false_alarms", "wrong")}
    return {"fold": run["fold"], "seed": run["seed"], "epochs": run["epochs"], **told}
