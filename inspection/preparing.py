"""Bytes to what the network sees and what the record says of the picture, in one call for every path."""

import hashlib
from dataclasses import dataclass

from inspection.picture import MAX_PIXELS, decode
from inspection.preprocessing import Sample, prepare


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded picture: SHA-256 of its bytes, its size in pixels as displayed, and the network's input."""

    sha256: str
    width: int
    height: int
    sample: Sample


def prepare_bytes(data: bytes, max_pixels: int = MAX_PIXELS) -> Prepared:
    """Decode, measure, resample. Thread-safe. Raises BadPicture."""
    picture = decode(data, max_pixels)
    return Prepared(hashlib.sha256(data).hexdigest(), picture.width, picture.height, prepare(picture))
