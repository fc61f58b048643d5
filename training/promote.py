"""Which model is in use: a new champion must not be worse than the old one on the same pictures. Keeps a log of why.

Services watch ``aliases.json`` and switch between two batches; it is replaced in one step, never half written. Which
pictures are compared is ``choosing``'s matter.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inspection.bundle import ALIASES, CARD
from inspection.errors import Conflict, NotFound
from inspection.events import now

if TYPE_CHECKING:
    from training.evaluate import Answers

LOG = "promotions.jsonl"
SIGNIFICANT = 0.05
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Paired:
    """Faults of one kind on the same pictures: only the challenger's, only the champion's, and the one-sided p of
    the challenger having that many more by chance alone.

    The exact form of the test of McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages", 1947. It takes pictures for independent trials; those of one part, and a picture and
    its altered copy, are not, so that p comes out too small: what is refused only where p is small is refused too
    easily rather than too rarely.
    """

    challenger_only: int
    champion_only: int
    p: float

    @classmethod
    def of(cls, challenger: Booleans, champion: Booleans) -> "Paired":
        """From which pictures each has the fault on."""
        from scipy.stats import binomtest  # listing and rolling back need none of it

        worse, better = int((challenger & ~champion).sum()), int((~challenger & champion).sum())
        p = binomtest(worse, worse + better, 0.5, "greater").pvalue if worse + better else 1.0
        return cls(worse, better, float(p))

    @property
    def more(self) -> int:
        """How many more the challenger has; negative where it has fewer."""
        return self.challenger_only - self.champion_only

    def line(self) -> str:
        """For people."""
        return f"only the challenger {self.challenger_only}, only the champion {self.champion_only} (p {self.p:.2g})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison says; ``refused`` is the reason why the challenger must not be promoted, if there is one.

    Of the two-way answer misses and false alarms; of the verdict ``escapes``, defects passed as ok, and ``undecided``,
    what a person has to look at because it is for review or rejected. ``pictures`` counts altered copies too.
    """

    pictures: int
    misses: Paired
    false_alarms: Paired
    escapes: Paired
    undecided: Paired
    refused: str | None


def compare(defect: Booleans, challenger: "Answers", champion: "Answers", miss_cost: float) -> Comparison:
    """The rule of the gate: asked of the two-way answer, then of the three-way verdict. Each time

    - defects first: a single one more that is missed (passed as ok), in balance, is refused;
    - then the work: more false alarms (undecided pictures) are refused where they are more than chance explains
      (p below 5 %) and also more than ``miss_cost`` for each defect that is saved.

    ``defect``: what each picture is, bool [N]; ``miss_cost``: what a miss costs the plant, in false alarms.
    """
    misses = Paired.of(defect & ~challenger.says_defect(), defect & ~champion.says_defect())
    alarms = Paired.of(~defect & challenger.says_defect(), ~defect & champion.says_defect())
    escapes = Paired.of(defect & challenger.verdicts("ok"), defect & champion.verdicts("ok"))
    undecided = Paired.of(*(one.verdicts("review") | one.verdicts("rejected") for one in (challenger, champion)))
    refused = _worse(("misses", misses), ("false alarms", alarms), miss_cost)
    refused = refused or _worse(("defects passed as ok", escapes), ("undecided pictures", undecided), miss_cost)
    return Comparison(len(defect), misses, alarms, escapes, undecided, refused)


def _worse(defects: tuple[str, Paired], work: tuple[str, Paired], miss_cost: float) -> str | None:
    """Why the challenger is worse in this answer; each kind of fault with its name."""
    (name, passed), (other, looked) = defects, work
    if passed.more > 0:
        return f"{name}: {passed.line()}"
    if looked.p < SIGNIFICANT and looked.more > miss_cost * -passed.more:
        return f"{other}: {looked.line()}, worth at most {miss_cost:g} for each of {-passed.more} {name} less"
    return None


def promote(models: Path, version: str, comparison: Comparison | None, force: bool) -> None:
    """Make ``version`` the champion and note why; ``comparison`` is None where there was no champion to compare with.

    Nothing happens where it is the champion already.

    Raises:
        NotFound: ``no_model``.
        Unavailable: ``model_unavailable``, services could not load it.
        Conflict: ``worse_model``, refused and not forced; noted too.
    """
    version = named(models, version)
    _loaded(models / version)
    aliases = read_aliases(models)
    if aliases.get("champion") == version:
        return
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
        Unavailable: ``model_unavailable``, services could not load it.
    """
    aliases = read_aliases(models)
    if not aliases.get("earlier"):
        raise NotFound("no_model", "No model was champion before the present one.")
    *earlier, version = aliases["earlier"]
    _loaded(models / version)
    _log(models, {"at": now(), "action": "rolled_back", "from": aliases["champion"], "to": version})
    _write(models, {**aliases, "champion": version, "earlier": earlier})
    return str(version)


def named(models: Path, version: str) -> str:
    """``version`` as the name of its folder, without a slash that was typed with it.

    Raises:
        NotFound: ``no_model``, no folder of ``models`` with a card has that name.
    """
    path = Path(version)
    if str(path) != path.name or not (models / path / CARD).exists():
        raise NotFound("no_model", f"There is no {models / path}.")
    return path.name


def _loaded(bundle: Path) -> None:
    from inspection.classifier import Classifier  # listing needs no engine

    Classifier.load(bundle)


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
