"""Bytes to a grey picture: whatever a plant's cameras send, or a typed error.

The only decoder of the product: serving, archives and training all come through here, so they see the same pixels.
What the file's name or its sender call it does not matter, only what it is: a PNG named ``.jpg`` is still a picture.
"""

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from inspection.errors import BadPicture

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
MAX_PIXELS = 50_000_000
#: Longer side to shorter: with what is longer, sides would outgrow what OpenCV counts with (32,767 pixels).
MAX_PROPORTION = 20
#: Larger pictures are reduced while they are decoded, by whole factors, but never below this on the shorter side.
WORKING_SIDE = 512

_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: ``grey`` is uint8 [h, w], upright, its shorter side below 1024.

    ``width`` and ``height`` are the pixels of the picture as displayed, before any reduction.
    """

    grey: npt.NDArray[np.uint8]
    width: int
    height: int

    @classmethod
    def of(cls, grey: npt.NDArray[np.uint8]) -> "Picture":
        """What is there as grey levels only, uint8 [h, w], as large as displayed."""
        return cls(grey, grey.shape[1], grey.shape[0])


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode one still picture. Thread-safe; the GIL is released while pixels are read.

    Raises:
        BadPicture: ``empty``, ``not_an_image``, ``too_many_pixels``, ``too_long``, ``animated``, ``black_and_white``,
            ``truncated`` or ``undecodable``.
    """
    if not data:
        raise BadPicture("empty", "The file is empty.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _read(image, max_pixels)
    except BadPicture:
        raise
    except UnidentifiedImageError as error:
        raise BadPicture("not_an_image", "This is no JPEG, PNG, BMP, TIFF or WebP picture.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture("too_many_pixels", f"The picture has more than {max_pixels:,} pixels.") from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files; all of it means the same
        raise _damaged(error) from error


def format_of(data: bytes) -> str:
    """What a picture's first bytes say it is: jpeg, png, bmp, webp, or else tiff, the last of FORMATS."""
    starts = ((b"\xff\xd8", "jpeg"), (b"\x89PNG", "png"), (b"BM", "bmp"), (b"RIFF", "webp"))
    return next((kind for start, kind in starts if data.startswith(start)), "tiff")


def _damaged(error: Exception) -> BadPicture:
    text = str(error).lower()
    if isinstance(error, EOFError | struct.error) or "truncated" in text or "not enough" in text:
        return BadPicture("truncated", "The picture ends early; send it again.")
    return BadPicture("undecodable", "The picture is damaged and can't be decoded.")


def _read(image: Image.Image, max_pixels: int) -> Picture:
    width, height = image.size
    if width * height > max_pixels:
        raise BadPicture(
            "too_many_pixels", f"The picture has {width * height:,} pixels; at most {max_pixels:,} are read."
        )
    if max(width, height) > MAX_PROPORTION * min(width, height):
        raise BadPicture("too_long", f"One side of the picture is over {MAX_PROPORTION} times as long as the other.")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise BadPicture("animated", "The file holds several pictures; send one still picture.")
    if image.mode == "1":
        raise BadPicture("black_and_white", "The picture holds black and white only; send one with grey levels.")
    factor = max(1, min(width, height) // WORKING_SIDE)
    if image.format in ("JPEG", "MPO"):
        image.draft("L", (width // factor, height // factor))
    image.load()  # before its metadata are read: a PNG's are behind the pixels, and damage would be taken for none
    orientation = _orientation(image)
    grey = _grey(image)
    left = max(1, min(grey.size) // WORKING_SIDE)
    if left > 1:
        grey = grey.reduce(left)
    if orientation in _TRANSPOSE:
        grey = grey.transpose(_TRANSPOSE[orientation])
    if orientation >= 5:
        width, height = height, width
    return Picture(np.asarray(grey, dtype=np.uint8), width, height)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 where there is none or it is unreadable: bad metadata are no reason to refuse a part."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _grey(image: Image.Image) -> Image.Image:
    if image.mode == "L":
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_8_bit(np.asarray(image)))
    if image.mode == "LAB":
        return image.getchannel(0)
    if "A" in image.getbands() or "transparency" in image.info:
        opaque = Image.new("RGBA", image.size, "white")  # transparent means nothing there: a white bench
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    return image.convert("RGB").convert("L") if image.mode == "CMYK" else image.convert("L")


def _to_8_bit(wide: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """16-bit, 12-bit-in-16 (no value above 4095) and floating (0 to 1, else 0 to 255) pixels to 8 bit."""
    values = np.nan_to_num(wide.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    if np.issubdtype(wide.dtype, np.floating):
        values = values * 255.0 if top <= 1.0 else values
    elif top > 255:
        values = values / (16.0 if top <= 4095 else 256.0)
    return np.clip(values, 0, 255).astype(np.uint8)
