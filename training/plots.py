"""Plots of an evaluation as PNG bytes. Knows matplotlib and numbers; nothing of models or files."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
_OK, _DEFECT = "#2a7f9e", "#c2452d"


def scores(p_defect: Floats, defect: Booleans, bounds: Sequence[float]) -> bytes:
    """Histogram of the score by what the part is, with the ``bounds`` of the decision."""

    def draw(axes: Any) -> None:
        bins = np.linspace(0, 1, 51)
        axes.hist(p_defect[~defect], bins, color=_OK, alpha=0.7, label="sound")
        axes.hist(p_defect[defect], bins, color=_DEFECT, alpha=0.7, label="defect")
        for bound in bounds:
            axes.axvline(bound, color="black", lw=0.8, ls=":")
        axes.set(yscale="log", xlabel="p_defect", ylabel="pictures")
        axes.legend()

    return _drawn(draw)


def roc_corner(p_defect: Floats, defect: Booleans) -> bytes:
    """ROC near the corner that matters: both rates from 0 to 5 %."""

    def draw(axes: Any) -> None:
        bounds = np.unique(np.concatenate([[0.0, 1.1], p_defect]))
        missed = np.searchsorted(np.sort(p_defect[defect]), bounds) / max(1, defect.sum())
        alarms = 1 - np.searchsorted(np.sort(p_defect[~defect]), bounds) / max(1, (~defect).sum())
        axes.plot(alarms, missed, color=_DEFECT, drawstyle="steps-post")
        axes.set(xlim=(-0.001, 0.05), ylim=(-0.001, 0.05), xlabel="false alarms", ylabel="misses")

    return _drawn(draw)


def reliability(p_defect: Floats, defect: Booleans) -> bytes:
    """Found share of defects against the said probability, in ten bins; the dot's size is the count."""

    def draw(axes: Any) -> None:
        place = np.minimum((p_defect * 10).astype(int), 9)
        for one in range(10):
            inside = place == one
            if inside.any():
                size = 8 + 20 * np.log10(inside.sum())
                axes.scatter(p_defect[inside].mean(), defect[inside].mean(), s=size, color=_DEFECT)
        axes.plot([0, 1], [0, 1], color="grey", lw=0.8)
        axes.set(xlabel="said", ylabel="found")

    return _drawn(draw)


def steps(name: str, strengths: Sequence[float], missed: Sequence[float], alarms: Sequence[float]) -> bytes:
    """Miss and false-alarm rates over the strength of one alteration, with the limits 0.5 % and 2 %."""

    def draw(axes: Any) -> None:
        axes.plot(strengths, missed, "o-", color=_DEFECT, label="misses")
        axes.plot(strengths, alarms, "o-", color=_OK, label="false alarms")
        axes.axhline(0.005, color=_DEFECT, lw=0.6, ls=":")
        axes.axhline(0.02, color=_OK, lw=0.6, ls=":")
        axes.set(title=name, ylim=(-0.002, max(0.04, *missed, *alarms) * 1.05))
        axes.legend()

    return _drawn(draw)


def _drawn(draw: Callable[[Any], None]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4, 3.0), layout="constrained")
    draw(figure.subplots())
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90)
    return out.getvalue()
