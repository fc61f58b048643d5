"""Results of several runs (folds, seeds), each a small JSON file; together they are a figure of the card."""

import json
from pathlib import Path
from typing import Any

from inspection.errors import BadRequest
from training.figures import Confusion
from training.train import Order


def keep(path: Path, order: Order, figures: dict[str, Any]) -> None:
    """Write one run's figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"fold": order.fold, "folds": order.folds, "seed": order.seed, "epochs": order.epochs, "figures": figures}
    path.write_text(json.dumps(told, indent=1) + "\n")


def together(folder: Path) -> dict[str, Any]:
    """All folds of a folder as one figure: each picture was judged once, by a net that never saw its part.

    Raises:
        BadRequest: ``not_folds``, two results of one fold.
    """
    runs = _runs(folder)
    if len({run["fold"] for run in runs}) < len(runs):
        raise BadRequest("not_folds", f"{folder} holds a fold twice: its pictures would count twice.")
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


def seeds(folder: Path) -> list[dict[str, Any]]:
    """The results of a folder side by side: the same pictures judged by nets of different seeds, so never added up."""
    return [_line(run) for run in sorted(_runs(folder), key=lambda one: int(one["seed"]))]


def _runs(folder: Path) -> list[dict[str, Any]]:
    return sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda one: int(one["fold"]))


def _line(run: dict[str, Any]) -> dict[str, Any]:
    figures = run["figures"]
    told = {name: figures[name] for name in ("pictures", "missed", "false_alarms", "wrong", "parts")}
    return {"fold": run["fold"], "seed": run["seed"], "epochs": run["epochs"], **told}
