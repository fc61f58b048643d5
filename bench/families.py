"""Families of networks side by side, trained alike and briefly, judged on the leak-free fold 0 as it is and altered.

``python -m bench.families DATA FAMILY …`` writes a line for each family into ``docs/families.json``: ``plain`` (the
whole picture), ``separable`` (depthwise layers over the strip, pooled to one decision), ``places`` (ours: local
decisions on the strip, the worst one decides). Not the shipped recipe: every third picture, one altered copy of each,
four epochs; errors at 0.5. Speed: one stream on all cores, batches of 8, what a family does to a decoded picture too.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from bench import plain_net
from inspection.classifier import compiled
from inspection.picture import Picture, decode
from inspection.preprocessing import SHAPE, prepare
from training import alter, augment, network
from training.dataset import for_training, listing, opened
from training.figures import Confusion
from training.fitting import Fitter
from training.prepared import made_ready
from training.split import split

EVERY, EPOCHS = 3, 4
TABLE = Path("docs/families.json")
Grey = npt.NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Family:
    """Its network, what that ``sees`` of a decoded picture, and how a batch of it is varied at each step."""

    build: Callable[[], keras.Model]
    sees: Callable[[Grey], Grey]
    vary: Callable[[Grey, npt.NDArray[np.float32], Rng], Grey]


def _strip(grey: Grey) -> Grey:
    return prepare(Picture.of(grey)).pixels


def _whole(grey: Grey) -> Grey:
    side = plain_net.SIDE
    size_fits = grey.shape == (side, side)
    return grey if size_fits else np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _turned(pictures: Grey, labels: npt.NDArray[np.float32], rng: Rng) -> Grey:  # noqa: ARG001
    return np.stack([np.rot90(one, int(rng.integers(4)))[:, :: int(rng.choice([-1, 1]))] for one in pictures])


def _plain() -> keras.Model:
    whole = plain_net.build()
    return keras.Model(whole.input, [whole.output])


def _separable() -> keras.Model:
    strip = keras.Input((*SHAPE, 1))
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(strip)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    for filters, strides in ((32, 2), (64, 2), (64, 1), (96, 2), (96, 1)):
        x = keras.layers.SeparableConv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    mean, most = keras.layers.GlobalAveragePooling2D()(x), keras.layers.GlobalMaxPooling2D()(x)
    return keras.Model(strip, [keras.layers.Dense(1)(keras.layers.Concatenate()([mean, most]))])


FAMILIES = {
    "plain": Family(_plain, _whole, _turned),
    "separable": Family(_separable, _strip, augment.augment),
    "places": Family(lambda: network.build(0), _strip, augment.augment),
}


def measured(family: Family, data: Path) -> dict[str, Any]:
    """Train, judge and time one family."""
    keras.utils.set_random_seed(0)
    with opened(data) as source:
        prepared = made_ready(source, for_training(listing(source)), Path("var/training/prepared"))
        parts = split(prepared)
        rows = {"train": parts.train[::EVERY], "held": parts.held[::EVERY]}
        greys = {name: [decode(source.read(prepared.paths[row])).grey for row in some] for name, some in rows.items()}
    fitter = _fitted(family, greys["train"], prepared.labels[rows["train"]])
    with tempfile.TemporaryDirectory() as folder, fitter.averaged():
        engine = Path(folder) / "engine.xml"
        fitter.model.export(str(engine), format="openvino", verbose=False)
        size = sum(part.stat().st_size for part in (engine, engine.with_suffix(".bin")))
        judge = compiled(engine)
    defect = prepared.labels[rows["held"]] >= 0.5
    pairs = _all(alter.pair, greys["held"])
    sets = {"as_they_are": greys["held"], "two_changes_at_once": pairs}
    errors = {name: asdict(Confusion.of(defect, _says(family, judge, some))) for name, some in sets.items()}
    speed = [_seconds(family, judge, greys["held"][:200]) for _ in range(5)]
    return {
        "trained_on": len(rows["train"]),
        "epochs": EPOCHS,
        **errors,
        "ms_a_picture": round(1000 * min(speed), 2),
        "weights": fitter.model.count_params(),
        "bytes": size,
    }


def _fitted(family: Family, greys: Sequence[Grey], labels: npt.NDArray[np.float32]) -> Fitter:
    recipe = replace(network.RECIPE, epochs=EPOCHS)
    steps = len(greys) // recipe.batch
    copies = [_seen(family, greys), _seen(family, _all(augment.copy, greys))]
    fitter, rng = Fitter(family.build, recipe, steps), np.random.default_rng(0)
    for epoch in range(EPOCHS):
        order, began = rng.permutation(len(greys)), time.monotonic()
        for step in range(steps):
            some = order[step * recipe.batch : (step + 1) * recipe.batch]
            which = rng.integers(2, size=len(some))
            batch = np.stack([copies[copy][row] for copy, row in zip(which, some, strict=True)])
            fitter.step(family.vary(batch, labels[some], rng), labels[some])
        print(f"epoch {epoch + 1}/{EPOCHS} {time.monotonic() - began:.0f} s", flush=True)
    return fitter


def _all(change: Callable[[Grey, Rng], Grey], greys: Sequence[Grey]) -> list[Grey]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda one: change(one[1], np.random.default_rng(one[0])), enumerate(greys)))


def _seen(family: Family, greys: Sequence[Grey]) -> list[Grey]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(family.sees, greys))


def _says(family: Family, judge: Any, greys: Sequence[Grey]) -> npt.NDArray[np.bool_]:
    return np.concatenate([_logits(family, judge, greys[at : at + 8]) for at in range(0, len(greys), 8)]) >= 0


def _logits(family: Family, judge: Any, greys: Sequence[Grey]) -> npt.NDArray[np.float32]:
    batch = np.stack([family.sees(grey) for grey in greys])[..., np.newaxis].astype(np.float32)
    return np.array(judge.create_infer_request().infer({0: batch}, share_inputs=True)[0]).reshape(-1)


def _seconds(family: Family, judge: Any, greys: Sequence[Grey]) -> float:
    began = time.perf_counter()
    for at in range(0, len(greys), 8):
        _logits(family, judge, greys[at : at + 8])
    return (time.perf_counter() - began) / len(greys)


def main(data: str, *names: str) -> None:
    for name in names or FAMILIES:
        told = measured(FAMILIES[name], Path(data))
        table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        TABLE.write_text(json.dumps({**table, name: told}, indent=1) + "\n")
        print(name, json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
