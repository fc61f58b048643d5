"""A batch of pictures to judgements, in one forward pass; the one path for serving and for archives."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from inspection.classifier import Classifier
from inspection.judgement import Judgement
from inspection.preparing import Prepared
from inspection.preprocessing import MEASURES

E = TypeVar("E")
_BRIGHTNESS, _SHARPNESS = MEASURES.index("brightness"), MEASURES.index("sharpness")


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture's judgement, and what the record says of the picture. ``prepare_seconds`` as in Prepared."""

    sha256: str
    width: int
    height: int
    brightness: float
    sharpness: float
    prepare_seconds: float
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Batch(Generic[E]):
    """One result a picture, in order: judged, or whatever stood in place of what could not be prepared."""

    results: Sequence[Judged | E]
    inference_seconds: float


def judge_batch(classifier: Classifier, pictures: Sequence[Prepared | E]) -> Batch[E]:
    """One forward pass over all that are prepared."""
    started = time.perf_counter()
    good = [one for one in pictures if isinstance(one, Prepared)]
    judgements = iter(
        classifier.judge(np.stack([one.sample.pixels for one in good]), np.stack([one.sample.measures for one in good]))
        if good
        else ()
    )
    results = [_judged(one, next(judgements)) if isinstance(one, Prepared) else one for one in pictures]
    return Batch(results, time.perf_counter() - started)


def _judged(one: Prepared, judgement: Judgement) -> Judged:
    brightness, sharpness = float(one.sample.measures[_BRIGHTNESS]), float(one.sample.measures[_SHARPNESS])
    return Judged(one.sha256, one.width, one.height, brightness, sharpness, one.seconds, judgement)
