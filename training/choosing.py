"""Which labelled pictures a model is judged on: none that its training has seen, as far as bytes tell.

Reads and decodes them; knows nothing of judging. A part that training saw in other pictures is not looked for here.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inspection.errors import BadRequest, NotFound
from inspection.judgement import DEF_FRONT
from inspection.picture import decode
from training.card import HELD, SEEN
from training.dataset import Labelled, Source, for_test, for_training, listing, opened

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Set:
    """Labelled pictures in memory: which, decoded, their SHA-256, and what each is (True: defect).

    ``left_out``: how many others there were that training has seen; ``set_bounds``: how many of these set the
    thresholds of the model that is judged.
    """

    name: str
    members: tuple[Labelled, ...]
    greys: tuple[Grey, ...]
    sha256: tuple[str, ...]
    defect: npt.NDArray[np.bool_]
    left_out: int = 0
    set_bounds: int = 0


def read(source: Source, name: str, members: Sequence[Labelled], seen: Collection[str] = ()) -> Set:
    """Decode ``members``, those left out whose SHA-256 is among ``seen``."""
    kept, greys, sums = [], [], []
    for one in members:
        data = source.read(one.path)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in seen:
            kept.append(one)
            greys.append(decode(data).grey)
            sums.append(sha256)
    defect = np.array([one.label == DEF_FRONT for one in kept])
    return Set(name, tuple(kept), tuple(greys), tuple(sums), defect, len(members) - len(kept))


def chosen(data: Path, bundle: Path) -> tuple[Set, Set | None]:
    """What is judged: the archive's test split if it has one (then with its training pictures, to look for twins),
    else all that the bundle's training has not seen: ``validation`` where that is just what set its thresholds."""
    with opened(data) as source:
        found = listing(source)
        training = for_training(found)
        if any(one.split == "test" for one in found):
            return read(source, "official_test", for_test(found)), read(source, "training", training)
        judged, known = _unseen(source, training, bundle), held(bundle)
        name = "validation" if set(judged.sha256) == known else judged.name
        return replace(judged, name=name, set_bounds=sum(one in known for one in judged.sha256)), None


def common(data: Path, *bundles: Path) -> Set:
    """What models are compared on: the archive's test split if it has one, else all, without what the training of any
    of them has seen."""
    with opened(data) as source:
        found = listing(source)
        return _unseen(source, for_test(found) or for_training(found), *bundles)


def held(bundle: Path) -> set[str]:
    """SHA-256 of the pictures that the bundle's thresholds were set on."""
    return _listed(bundle / HELD)


def _unseen(source: Source, members: Sequence[Labelled], *bundles: Path) -> Set:
    seen = set().union(*(_listed(bundle / SEEN) for bundle in bundles))
    judged = read(source, "all", members, seen)
    if not judged.members:
        raise BadRequest("no_data", f"Training has seen all of these {len(members)} pictures: others are needed.")
    return judged


def _listed(names: Path) -> set[str]:
    if not names.exists():
        raise NotFound("no_model", f"There is no {names}, so that what the model was trained on can't be told.")
    return set(names.read_text().split())
