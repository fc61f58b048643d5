"""Results of several runs (folds, seeds), each a small JSON file; together they are a figure of the card."""

import json
from pathlib import Path
from typing import Any

from inspection.errors import BadRequest
from training.figures import Confusion, share
from training.train import Order

#: The shares of the three-way verdict that runs are added up by, and of which counts each is one.
_THREE_WAY = {
    "escapes": ("found", "missed"),
    "overkill": ("false_alarms", "passed"),
    "review": ("found", "missed", "false_alarms", "passed"),
}


def keep(path: Path, order: Order, figures: dict[str, Any]) -> None:
    """Write one run's figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"fold": order.fold, "folds": order.folds, "seed": order.seed, "epochs": order.epochs, "figures": figures}
    path.write_text(json.dumps(told, indent=1) + "\n")


def together(folder: Path) -> dict[str, Any]:
    """All folds of a folder as one figure: each picture was judged once, by a net that was not trained on its part.

    Best epoch, calibration and thresholds of each net were set on the pictures that it judges, though.

    Raises:
        BadRequest: ``not_folds``, not each fold of one number of folds once.
    """
    runs = _runs(folder)
    if [(run["fold"], run["folds"]) for run in runs] != [(fold, len(runs)) for fold in range(len(runs))] or not runs:
        held = ", ".join(f"{run['fold']} of {run['folds']}" for run in runs) or "none"
        raise BadRequest("not_folds", f"{folder} must hold each fold of one number of folds once; it holds {held}.")
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
    shares = {name: _added(runs, name) for name in _THREE_WAY}
    return {"pictures": pictures, **total.told(), **shares, "runs": [_line(run) for run in runs]}


def seeds(folder: Path) -> list[dict[str, Any]]:
    """The results of a folder side by side: the same pictures judged by nets of different seeds, so never added up."""
    return [_line(run) for run in sorted(_runs(folder), key=lambda one: int(one["seed"]))]


def _added(runs: list[dict[str, Any]], name: str) -> dict[str, float | None]:
    """A share of all runs together: their counts, found again from share and total, added up."""
    totals = [sum(run["figures"][one] for one in _THREE_WAY[name]) for run in runs]
    values = [run["figures"][name]["value"] or 0.0 for run in runs]
    return share(sum(round(value * of) for value, of in zip(values, totals, strict=True)), sum(totals))


def _runs(folder: Path) -> list[dict[str, Any]]:
    return sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda one: int(one["fold"]))


def _line(run: dict[str, Any]) -> dict[str, Any]:
    figures = run["figures"]
    kept = ("pictures", "missed", "false_alarms", "escapes", "review", "wrong", "parts")
    told = {name: figures[name] for name in kept}
    return {"fold": run["fold"], "seed": run["seed"], "epochs": run["epochs"], **told}
