"""Model bundles on disk: the card of one, and which one is in use."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.errors import Unavailable
from inspection.judgement import Thresholds

ENGINE = "engine.xml"


@dataclass(frozen=True, slots=True)
class Card:
    """What serving needs of ``card.json``; the whole card is for people and tools."""

    version: str
    preprocessing: str
    thresholds: Thresholds


def champion(models: Path) -> Path:
    """The bundle in use, named by ``aliases.json``.

    Raises:
        Unavailable: ``model_unavailable`` when there is none.
    """
    try:
        return models / str(json.loads((models / "aliases.json").read_text())["champion"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unavailable(f"{models}/aliases.json names no champion.") from error


def read_card(bundle: Path) -> Card:
    """Read ``card.json``.

    Raises:
        Unavailable: ``model_unavailable`` when the card is missing or incomplete.
    """
    try:
        raw: dict[str, Any] = json.loads((bundle / "card.json").read_text())
        return Card(raw["version"], raw["preprocessing"]["id"], Thresholds(**raw["thresholds"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unavailable(f"{bundle}/card.json can't be read: {error}") from error


def _unavailable(message: str) -> Unavailable:
    return Unavailable("model_unavailable", message, retry_after=10.0)
