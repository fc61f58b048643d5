"""Whatever a plant sends is decoded to the same pixels, or refused by a typed error; nothing crashes or hangs."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drawing.castings import draw
from inspection import preparing
from inspection.errors import BadPicture
from inspection.picture import decode
from inspection.preparing import prepare_bytes

CASTING = draw(1, "crack").pixels


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


GREY = Image.fromarray(CASTING)


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (encode(GREY, "PNG"), 0),
        (encode(GREY, "BMP"), 0),
        (encode(GREY, "TIFF"), 0),
        (encode(GREY, "TIFF", compression="tiff_lzw"), 0),
        (encode(GREY, "WEBP", lossless=True), 1),
        (encode(GREY.convert("RGB"), "PNG"), 0),
        (encode(GREY.convert("RGBA"), "PNG"), 0),
        (encode(GREY.convert("LA"), "PNG"), 0),
        (encode(GREY.convert("P"), "PNG"), 0),
        (encode(GREY.convert("RGB"), "BMP"), 0),
        (encode(Image.fromarray(CASTING.astype(np.uint16) * 257), "PNG"), 0),
        (encode(Image.fromarray(CASTING.astype(np.uint16) * 16), "TIFF"), 0),
        (encode(Image.fromarray(CASTING.astype(np.float32) / 255), "TIFF"), 1),
        (encode(GREY, "JPEG", quality=100, subsampling=0), 3),
        (encode(GREY.convert("RGB"), "JPEG", quality=100, subsampling=0), 3),
        (encode(GREY.convert("CMYK"), "JPEG", quality=100), 6),
        (encode(GREY.convert("CMYK"), "TIFF"), 6),
    ],
)
def test_every_format_and_mode_gives_the_same_pixels(data: bytes, tolerance: int) -> None:
    picture = decode(data)
    assert (picture.width, picture.height) == (300, 300)
    assert picture.grey.dtype == np.uint8
    assert int(np.abs(picture.grey.astype(int) - CASTING).max()) <= tolerance


def test_transparent_pictures_are_read() -> None:
    assert int(decode(encode(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG")).grey.min()) == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    turned: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.T,
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].T,
        8: lambda p: np.rot90(p, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turned[orientation](CASTING[:200])))
    picture = decode(encode(stored, "PNG", exif=exif))
    assert (picture.width, picture.height) == (300, 200)
    np.testing.assert_array_equal(picture.grey, CASTING[:200])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_reduced_and_keep_their_size_on_record(kind: str) -> None:
    large = Image.fromarray(cv2.resize(CASTING, (4000, 3000)))
    picture = decode(encode(large, kind))
    assert (picture.width, picture.height) == (4000, 3000)
    assert 512 <= min(picture.grey.shape) < 1024
    assert abs(picture.grey.shape[1] / picture.grey.shape[0] - 4 / 3) < 0.01


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(BadPicture) as caught:
        decode(data, **limits)
    assert not caught.value.retryable
    return caught.value.code


def test_each_kind_of_garbage_has_its_code() -> None:
    gif = encode(GREY, "GIF")
    frames = [GREY, GREY.rotate(90)]
    assert code_of(b"") == "empty"
    assert code_of(b"<html>no picture</html>" * 100) == "not_an_image"
    assert code_of(gif) == "not_an_image"
    assert code_of(encode(GREY.convert("1"), "PNG")) == "black_and_white"
    assert code_of(encode(GREY, "PNG"), max_pixels=299 * 300) == "too_many_pixels"
    assert code_of(encode(frames[0], "PNG", save_all=True, append_images=frames[1:])) == "animated"
    assert code_of(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])) == "animated"
    assert code_of(encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])) == "animated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    data = encode(GREY, kind)
    assert code_of(data[: len(data) * 6 // 10]) in ("truncated", "undecodable", "not_an_image")


def test_a_damaged_bit_among_a_png_s_pixels_is_noticed() -> None:
    whole = encode(GREY, "PNG")
    for place in np.random.default_rng(0).integers(100, len(whole) - 100, 60):
        damaged = bytearray(whole)
        damaged[place] ^= 16
        assert code_of(bytes(damaged)) in ("truncated", "undecodable"), place


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = encode(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000
    assert code_of(bomb) == "too_many_pixels"


@pytest.mark.parametrize("size", [(50_000_000, 1), (100_000, 1), (1, 2_000), (2_100, 100)])
def test_what_is_long_and_narrow_is_refused(size: tuple[int, int]) -> None:
    assert code_of(encode(Image.new("1", size), "PNG")) == "too_long"


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.floats(1, 20), st.booleans(), st.sampled_from(["white", "gradient"]))
def test_a_picture_of_any_size_reaches_the_network(short: int, proportion: float, upright: bool, look: str) -> None:
    size = (short, int(short * proportion)) if upright else (int(short * proportion), short)
    picture = Image.new("L", size, 255) if look == "white" else Image.linear_gradient("L").resize(size)
    prepared = prepare_bytes(encode(picture, "PNG"))
    assert (prepared.width, prepared.height) == size
    assert np.isfinite(prepared.sample.measures).all()


def test_what_preparing_stumbles_over_costs_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(preparing, "prepare", stumble)
    refused = preparing.prepared_or_why_not(encode(GREY, "PNG"))
    assert isinstance(refused, BadPicture)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files_give_a_picture_or_a_typed_error(data: st.DataObject) -> None:
    whole = bytearray(encode(GREY.resize((64, 64)), data.draw(st.sampled_from(["JPEG", "PNG", "TIFF", "BMP", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    except BadPicture as error:
        assert error.code in (
            "not_an_image",
            "truncated",
            "undecodable",
            "too_many_pixels",
            "too_long",
            "animated",
            "black_and_white",
        )
    else:
        assert picture.grey.ndim == 2
