"""Which model is in use: a new champion must not be worse than the old one on the same pictures. Keeps a log of why.

Services watch ``aliases.json`` and switch between two batches; it is replaced in one step, never half written.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.bundle import ALIASES, read_card
from inspection.errors import Conflict, NotFound
from inspection.events import now

LOG = "promotions.jsonl"
SIGNIFICANT = 0.05
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Paired:
    """Errors of one kind on the same pictures: only the challenger's, only the champion's, and the one-sided p of
    the challenger being worse by chance alone (exact McNemar test)."""

    challenger_only: int
    champion_only: int
    p: float

    @classmethod
    def of(cls, challenger: Booleans, champion: Booleans) -> "Paired":
        """From which pictures each got wrong."""
        from scipy.stats import binomtest  # listing and rolling back need none of it

        worse, better = int((challenger & ~champion).sum()), int((~challenger & champion).sum())
        p = binomtest(worse, worse + better, 0.5, "greater").pvalue if worse + better else 1.0
        return cls(worse, better, float(p))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison says; ``refused`` is the reason why the challenger must not be promoted, if there is one."""

    misses: Paired
    false_alarms: Paired
    refused: str | None


def compare(defect: Booleans, challenger: Booleans, champion: Booleans) -> Comparison:
    """Misses first: a single one more is refused; false alarms when they are significantly more.

    ``defect``: what each picture is; the others: whether each model says defect. All bool [N].
    """
    misses = Paired.of(defect & ~challenger, defect & ~champion)
    alarms = Paired.of(~defect & challenger, ~defect & champion)
    refused = None
    if misses.challenger_only > misses.champion_only:
        refused = f"it misses {misses.challenger_only} that the champion finds, the champion {misses.champion_only}"
    elif misses.challenger_only == misses.champion_only and alarms.p < SIGNIFICANT:
        refused = f"it raises {alarms.challenger_only} false alarms more, {alarms.champion_only} less"
    return Comparison(misses, alarms, refused)


def promote(models: Path, version: str, comparison: Comparison | None, force: bool) -> None:
    """Make ``version`` the champion and note why; ``comparison`` is None where there was no champion to compare with.

    Raises:
        NotFound: ``no_model``.
        Conflict: ``worse_model``, refused and not forced; noted too.
    """
    if not (models / version / "card.json").exists():
        raise NotFound("no_model", f"There is no {models / version}.")
    read_card(models / version)
    aliases = read_aliases(models)
    refused = comparison.refused if comparison else None
    note: dict[str, Any] = {"at": now(), "from": aliases.get("champion"), "to": version, "forced": force}
    note["comparison"] = asdict(comparison) if comparison else None
    if refused and not force:
        _log(models, {**note, "action": "refused"})
        raise Conflict("worse_model", f"{version} is not promoted: {refused}. --force promotes it nevertheless.")
    _log(models, {**note, "action": "promoted"})
    earlier = [*aliases.get("earlier", []), aliases["champion"]] if "champion" in aliases else []
    _write(models, {**aliases, "champion": version, "earlier": earlier})


def rollback(models: Path) -> str:
    """Make the champion before the present one champion again; returns its version.

    Raises:
        NotFound: ``no_model``, there was none before.
    """
    aliases = read_aliases(models)
    if not aliases.get("earlier"):
        raise NotFound("no_model", "No model was champion before the present one.")
    *earlier, version = aliases["earlier"]
    read_card(models / version)
    _log(models, {"at": now(), "action": "rolled_back", "from": aliases["champion"], "to": version})
    _write(models, {**aliases, "champion": version, "earlier": earlier})
    return str(version)


def read_aliases(models: Path) -> dict[str, Any]:
    """``aliases.json``; empty where there is none yet."""
    path = models / ALIASES
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _write(models: Path, aliases: dict[str, Any]) -> None:
    partial = models / f"{ALIASES}.{os.getpid()}"
    partial.write_text(json.dumps(aliases, indent=1) + "\n")
    partial.replace(models / ALIASES)


def _log(models: Path, note: dict[str, Any]) -> None:
    with (models / LOG).open("a") as file:
        file.write(json.dumps(note) + "\n")
