"""The model's truth in production, measured by people: escapes, false alarms, agreement, calibration.

Only parts chosen at random with a known probability are evidence of a rate; each weighs the inverse of it. A part's
truth is the majority of its auditors' last words, the newest where they are even. Takes the small tables as Arrow.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from inspection.judgement import DEF_FRONT, OK_FRONT
from reports.statistics import agreement
from reports.statistics.intervals import Share, domain_share, weighted_share, wilson

_BINS = np.linspace(0, 1, 11)
#: When, the event's id, and whether the part was called defective.
_Word = tuple[int, str, bool]


@dataclass(frozen=True, slots=True)
class Settled:
    """Audited parts of the random sample, side by side: ``called`` by the model's two-way answer."""

    called: Any
    passed: Any  # verdict ok: nobody would have looked
    scrapped: Any  # verdict defect
    truth: Any
    weight: Any
    score: Any
    model: Any
    line: Any

    def pick(self, keep: Any) -> "Settled":
        return Settled(*(getattr(self, name)[keep] for name in Settled.__slots__))

    def __len__(self) -> int:
        return len(self.truth)


def truths(audits: pa.Table) -> dict[str, bool]:
    """Inspection to whether the part is defective; who says ``unclear`` at last decides nothing."""
    return {part: _majority(list(cast.values())) for part, cast in _last_words(audits).items()}


def _last_words(audits: pa.Table, blind: bool = False) -> dict[str, dict[str, _Word]]:
    """Inspection to auditor to the last decision: a later one of the same person corrects the one before.

    An audit without a name is somebody's of its own. ``blind``: only what was decided without seeing the verdict.
    """
    words: dict[str, dict[str, _Word | None]] = defaultdict(dict)
    names = ("at", "event_id", "inspection_id", "auditor", "true_label", "blind")
    rows = zip(*(audits[name].to_pylist() for name in names), strict=True)
    for at, event, part, auditor, label, unseen in sorted(rows, key=lambda row: row[:2]):
        if not blind or (unseen and auditor):
            decided = label in (DEF_FRONT, OK_FRONT)
            words[part][auditor or event] = (at, event, label == DEF_FRONT) if decided else None
    decided_ones = {part: {who: word for who, word in cast.items() if word} for part, cast in words.items()}
    return {part: cast for part, cast in decided_ones.items() if cast}


def _majority(cast: Sequence[_Word]) -> bool:
    clear = _strict([bad for _, _, bad in cast])
    return max(cast)[2] if clear is None else clear


def settle(chosen: pa.Table, truth: Mapping[str, bool]) -> Settled:
    """The chosen parts that have a truth."""
    verdicts = [truth.get(event) for event in chosen["event_id"].to_pylist()]
    keep = np.array([verdict is not None for verdict in verdicts], dtype=bool)

    def column(name: str) -> Any:
        return np.array(chosen[name].to_pylist(), dtype=object)[keep]

    return Settled(
        column("prediction") == DEF_FRONT,
        column("verdict") == "ok",
        column("verdict") == "defect",
        np.array([bool(verdict) for verdict in verdicts if verdict is not None], dtype=bool),
        1.0 / column("audit_probability").astype(float),
        np.array([np.nan if value is None else value for value in column("p_defect")], dtype=float),
        column("model_version"),
        column("line"),
    )


def rates(settled: Settled) -> dict[str, Any]:
    """Escape and overkill rates over all and by model version."""
    versions = sorted({str(model) for model in settled.model})
    return {
        **_rates(settled),
        "by_model": [
            {"model_version": version, **_rates(settled.pick(settled.model.astype(str) == version))}
            for version in versions
        ],
    }


def _rates(s: Settled) -> dict[str, Any]:
    bad, good = s.truth, ~s.truth
    return {
        "audited": len(s),
        "audited_defective": int(bad.sum()),
        "miss": _told(domain_share(~s.called, bad, s.weight)),
        "false_alarm": _told(domain_share(s.called, good, s.weight)),
        "escape": _told(domain_share(s.passed, bad, s.weight)),
        "overkill": _told(domain_share(s.scrapped, good, s.weight)),
        "escaped_of_passed": _told(weighted_share(bad[s.passed], s.weight[s.passed])),
        "true_defect_rate": _told(weighted_share(bad, s.weight)),
    }


def _told(share: Share) -> dict[str, Any]:
    return asdict(share)


def calibration(settled: Settled) -> dict[str, Any]:
    """Of parts with such a score, the weighted share that was defective; and the weighted Brier score."""
    keep = ~np.isnan(settled.score)
    s = settled.pick(keep)
    bins = []
    for low, high in pairwise(_BINS):
        inside = (s.score >= low) & ((s.score < high) | (high == 1.0))
        if inside.any():
            weight = s.weight[inside]
            mean = float((s.score[inside] * weight).sum() / weight.sum())
            bins.append({"score": mean, **_told(weighted_share(s.truth[inside], weight))})
    brier = float((s.weight * (s.score - s.truth) ** 2).sum() / s.weight.sum()) if len(s) else float("nan")
    return {"bins": bins, "brier": brier}


def agreements(audits: pa.Table, chosen: pa.Table) -> dict[str, Any]:
    """Inspectors and the model on parts that several people judged blind.

    A person is held against the majority of the others, where there are two others at least: one's own vote must not
    be part of what one is judged by. The model (its name is None: a person may be called anything) is held against
    the majority of all people; ``undecided`` parts, on which they are even, are none of that.
    """
    votes = {part: {who: word[2] for who, word in cast.items()} for part, cast in _last_words(audits, True).items()}
    several = {part: cast for part, cast in votes.items() if len(cast) >= 2}
    called = dict(zip(chosen["event_id"].to_pylist(), chosen["prediction"].to_pylist(), strict=True))
    counts = np.array([[sum(v), len(v) - sum(v)] for v in (list(c.values()) for c in several.values())], dtype=float)
    people = sorted({auditor for cast in several.values() for auditor in cast})
    judges: dict[str | None, dict[str, bool]] = {
        name: {part: cast[name] for part, cast in several.items() if name in cast} for name in people
    }
    judges[None] = {part: called[part] == DEF_FRONT for part in several if part in called}
    return {
        "parts": len(several),
        "undecided": sum(_strict(list(cast.values())) is None for cast in several.values()),
        "fleiss": asdict(agreement.fleiss(counts.reshape(-1, 2))),
        "judges": [
            {"judge": name, **_appraised(answers, _reference(several, name))} for name, answers in judges.items()
        ],
        "pairs": sorted(
            (_pair(a, b, judges) for a, b in combinations(judges, 2) if judges[a].keys() & judges[b].keys()),
            key=lambda pair: -int(pair["n"]),
        ),
    }


def _reference(several: Mapping[str, Mapping[str, bool]], judge: str | None) -> dict[str, bool]:
    """What the others say of each part: the majority of two or more, where it is one."""
    others = {part: [bad for who, bad in cast.items() if who != judge] for part, cast in several.items()}
    said = {part: _strict(cast) for part, cast in others.items() if len(cast) >= 2}
    return {part: bad for part, bad in said.items() if bad is not None}


def _pair(a: str | None, b: str | None, judges: Mapping[str | None, Mapping[str, bool]]) -> dict[str, Any]:
    table = _table(judges[a], judges[b])
    agreed = asdict(wilson(int(np.trace(table)), int(table.sum())))
    return {"a": a, "b": b, **asdict(agreement.cohen(table)), "agreed": agreed}


def _strict(cast: Sequence[bool]) -> bool | None:
    """The majority; None when they are even."""
    return None if 2 * sum(cast) == len(cast) else 2 * sum(cast) > len(cast)


def _table(a: Mapping[str, bool], b: Mapping[str, bool]) -> Any:
    table = np.zeros((2, 2))
    for part in a.keys() & b.keys():
        table[int(a[part]), int(b[part])] += 1
    return table


def _appraised(answers: Mapping[str, bool], reference: Mapping[str, bool]) -> dict[str, Any]:
    parts = sorted(answers.keys() & reference.keys())
    called = np.array([answers[part] for part in parts], dtype=bool)
    truth = np.array([reference[part] for part in parts], dtype=bool)
    figures = agreement.appraise(called, truth)
    return {
        "n": figures.judged,
        "effectiveness": _share(figures.right, figures.judged),
        "miss_rate": _share(figures.missed, figures.defective),
        "false_alarm_rate": _share(figures.alarms, figures.sound),
        "kappa": asdict(agreement.cohen(_table(answers, reference))),
    }


def _share(hits: int, n: int) -> float:
    return hits / n if n else float("nan")


def defect_types(audits: pa.Table) -> list[dict[str, Any]]:
    """Pareto: how many parts have each type of defect, by their newest audit that names one; most first."""
    newest: dict[str, tuple[tuple[int, str], str]] = {}
    columns = (audits[name].to_pylist() for name in ("at", "event_id", "inspection_id", "true_label", "defect_type"))
    for at, event, part, label, kind in zip(*columns, strict=True):
        if label == DEF_FRONT and kind and (part not in newest or newest[part][0] < (at, event)):
            newest[part] = ((at, event), kind)
    counts: dict[str, int] = defaultdict(int)
    for _, kind in newest.values():
        counts[kind] += 1
    total, running, told = sum(counts.values()), 0, []
    for kind, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        running += n
        told.append({"defect_type": kind, "parts": n, "share": n / total, "cumulative": running / total})
    return told
