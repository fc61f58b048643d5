"""Three families of networks side by side: how often each errs, plain and altered, what a picture costs, its size.

    python -m bench.families ARCHIVE [EPOCHS [EVERY]]        (default: the recipe's epochs, every 4th held picture)

- ``whole picture``: a plain network over the whole picture (bench/plain_net.py);
- ``unrolled, mean``: the shipped trunk over the unrolled part, all places averaged, as classifiers mostly do;
- ``unrolled, worst place``: the shipped network.

All are trained on the same side of the leak-free split by the same recipe, on the same altered copies; whole pictures
are turned by any angle and flipped at each step, as strips are. The epoch with the least held loss counts; calibration
and bound come from held pictures and their altered copies, as in ``casting train``. Altered are the held pictures again
(``casting evaluate --altered``), without what cuts the part off. Milliseconds: CPU of one core, batch 8, preprocessing
after the decode included. Printed is a table and, as JSON, all figures.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from bench import plain_net
from drawing.castings import draw
from inspection.bundle import ENGINE
from inspection.picture import Picture
from inspection.preprocessing import prepare
from training import alter, network
from training.augment import augment, copy
from training.card import Judged
from training.dataset import for_training, listing, opened
from training.export import Engine
from training.fitting import Fitter
from training.loop import ahead, shortened
from training.prepared import Prepared
from training.prepared import greys as decoded
from training.split import Split, split
from training.thresholds import Policy, calibrate, choose
from training.train import Order, ready

Grey = npt.NDArray[np.uint8]
Change = Callable[[Grey, npt.NDArray[np.float32], np.random.Generator], Grey]


@dataclass(frozen=True, slots=True)
class Family:
    """``seen`` is what the network gets of a decoded picture, uint8; ``changed`` its change at every step."""

    name: str
    build: Callable[[], keras.Model]
    seen: Callable[[Grey], Grey]
    changed: Change


@dataclass(frozen=True, slots=True)
class Row:
    """A family's figures. Shares of the held defects that were missed and of the held sound parts that raised an alarm:
    plain, the mean over all alterations, and the worst of them by name."""

    family: str
    missed: float
    alarms: float
    missed_altered: float
    alarms_altered: float
    missed_worst: tuple[str, float]
    alarms_worst: tuple[str, float]
    milliseconds: float
    kilobytes: float
    parameters: int
    epoch: int


def whole(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, (plain_net.SIDE, plain_net.SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def strip(grey: Grey) -> Grey:
    return prepare(Picture.of(grey)).pixels


def turned(pictures: Grey, _labels: npt.NDArray[np.float32], rng: np.random.Generator) -> Grey:
    """Each picture, uint8 [n, h, w], turned by any angle and half of them flipped."""
    out = np.stack([alter.moved(one, rng, rng.uniform(0, 360)) for one in pictures])
    flipped = rng.random(len(out)) < 0.5
    out[flipped] = out[flipped, :, ::-1]
    return out


def plain() -> keras.Model:
    model = plain_net.build()
    return _as_trained(model.input, model.output)


def mean_of_places() -> keras.Model:
    shipped = network.build(0)
    last = [layer for layer in shipped.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    pooled = keras.layers.GlobalAveragePooling2D()(last.input)
    return _as_trained(shipped.input, keras.layers.Dense(1)(pooled))


def _as_trained(seen: Any, logit: Any) -> keras.Model:
    """With a second output, since training takes several, as the shipped network has; nothing looks at it."""
    return keras.Model(seen, [logit, keras.layers.Identity()(logit)])


FAMILIES = (
    Family("whole picture", plain, whole, turned),
    Family("unrolled, mean", mean_of_places, strip, augment),
    Family("unrolled, worst place", lambda: network.build(0), strip, augment),
)


def main(archive: Path, epochs: int = network.RECIPE.epochs, every: int = 4) -> None:
    data = ready(Order(archive, Path(), Path("var/training")), print)
    sides = split(data)
    with opened(archive) as source:
        members = for_training(listing(source))
        greys = [grey for _, grey in decoded(source, members, network.RECIPE.drawn)]
    with tempfile.TemporaryDirectory() as folder:
        fitted = []
        for number, family in enumerate(FAMILIES):
            print(f"{family.name}: training {epochs} epochs", flush=True)
            fitted.append(fit(family, data, sides, greys, epochs, Path(folder) / str(number)))
        rows = judge(fitted, [greys[row] for row in sides.held], data.labels[sides.held] >= 0.5, every)
    print(table(rows))
    print(json.dumps({"epochs": epochs, "every": every, "families": [asdict(row) for row in rows]}, indent=1))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A family's exported network, the logit from which on it says defect, and its best epoch (from 1)."""

    family: Family
    bundle: Path
    bound: float
    parameters: int
    epoch: int


def fit(family: Family, data: Prepared, sides: Split, greys: Sequence[Grey], epochs: int, bundle: Path) -> Fitted:
    """Train, export, and set the bound on held pictures and their altered copies."""
    keras.utils.set_random_seed(0)
    copies = np.stack([_copy_of(family, greys, number, data) for number in range(len(data.pixels))])
    recipe = shortened(network.RECIPE, epochs)
    steps = len(sides.train) // recipe.batch
    fitter = Fitter(family.build, recipe, steps)
    best, least, weights = 0, np.inf, fitter.weights()
    held = data.labels[sides.held]
    for epoch in range(epochs):
        for pixels, labels in ahead(_batches(family, copies, data, sides, recipe.batch, epoch)):
            fitter.step(pixels, labels)
        with fitter.averaged():
            loss = sum(fitter.judged(copies[number][sides.held], held)[0] for number in range(2))
            if loss < least:
                best, least, weights = epoch, loss, fitter.weights()
        print(f"  epoch {epoch + 1}: held loss {loss / (2 * len(held)):.4f}", flush=True)
    fitter.model.set_weights(weights)
    bundle.mkdir(parents=True)
    fitter.model.export(str(bundle / ENGINE), format="openvino", verbose=False)
    engine = Engine(bundle)
    logits = np.concatenate([engine.logits(one[sides.held]) for one in copies])
    truth = np.tile(held.astype(np.float64), len(copies))
    calibration = calibrate(logits, truth)
    decide = choose(Judged(logits, truth > 0).probabilities(calibration), truth, Policy()).decide
    bound = (np.log(decide / (1 - decide)) - calibration.shift) / calibration.scale
    return Fitted(family, bundle, float(bound), fitter.model.count_params(), best + 1)


def _copy_of(family: Family, greys: Sequence[Grey], number: int, data: Prepared) -> Grey:
    """All pictures as the family sees them, uint8 [N, h, w]; number 0 as it is, the others altered as in training."""
    if family.seen is strip:
        return np.asarray(data.pixels[number])

    def one(row: int) -> Grey:
        return family.seen(copy(greys[row], np.random.default_rng([row, number])) if number else greys[row])

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.stack(list(pool.map(one, range(len(greys)))))


def _batches(
    family: Family, copies: Grey, data: Prepared, sides: Split, batch: int, epoch: int
) -> Iterator[tuple[Grey, npt.NDArray[np.float32]]]:
    order = np.random.default_rng([0, epoch])
    rows, which = order.permutation(sides.train), order.integers(len(copies), size=len(sides.train))
    for at in range(0, len(rows) // batch * batch, batch):
        some = slice(at, at + batch)
        labels = data.labels[rows[some]]
        yield family.changed(copies[which[some], rows[some]], labels, order), labels


def judge(fitted: Sequence[Fitted], greys: Sequence[Grey], defect: npt.NDArray[np.bool_], every: int) -> list[Row]:
    """The rows of the table."""
    engines = [Engine(one.bundle) for one in fitted]
    errors: dict[str, list[tuple[float, float]]] = {"none": _errors(fitted, engines, greys, defect)}
    some, truth = greys[::every], defect[::every]
    for name, strength, change in alter.changes():
        if name not in alter.CUTTING:
            altered = [change(grey, np.random.default_rng(row)) for row, grey in enumerate(some)]
            told = name if strength is None else f"{name} {strength:g}"
            errors[told] = _errors(fitted, engines, altered, truth)
    return [_row(one, {name: found[place] for name, found in errors.items()}) for place, one in enumerate(fitted)]


def _errors(
    fitted: Sequence[Fitted], engines: Sequence[Engine], greys: Sequence[Grey], defect: npt.NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Shares of missed defects and of false alarms, one pair a family."""
    seen: dict[Any, Grey] = {}
    found = []
    for one, engine in zip(fitted, engines, strict=True):
        if one.family.seen not in seen:
            seen[one.family.seen] = np.stack([one.family.seen(grey) for grey in greys])
        says = engine.logits(seen[one.family.seen]) >= one.bound
        found.append((float((~says[defect]).mean()), float(says[~defect].mean())))
    return found


def _row(one: Fitted, errors: dict[str, tuple[float, float]]) -> Row:
    altered = {name: pair for name, pair in errors.items() if name != "none"}
    worst = [max(altered, key=lambda name, at=at: altered[name][at]) for at in range(2)]  # type: ignore[misc]
    return Row(
        one.family.name,
        *errors["none"],
        statistics.mean(pair[0] for pair in altered.values()),
        statistics.mean(pair[1] for pair in altered.values()),
        (worst[0], altered[worst[0]][0]),
        (worst[1], altered[worst[1]][1]),
        _milliseconds(one),
        sum(path.stat().st_size for path in one.bundle.iterdir()) / 1000,
        one.parameters,
        one.epoch,
    )


def _milliseconds(one: Fitted, rounds: int = 15) -> float:
    """CPU of one core a picture: median over ``rounds`` of eight batches of 8, the decode left out."""
    engine = Engine(one.bundle, threads=1)
    cv2.setNumThreads(1)
    greys = [draw(seed, "ok").pixels for seed in range(64)]
    seen, spent = one.family.seen, []
    for _ in range(rounds):
        begin = time.process_time()
        for at in range(0, len(greys), 8):
            engine.logits(np.stack([seen(grey) for grey in greys[at : at + 8]]))
        spent.append((time.process_time() - begin) / len(greys) * 1000)
    return statistics.median(spent)


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = [
        "| family | missed / alarms, plain | mean over alterations | worst alteration: missed | alarms | ms | kB |",
        "|---|---|---|---|---|---:|---:|",
    ]
    for row in rows:
        (lost, most), (alarmed, highest) = row.missed_worst, row.alarms_worst
        plain, altered = f"{row.missed:.2%} / {row.alarms:.2%}", f"{row.missed_altered:.2%} / {row.alarms_altered:.2%}"
        lines.append(
            f"| {row.family} | {plain} | {altered} | {lost} {most:.2%} | {alarmed} {highest:.2%} "
            f"| {row.milliseconds:.2f} | {row.kilobytes:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:]))
