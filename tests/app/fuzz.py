"""Damaged and made-up input for the two places where strangers' bytes are read: the decoder and the form.

    python -m tests.app.fuzz [inputs]           (or: make fuzz)

Whatever comes in, the outcome is a picture or a form within its limits, or the product's own error: never another
exception. Prints how many inputs were tried.
"""

import asyncio
import io
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.requests import Request
from starlette.types import Message

from app.body import MAX_FIELD_BYTES, MAX_FILENAME, Intake, read
from inspection.errors import BadPicture, BadRequest
from inspection.picture import FORMATS
from inspection.preparing import prepare_bytes
from inspection.preprocessing import SHAPE
from tests.serving import LIMITS

MAX_PIXELS = 10_000
SMALL = replace(LIMITS, max_files=3, max_body_bytes=4096)
BOUNDARY = "b0"

Damage = Callable[[bytes], bytes]


def _pictures() -> list[bytes]:
    """One small picture a format and mode."""
    found = []
    for kind in FORMATS:
        for mode in ("L", "RGB") if kind != "TIFF" else ("L", "RGB", "I;16", "F"):
            out = io.BytesIO()
            Image.linear_gradient("L").resize((24, 24)).convert(mode).save(out, kind)
            found.append(out.getvalue())
    return found


def _part(name: str, value: bytes, filename: str | None) -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + value + b"\r\n"


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes overwritten, inserted, cut out; sometimes the end is missing."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        new = draw(st.binary(max_size=8))
        data[at : at + draw(st.integers(0, 16))] = new
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


PICTURES = st.one_of(_damaged(st.sampled_from(_pictures())), st.binary(max_size=64))
NAMES = st.sampled_from(["file", "lot", "line", ""])
PARTS = st.builds(_part, NAMES, st.binary(max_size=64), st.none() | st.text(max_size=12).map(repr))
FORMS = _damaged(st.lists(PARTS, max_size=6).map(lambda parts: b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()))


def decoder(inputs: int) -> None:
    """Try so many inputs on the decoder and on what finds the part; raises on the first that it can't cope with."""

    @settings(max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(PICTURES)
    def holds(data: bytes) -> None:
        try:
            prepared = prepare_bytes(data, MAX_PIXELS)
        except BadPicture as error:
            assert error.code
        else:
            assert prepared.sample.pixels.shape == SHAPE
            assert 0 < prepared.width * prepared.height <= MAX_PIXELS

    holds()


def form(inputs: int) -> None:
    """Try so many inputs on the form, in chunks of any size; raises on the first that it can't cope with."""
    with asyncio.Runner() as runner:

        @settings(max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(FORMS, st.integers(1, 200))
        def holds(data: bytes, chunk: int) -> None:
            intake = Intake(SMALL)
            try:
                with intake.call() as take:
                    body = runner.run(read(_request(data, chunk), SMALL, take))
            except BadRequest as error:
                assert error.code
            else:
                assert 1 <= len(body.uploads) <= SMALL.max_files
                assert all(len(upload.filename or "") <= MAX_FILENAME for upload in body.uploads)
                assert all("/" not in (upload.filename or "") for upload in body.uploads)
                assert all(len(value) <= MAX_FIELD_BYTES for value in body.fields.values())
            assert intake.held == 0

        holds()


def _request(data: bytes, chunk: int) -> Request:
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)] or [b""]

    async def receive() -> Message:
        body = chunks.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(chunks)}

    kind = f"multipart/form-data; boundary={BOUNDARY}".encode()
    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)


if __name__ == "__main__":
    warnings.simplefilter("error")
    logging.disable()
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    for target in (decoder, form):
        target(wanted // 2)
        print(f"{target.__name__}: {wanted // 2:,} inputs, none that it can't cope with", flush=True)
