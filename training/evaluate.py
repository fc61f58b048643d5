"""``casting evaluate``: what a bundle says of labelled pictures, through the path that serves, and how often it errs.

Judges, counts, and writes the counts into the card; ``choosing`` says of which pictures, ``page`` draws them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.bundle import CARD
from inspection.classifier import Classifier
from inspection.judgement import DEF_FRONT, Judgement
from inspection.picture import Picture
from inspection.preprocessing import prepare
from training import alter, card
from training.choosing import Grey, Set
from training.figures import Confusion, by_parts, parts_told, rate, share
from training.groups import SAME, group, like, spectrum

BATCH = 32
WHOLE = 0.01  # share of the rim outside the picture below which a part counts as whole
_SHARES = ("recall", "precision", "accuracy", "escapes", "review", "rejected")
Change = Callable[[Grey, np.random.Generator], Grey]


@dataclass(frozen=True, slots=True)
class Answers:
    """A classifier's judgements of a set, in order."""

    judgements: tuple[Judgement, ...]

    @property
    def p_defect(self) -> npt.NDArray[np.float64]:
        return np.array([one.p_defect for one in self.judgements])

    def says_defect(self) -> npt.NDArray[np.bool_]:
        return np.array([one.prediction == DEF_FRONT for one in self.judgements])

    def verdicts(self, name: str) -> npt.NDArray[np.bool_]:
        """Where the verdict is ``name``."""
        return np.array([one.verdict == name for one in self.judgements])


@dataclass(frozen=True, slots=True)
class Step:
    """One alteration at one strength: its two-way errors and what became of the three-way verdict (shares);
    ``rejected_whole`` is the share of those rejected with less than a hundredth of the rim outside the picture,
    None where the change itself cuts, or does two things at once."""

    name: str
    strength: float | None
    confusion: Confusion
    ok_though_defect: float
    review: float
    rejected: float
    rejected_whole: float | None

    @property
    def miss_rate(self) -> float:
        return self.confusion.missed / max(1, self.confusion.missed + self.confusion.found)

    @property
    def false_alarm_rate(self) -> float:
        return self.confusion.false_alarms / max(1, self.confusion.false_alarms + self.confusion.passed)

    def line(self) -> str:
        """For people."""
        what = f"{self.name} {'' if self.strength is None else f'{self.strength:g}'}"
        return (
            f"{what:<20} misses {self.confusion.missed:4d} ({self.miss_rate:6.2%})  false alarms "
            f"{self.confusion.false_alarms:4d} ({self.false_alarm_rate:6.2%})  defects passed as ok "
            f"{self.ok_though_defect:6.2%}  review {self.review:6.2%}  rejected {self.rejected:6.2%}"
            + ("" if self.rejected_whole is None else f"  though whole {self.rejected_whole:6.2%}")
        )


def judge_all(classifier: Classifier, greys: Sequence[Grey], change: Change | None = None, threads: int = 2) -> Answers:
    """Judge decoded pictures, each changed first where a ``change`` is given (seeded by its place: repeatable)."""

    def one(numbered: tuple[int, Grey]) -> Any:
        number, grey = numbered
        seen = change(grey, np.random.default_rng(number)) if change else grey
        return prepare(Picture.of(seen))

    found: list[Judgement] = []
    with ThreadPoolExecutor(threads) as pool:
        numbered = enumerate(greys)
        while chunk := list(islice(numbered, BATCH)):
            samples = list(pool.map(one, chunk))
            pixels = np.stack([sample.pixels for sample in samples])
            found += classifier.judge(pixels, np.stack([sample.measures for sample in samples]))
    return Answers(tuple(found))


def figures(judged: Set, answers: Answers) -> dict[str, Any]:
    """Confusion with intervals, by pictures and by parts, and the shares of the verdicts."""
    with ThreadPoolExecutor(2) as pool:
        groups = group(np.stack(list(pool.map(spectrum, judged.greys))))
    return {
        "pictures": len(judged.members),
        "left_out": judged.left_out,
        "set_bounds": judged.set_bounds,
        **Confusion.of(judged.defect, answers.says_defect()).told(),
        "parts": by_parts(groups, judged.defect, answers.says_defect()),
        "escapes": share(int((judged.defect & answers.verdicts("ok")).sum()), int(judged.defect.sum())),
        "overkill": share(int((~judged.defect & answers.verdicts("defect")).sum()), int((~judged.defect).sum())),
        "review": share(int(answers.verdicts("review").sum()), len(judged.members)),
        "rejected": share(int(answers.verdicts("rejected").sum()), len(judged.members)),
    }


def table(judged: Set, told: dict[str, Any]) -> str:
    """The figures in a few lines, for people."""
    lines = [
        f"{judged.name}: {told['pictures']} pictures"
        + (f", {told['set_bounds']} of them set the thresholds" if told["set_bounds"] else "")
        + (f"; {told['left_out']} others left out because training has seen them" if told["left_out"] else ""),
        f"  defects found {told['found']}, missed {told['missed']}; sound passed {told['passed']}, "
        f"false alarms {told['false_alarms']}",
        *(f"  {name} {rate(told[name])}" for name in _SHARES),
        f"  {parts_told(told['parts'])}",
    ]
    if "twins" in told:
        twin = told["twins"]
        without = twin["without_byte_copies"]
        lines.append(
            f"  {twin['byte_copies_of_training']} are byte copies of training pictures (without them: "
            f"{without['missed']} missed, {without['false_alarms']} false alarms); "
            f"{twin['look_alikes_in_training']} show a part that training shows too"
        )
    return "\n".join(lines)


def twins(judged: Set, training: Set, answers: Answers) -> dict[str, Any]:
    """How much of a test was seen in training: byte copies, look-alikes, and the figures without byte copies."""
    seen = set(training.sha256)
    copies = np.array([one in seen for one in judged.sha256])
    with ThreadPoolExecutor(2) as pool:
        mine = np.stack(list(pool.map(spectrum, judged.greys)))
        theirs = np.stack(list(pool.map(spectrum, training.greys)))
    resembling = like(mine, theirs) >= SAME
    fresh = ~copies
    return {
        "byte_copies_of_training": int(copies.sum()),
        "look_alikes_in_training": int(resembling.sum()),
        "without_byte_copies": Confusion.of(judged.defect[fresh], answers.says_defect()[fresh]).told(),
    }


def altered(judged: Set, classifier: Classifier, every: int = 1) -> Iterator[Step]:
    """Judge the set again under each alteration and strength, then under random pairs; ``every`` thins the set out."""
    some = _thinned(judged, every)
    yield _step("none", None, some, judge_all(classifier, some.greys))
    for name, strength, change in alter.changes():
        yield _step(name, strength, some, judge_all(classifier, some.greys, change))


def record(bundle: Path, name: str, told: dict[str, Any], steps: Sequence[Step], more: dict[str, Any]) -> None:
    """Write the figures of a set, of its altered copies, and whatever ``more`` was asked, into the bundle's card."""
    parts: dict[str, Any] = {**more}
    before = json.loads((bundle / CARD).read_text())["figures"].get(name, {})
    # Of the validation pictures the figures are those that training wrote beside the thresholds.
    parts["figures"] = {name: {**before, "parts": told["parts"]} if name == "validation" else told}
    if steps:
        parts["altered"] = {"set": name, "steps": [_told(step) for step in steps]}
    card.amend(bundle, parts)


def _told(step: Step) -> dict[str, Any]:
    return {**asdict(step), "miss_rate": step.miss_rate, "false_alarm_rate": step.false_alarm_rate}


def _thinned(judged: Set, every: int) -> Set:
    some = slice(None, None, every)
    return Set(judged.name, judged.members[some], judged.greys[some], judged.sha256[some], judged.defect[some])


def _step(name: str, strength: float | None, judged: Set, answers: Answers) -> Step:
    defect, rejected = judged.defect, answers.verdicts("rejected")
    whole = sum(
        alter.rim_outside(name, strength or 0.0, judged.greys[row], np.random.default_rng(int(row))) < WHOLE
        for row in np.flatnonzero(rejected)
    )
    return Step(
        name,
        strength,
        Confusion.of(defect, answers.says_defect()),
        float((defect & answers.verdicts("ok")).sum() / max(1, defect.sum())),
        float(answers.verdicts("review").mean()),
        float(rejected.mean()),
        None if name == "pair" or name in alter.CUTTING else whole / max(1, len(defect)),
    )
