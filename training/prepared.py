"""Labelled pictures made ready once: decoded, altered copies drawn, prepared, grouped, and kept as arrays on disk.

The arrays are memory-mapped, so any number of workers share them. Kept under a name made of everything they depend on:
the same data, preprocessing and copies are never prepared twice.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drawing.castings import KINDS, Kind, draw
from inspection.judgement import DEF_FRONT
from inspection.picture import Picture, decode
from inspection.preprocessing import MEASURES, PREPROCESSING, SHAPE, prepare
from training.dataset import Labelled, Source, digest
from training.groups import Spectra, group, spectrum

Grey = npt.NDArray[np.uint8]
#: First seed of the drawn castings in training: far from the seeds that samples and tests draw.
DRAWN_FROM = 1_000_000
#: Draws one altered copy of a decoded picture.
Alter = Callable[[Grey, np.random.Generator], Grey]


@dataclass(frozen=True, slots=True)
class Prepared:
    """``pixels`` uint8 [1 + copies, N, *SHAPE] (the first as it is), ``measures`` float32 of the same order,
    ``labels`` float32 [N] (1: defect), ``groups`` int64 [N] of look-alikes, ``drawn`` bool [N], ``paths`` and the
    pictures' ``sha256`` (empty for drawn ones); ``digest`` names the data without the drawn ones."""

    folder: Path
    pixels: npt.NDArray[np.uint8]
    measures: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float32]
    groups: npt.NDArray[np.int64]
    drawn: npt.NDArray[np.bool_]
    paths: tuple[str, ...]
    sha256: tuple[str, ...]
    digest: str


def made_ready(
    source: Source, members: list[Labelled], cache: Path, *, copies: int = 0, alter: Alter | None = None, drawn: int = 0
) -> Prepared:
    """Prepare ``members`` and ``drawn`` drawn castings with ``copies`` altered copies each, or find them in ``cache``.

    Raises:
        BadPicture: a member can't be decoded; training data must be whole.
    """
    sums = [hashlib.sha256(source.read(one.path)).hexdigest() for one in members]
    named = digest(zip((one.label for one in members), sums, strict=True))
    key = hashlib.sha256(
        f"{named} {PREPROCESSING} {copies} {drawn} {alter and alter.__qualname__}".encode()
    ).hexdigest()[:16]
    folder = cache / key
    if not folder.exists():
        partial = folder.with_name(f"{key}.{os.getpid()}")
        kinds = [_kind(number) for number in range(drawn)]
        together = _write_pixels(partial, greys(source, members, drawn), len(members) + drawn, copies, alter)
        paths = [one.path for one in members] + [f"drawn/{kind}/{number}" for number, kind in enumerate(kinds)]
        kept: dict[str, Any] = {"paths": paths, "sha256": [*sums, *[""] * drawn], "digest": named}
        defect = [one.label == DEF_FRONT for one in members] + [kind != "ok" for kind in kinds]
        _write_rest(partial, kept, np.array(defect), together, len(members))
        partial.rename(folder)
    return load(folder)


def load(folder: Path) -> Prepared:
    """Open prepared arrays; ``pixels`` stay on disk until they are read."""
    kept = json.loads((folder / "members.json").read_text())
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("measures", "labels", "groups", "drawn")}
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return Prepared(
        folder, pixels, **arrays, paths=tuple(kept["paths"]), sha256=tuple(kept["sha256"]), digest=kept["digest"]
    )


def _write_pixels(
    folder: Path, greys: Iterator[tuple[int, Grey]], count: int, copies: int, alter: Alter | None
) -> npt.NDArray[np.int64]:
    """Write ``pixels.npy`` and ``measures.npy``; returns the groups of look-alikes."""
    folder.mkdir(parents=True)
    shape = (1 + copies, count, *SHAPE)
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, shape)
    measures = np.zeros((1 + copies, count, len(MEASURES)), np.float32)

    def one(numbered: tuple[int, Grey]) -> Spectra:
        number, grey = numbered
        for copy in range(1 + copies):
            altered = alter(grey, np.random.default_rng([number, copy])) if copy and alter else grey
            sample = prepare(Picture.of(altered))
            pixels[copy, number], measures[copy, number] = sample.pixels, sample.measures
        return spectrum(grey)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        spectra = [of_one for chunk in _batched(greys, 256) for of_one in pool.map(one, chunk)]
    pixels.flush()
    np.save(folder / "measures.npy", measures)
    return group(np.stack(spectra))


def _write_rest(
    folder: Path, kept: dict[str, Any], defect: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64], real: int
) -> None:
    np.save(folder / "labels.npy", defect.astype(np.float32))
    np.save(folder / "groups.npy", groups)
    np.save(folder / "drawn.npy", np.arange(len(defect)) >= real)
    (folder / "members.json").write_text(json.dumps(kept))


def greys(source: Source, members: list[Labelled], drawn: int) -> Iterator[tuple[int, Grey]]:
    """Every row of Prepared with its decoded picture, uint8 [h, w]: the members, then ``drawn`` drawn castings."""
    for number, one in enumerate(members):
        yield number, decode(source.read(one.path)).grey
    for number in range(drawn):
        yield len(members) + number, draw(DRAWN_FROM + number, _kind(number)).pixels


def _kind(number: int) -> Kind:
    """Every other drawn casting is sound, the others take turns through the defects."""
    return "ok" if number % 2 == 0 else KINDS[1 + number // 2 % (len(KINDS) - 1)]


def _batched(items: Iterator[tuple[int, Grey]], size: int) -> Iterator[list[tuple[int, Grey]]]:
    """Lists of ``size`` items, the last one shorter: only so many pictures are in memory at once."""
    while chunk := list(islice(items, size)):
        yield chunk
