"""Bytes to what the network sees and what the record says of the picture, in one call for every path."""

import hashlib
import time
from dataclasses import dataclass

import structlog

from inspection.errors import BadPicture
from inspection.picture import MAX_PIXELS, decode
from inspection.preprocessing import Sample, prepare

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded picture: SHA-256 of its bytes, its size in pixels as displayed, the network's input, and how many
    ``seconds`` it took to get there."""

    sha256: str
    width: int
    height: int
    sample: Sample
    seconds: float


def prepare_bytes(data: bytes, max_pixels: int = MAX_PIXELS) -> Prepared:
    """Decode, measure, resample. Thread-safe. Raises BadPicture."""
    started = time.perf_counter()
    picture = decode(data, max_pixels)
    sha256, sample = hashlib.sha256(data).hexdigest(), prepare(picture)
    return Prepared(sha256, picture.width, picture.height, sample, time.perf_counter() - started)


def prepared_or_why_not(data: bytes, max_pixels: int = MAX_PIXELS) -> Prepared | BadPicture:
    """The same for one picture of many: a bad one is a value, so that the others go on."""
    try:
        return prepare_bytes(data, max_pixels)
    except BadPicture as error:
        return error
    except Exception:  # a defect of ours costs this picture, not the batch of others that it came in with
        _log.exception("picture_not_prepared")
        return BadPicture("undecodable", "The picture could not be read.")
