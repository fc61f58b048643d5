"""Model bundles on disk: the card of one, and which one is in use."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inspection.errors import Unavailable
from inspection.judgement import Thresholds

ENGINE = "engine.xml"
CARD = "card.json"
ALIASES = "aliases.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a raw score becomes a probability: p_defect = sigmoid(``scale`` * logit + ``shift``)."""

    scale: float = 1.0
    shift: float = 0.0

    def probability(self, logit: float) -> float:
        """p_defect, 0 to 1, of an uncalibrated logit."""
        return 0.5 * (1.0 + math.tanh(0.5 * (self.scale * logit + self.shift)))


@dataclass(frozen=True, slots=True)
class Card:
    """What serving needs of ``card.json``; the whole card is for people and tools.

    ``rejection`` is what the classifier needs to know pictures that it can't judge; ``digest`` is the SHA-256 of the
    card's bytes, which names thresholds and figures too.
    """

    version: str
    preprocessing: str
    thresholds: Thresholds
    calibration: Calibration = Calibration()
    rejection: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def champion(models: Path) -> Path:
    """The bundle in use, named by ``aliases.json``.

    Raises:
        Unavailable: ``model_unavailable`` when there is none.
    """
    try:
        return models / str(json.loads((models / ALIASES).read_text())["champion"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unavailable(f"{models}/{ALIASES} names no champion.") from error


def read_card(bundle: Path) -> Card:
    """Read ``card.json``.

    Raises:
        Unavailable: ``model_unavailable`` when the card is missing or incomplete.
    """
    try:
        content = (bundle / CARD).read_bytes()
        raw: dict[str, Any] = json.loads(content)
        return Card(
            raw["version"],
            raw["preprocessing"]["id"],
            Thresholds(**raw["thresholds"]),
            Calibration(**raw.get("calibration", {})),
            raw.get("rejection", {}),
            hashlib.sha256(content).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unavailable(f"{bundle}/{CARD} can't be read: {error}") from error


def _unavailable(message: str) -> Unavailable:
    return Unavailable("model_unavailable", message, retry_after=10.0)
