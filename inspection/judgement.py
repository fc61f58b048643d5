"""From a score to what the line acts on: the decision rules, and nothing else."""

from dataclasses import dataclass

OK_FRONT = "ok_front"
DEF_FRONT = "def_front"
VERDICTS = ("ok", "review", "defect", "rejected")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds on p_defect, all from validation data: ``ok_below`` <= ``decide`` <= ``defect_from``."""

    decide: float
    ok_below: float
    defect_from: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """One picture's answer. ``p_defect`` is calibrated, 0 to 1; ``reasons`` say why it is ``rejected`` or in doubt."""

    prediction: str
    verdict: str
    reasons: tuple[str, ...]
    p_defect: float
    model_version: str
    thresholds: Thresholds


def judge(
    p_defect: float,
    unusable: tuple[str, ...],
    thresholds: Thresholds,
    model_version: str,
    doubts: tuple[str, ...] = (),
) -> Judgement:
    """Apply the rules: two-way ``prediction`` by ``decide``; ``verdict`` by the outer bounds, or ``rejected``.

    ``unusable`` are the reasons why the picture can't be judged, ``doubts`` those why it can't be called ``ok``.
    """
    prediction = DEF_FRONT if p_defect >= thresholds.decide else OK_FRONT
    reasons = unusable
    if unusable:
        verdict = "rejected"
    elif p_defect >= thresholds.defect_from:
        verdict = "defect"
    elif p_defect >= thresholds.ok_below:
        verdict, reasons = "review", (*doubts, "doubtful_score")
    else:
        verdict, reasons = ("review", doubts) if doubts else ("ok", ())
    return Judgement(prediction, verdict, reasons, p_defect, model_version, thresholds)
