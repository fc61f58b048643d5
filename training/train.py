"""``casting train``: from an archive of labelled pictures to a model bundle. Composes the modules of this folder."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training import card, loop, progress, rejecting
from training.augment import copy
from training.card import Judged
from training.dataset import for_training, listing, opened
from training.export import Engine, export, parity
from training.figures import by_parts
from training.network import RECIPE
from training.prepared import Prepared, made_ready
from training.rejecting import Seen
from training.split import Split, split
from training.thresholds import Policy, calibrate, choose

PARITY_PICTURES = 64


@dataclass(frozen=True, slots=True)
class Order:
    """What to train on and how; ``out`` is the bundle, ``work`` keeps prepared pictures and checkpoints."""

    data: Path
    out: Path
    work: Path
    workers: int = 1
    gpu: bool = False
    seed: int = 0
    fold: int = 0
    folds: int = 5
    epochs: int | None = None
    policy: Policy = field(default_factory=Policy)


def train(order: Order, say: Callable[[str], None]) -> dict[str, Any]:
    """Train and write the bundle; returns the validation figures. Ray must be initialised."""
    started = time.monotonic()
    data = ready(order, say)
    parts = split(data, order.fold, order.folds)
    say(_told(data, parts))
    run = loop.Run(order.work / "runs", loop.shortened(RECIPE, order.epochs), order.seed, order.workers, order.gpu)
    with progress.printed(loop.place(data, parts, run) / loop.PROGRESS, say):
        fitted = loop.fit(data, parts, run)
    say("Exporting the best epoch.")
    return bundle(order, data, parts, run, fitted, time.monotonic() - started)


def ready(order: Order, say: Callable[[str], None]) -> Prepared:
    """Read, prepare and group the pictures, or find them prepared."""
    with opened(order.data) as source:
        members = for_training(listing(source))
        say(f"{len(members)} labelled pictures; preparing them and looking for look-alikes.")
        return made_ready(
            source, members, order.work / "prepared", copies=RECIPE.copies, alter=copy, drawn=RECIPE.drawn
        )


def bundle(
    order: Order, data: Prepared, parts: Split, run: loop.Run, fitted: loop.Fitted, seconds: float
) -> dict[str, Any]:
    """Export the fitted weights, set calibration and thresholds on validation pictures, write the card."""
    model = export(fitted.weights, run.seed, order.out)
    engine = Engine(order.out)
    defect = data.labels[parts.held] >= 0.5
    clean = Judged(engine.logits(data.pixels[0][parts.held]), defect)
    altered = [Judged(engine.logits(copy[parts.held]), defect) for copy in data.pixels[1:]]
    logits = np.concatenate([one.logits for one in (clean, *altered)])
    labels = np.tile(defect.astype(np.float64), 1 + len(altered))
    calibration = calibrate(logits, labels)
    thresholds = choose(Judged(logits, labels > 0).probabilities(calibration), labels, order.policy)
    figures = card.figures(clean, calibration, thresholds)
    says = clean.probabilities(calibration) >= thresholds.decide
    figures["parts"] = by_parts(data.groups[parts.held], defect, says)
    wrong = says != defect
    figures["wrong"] = sorted(data.paths[row].rsplit("/", 1)[-1] for row in parts.held[wrong])
    limits = rejecting.fit_limits(*(_seen(data, parts, copies) for copies in (slice(0, 1), slice(1, None))))
    _list_pictures(order.out, data, parts)
    card.write(
        order.out,
        {
            **card.decision(calibration, thresholds, order.policy),
            "figures": {"validation": figures},
            "rejection": rejecting.told(limits),
            "parity": asdict(parity(model, engine, data.pixels[0][parts.held[:PARITY_PICTURES]])),
            "data": _named(data, parts),
            "training": _training(order, run, fitted, seconds),
            "reference": card.reference(clean.probabilities(calibration), data.measures[0][parts.held]),
        },
    )
    return figures


def _seen(data: Prepared, parts: Split, copies: slice) -> Seen:
    pixels, measures = data.pixels[copies][:, parts.held], data.measures[copies][:, parts.held]
    return Seen(pixels.reshape(-1, *pixels.shape[2:]), measures.reshape(-1, measures.shape[2]))


def _told(data: Prepared, parts: Split) -> str:
    groups = {side: len(set(data.groups[rows])) for side, rows in (("train", parts.train), ("held", parts.held))}
    text = f"Training on {len(parts.train)} pictures, validating on {len(parts.held)} of {groups['held']} other groups."
    contradicting = len(parts.contradicting)
    return text + (f" Left out {contradicting} whose look-alikes are labelled otherwise." if contradicting else "")


def _list_pictures(bundle: Path, data: Prepared, parts: Split) -> None:
    """Write which pictures set the bounds, and which others training has seen: neither tells anything new of it."""
    seen = np.setdiff1d(np.flatnonzero(~data.drawn), parts.held)
    for name, rows in ((card.HELD, parts.held), (card.SEEN, seen)):
        (bundle / name).write_text("".join(f"{data.sha256[row]}\n" for row in rows))


def _named(data: Prepared, parts: Split) -> dict[str, Any]:
    """What the model has seen: hashes instead of pictures."""
    real = ~data.drawn
    return {
        "pictures": int(real.sum()),
        "defects": int(data.labels[real].sum()),
        "groups": len(set(data.groups[real])),
        "drawn_castings": int(data.drawn.sum()),
        "left_out_contradicting": sorted(data.paths[row].rsplit("/", 1)[-1] for row in parts.contradicting),
        "sha256": data.digest,
        "split_sha256": hashlib.sha256("".join(sorted(data.sha256[row] for row in parts.held)).encode()).hexdigest(),
        "validation_pictures": len(parts.held),
        "validation_groups": len(set(data.groups[parts.held])),
        "validation_groups_sound": len(set(data.groups[parts.held][data.labels[parts.held] < 0.5])),
    }


def _training(order: Order, run: loop.Run, fitted: loop.Fitted, seconds: float) -> dict[str, Any]:
    return {
        "recipe": asdict(run.recipe),
        "seed": run.seed,
        "fold": order.fold,
        "folds": order.folds,
        "workers": run.workers,
        "workers_agree": fitted.workers_agree,
        "best_epoch": int(fitted.metrics["epoch"]) + 1,
        "seconds": round(seconds),
        "history": [asdict(one) for one in fitted.history],
    }
