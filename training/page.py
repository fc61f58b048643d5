"""The page of an evaluation: one HTML file with everything inside. Knows the figures; computes none."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inspection.judgement import Thresholds
from training import plots
from training.choosing import Set
from training.evaluate import Answers, Step
from training.figures import parts_told, rate

_WORST = 12
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}}
table{{border-collapse:collapse;margin:1rem 0}}
td,th{{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}}
td:first-child,th:first-child{{text-align:left}}figure{{display:inline-block;margin:.4rem}}
figcaption{{font-size:12px;max-width:10rem;overflow-wrap:anywhere}}.over{{color:#c2452d;font-weight:600}}
</style><h1>{title}</h1>"""


def write(
    path: Path,
    version: str,
    judged: Set,
    answers: Answers,
    told: dict[str, Any],
    bounds: Thresholds,
    steps: Sequence[Step],
) -> None:
    """Write the page. It shows thumbnails of the user's own pictures: it stays with the user."""
    p, defect = answers.p_defect, judged.defect
    parts = [
        _HEAD.format(title=html.escape(f"Model {version} on {judged.name}")),
        _confusion(told),
        _picture(plots.scores(p, defect, (bounds.ok_below, bounds.decide, bounds.defect_from)), "Scores"),
        _picture(plots.roc_corner(p, defect), "ROC near the corner"),
        _picture(plots.reliability(p, defect), "Reliability"),
        "<h2>Worst pictures</h2>",
        *_worst(judged, p),
        *(["<h2>Another camera</h2>", _steps_table(steps), *_steps_plots(steps)] if steps else []),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))


def _confusion(told: dict[str, Any]) -> str:
    rows = [
        ("Pictures", told["pictures"]),
        ("Of these set the thresholds", told["set_bounds"]),
        ("Others left out because training has seen them", told["left_out"]),
        ("Defects found / missed", f"{told['found']} / {told['missed']}"),
        ("Sound passed / false alarms", f"{told['passed']} / {told['false_alarms']}"),
        ("Parts", parts_told(told["parts"])),
        *((name.capitalize(), rate(told[name])) for name in ("recall", "precision", "accuracy", "review", "rejected")),
    ]
    return "<table>" + "".join(f"<tr><td>{name}<td>{value}" for name, value in rows) + "</table>"


def _steps_table(steps: Sequence[Step]) -> str:
    rows = "".join(
        f"<tr><td>{step.name} {'' if step.strength is None else step.strength:}"
        f"<td{_over(step.miss_rate, 0.005)}>{step.miss_rate:.2%}<td{_over(step.false_alarm_rate, 0.02)}>"
        f"{step.false_alarm_rate:.2%}<td>{step.ok_though_defect:.2%}<td>{step.review:.2%}<td>{step.rejected:.2%}"
        f"<td>{'' if step.rejected_whole is None else format(step.rejected_whole, '.2%')}"
        for step in steps
    )
    head = "<tr><th>change<th>misses<th>false alarms<th>defects passed as ok<th>review<th>rejected<th>though whole"
    return f"<table>{head}{rows}</table>"


def _steps_plots(steps: Sequence[Step]) -> Iterable[str]:
    for name in dict.fromkeys(step.name for step in steps if step.strength is not None):
        some = [step for step in steps if step.name == name]
        strengths = [step.strength for step in some if step.strength is not None]
        if len(some) > 1:
            rates = [step.miss_rate for step in some], [step.false_alarm_rate for step in some]
            yield _picture(plots.steps(name, strengths, *rates), "")


def _worst(judged: Set, p: npt.NDArray[np.float64]) -> Iterable[str]:
    wrongness = np.where(judged.defect, 1 - p, p)
    for row in np.argsort(-wrongness)[:_WORST]:
        thumbnail = cv2.resize(judged.greys[row], (150, 150), interpolation=cv2.INTER_AREA)
        caption = f"{judged.members[row].label} {p[row]:.4f} {judged.members[row].path.rsplit('/', 1)[-1]}"
        yield _picture(bytes(cv2.imencode(".jpg", thumbnail)[1]), caption, "jpeg")


def _over(value: float, limit: float) -> str:
    return ' class="over"' if value > limit else ""


def _picture(data: bytes, caption: str, kind: str = "png") -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    text = html.escape(caption)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'
