"""Questions beyond error rates: what a model refuses, where it looks, what the bench alone would give away."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from drawing.castings import KINDS, draw
from inspection.classifier import Classifier
from inspection.locating import Rings, locate, rim, sample
from inspection.picture import Picture
from inspection.preprocessing import prepare
from training import foreign
from training.choosing import Set
from training.evaluate import judge_all
from training.figures import share
from training.groups import group, spectrum

DRAWN_FROM = 2_000_000  # seeds that neither training nor the samples use
_BENCH = Rings.between(1.06, 1.2, 4, 64)  # in shares of the rim: beyond the part


def refusals(classifier: Classifier, good: Set, drawn: int = 280) -> dict[str, dict[str, float | None]]:
    """Shares refused: of drawn and shipped foreign pictures (should be all), of good ones (should be none)."""
    things = [foreign.drawn(seed)[1] for seed in range(drawn)]
    shipped = [grey for _, grey in foreign.shipped()]
    sets = {"drawn other things": things, "pictures shipped by packages": shipped, f"good ({good.name})": good.greys}
    return {name: _refused(classifier, greys) for name, greys in sets.items()}


def drawn_castings(classifier: Classifier, count: int = 100) -> dict[str, dict[str, float | None]]:
    """Of each kind of drawn casting the share judged rightly, two-way, and with the heat's peak on the defect."""
    told = {}
    for kind in KINDS:
        castings = [draw(DRAWN_FROM + seed, kind) for seed in range(count)]
        says = judge_all(classifier, [casting.pixels for casting in castings]).says_defect()
        told[f"drawn {kind}: judged rightly"] = share(int((says == (kind != "ok")).sum()), count)
        if kind != "ok":
            hits = sum(_peak_on_defect(classifier, casting) for casting in castings)
            told[f"drawn {kind}: heat's peak on the defect"] = share(hits, count)
    return told


def heat_on_part(classifier: Classifier, judged: Set, count: int = 100) -> float:
    """Of real defective pictures: mean share of the heat that lies within the rim."""
    shares = []
    for row in np.flatnonzero(judged.defect)[:count]:
        grey = judged.greys[row]
        heat = classifier.heatmap(prepare(Picture.of(grey)))
        outline = rim(grey, locate(grey).ellipse)
        mask = np.zeros(grey.shape, np.uint8)
        axes = (2.06 * outline.a, 2.06 * outline.b)
        cv2.ellipse(mask, ((outline.x, outline.y), axes, float(np.rad2deg(outline.turn))), 1, -1)
        inside = cv2.resize(mask, (heat.shape[1], heat.shape[0]), interpolation=cv2.INTER_NEAREST)
        shares.append(float((heat * inside).sum() / max(float(heat.sum()), 1e-9)))
    return float(np.mean(shares))


def bench_alone(judged: Set) -> float:
    """Accuracy that a plain classifier gets from the pixels beyond the rim alone, leak-free in five folds."""
    seen = np.stack([_bench(grey) for grey in judged.greys])
    groups = group(np.stack([spectrum(grey) for grey in judged.greys]))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    says = cross_val_predict(model, seen, judged.defect, groups=groups, cv=folds)
    return float((says == judged.defect).mean())


def _refused(classifier: Classifier, greys: Any) -> dict[str, float | None]:
    return share(int(judge_all(classifier, greys).verdicts("rejected").sum()), len(greys))


def _peak_on_defect(classifier: Classifier, casting: Any) -> bool:
    heat = classifier.heatmap(prepare(Picture(casting.pixels, 300, 300)))
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    factor = 300 / heat.shape[1]
    slack = 8.0  # the heat's own cell is about eight pixels wide
    return any(np.hypot(x * factor - one.x, y * factor - one.y) <= one.radius + slack for one in casting.places)


def _bench(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    around = sample(grey, rim(grey, locate(grey).ellipse), _BENCH).astype(np.float32)
    coarse = np.sort(around.reshape(4, 8, 8).mean(axis=2), axis=1)  # sorted: the turn must not matter
    return np.concatenate([coarse.ravel(), [around.std(), around.min(), around.max()]]).astype(np.float32)
