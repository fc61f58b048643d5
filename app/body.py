"""Reads a request's pictures under limits: nothing is kept that exceeds them, and slow senders are cut off."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from app.ports import Limits
from inspection.errors import BadRequest, Unavailable

MAX_FIELD_BYTES = 4096
MAX_FIELDS = 32
MAX_FILENAME = 255


@dataclass(slots=True)
class Upload:
    """One file as sent; the name is only a label, already without folders and control characters."""

    filename: str | None
    data: bytes


@dataclass(slots=True)
class Body:
    uploads: list[Upload] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


Take = Callable[[int], None]


class Intake:
    """How many bytes the calls under way hold in this process: however many callers there are, memory has a bound."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    @contextmanager
    def call(self) -> Iterator[Take]:
        """What is given holds so many bytes more until the end of the block.

        It raises BadRequest (``too_large``) when the call is too large, Unavailable (``full``) when all together are.
        """
        size = 0

        def take(count: int) -> None:
            nonlocal size
            size += count
            self.held += count
            if size > self._limits.max_body_bytes:
                raise _too_large(self._limits)
            if self.held > self._limits.max_held_bytes:
                raise Unavailable("full", "Too many bytes are on their way; try again in a moment.")

        try:
            yield take
        finally:
            self.held -= size


async def read(request: Request, limits: Limits, take: Take) -> Body:
    """Read a multipart form or one raw picture; ``take`` is told of every chunk before it is kept.

    Raises:
        BadRequest: ``unsupported_media_type``, ``malformed_form``, ``no_file``, ``too_many_files``, ``too_large``,
            ``slow_body``, ``cut_off``.
        Unavailable: ``full``.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_body_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            if kind == b"multipart/form-data":
                return await _form(request, options.get(b"boundary", b""), limits, take)
            if kind.startswith(b"image/") or kind == b"application/octet-stream":
                return await _raw(request, take)
    except TimeoutError as error:
        raise BadRequest("slow_body", f"The body did not arrive within {limits.body_seconds:g} s.") from error
    except ClientDisconnect as error:
        raise BadRequest("cut_off", "The connection ended before the body did.") from error
    raise BadRequest("unsupported_media_type", "Send multipart/form-data with 'file', or one raw body as image/*.")


async def _raw(request: Request, take: Take) -> Body:
    data = bytearray()
    async for chunk in request.stream():
        take(len(chunk))
        data += chunk
    return Body([Upload(clean_filename(request.query_params.get("filename")), bytes(data))])


async def _form(request: Request, boundary: bytes, limits: Limits, take: Take) -> Body:
    if not boundary:
        raise BadRequest("malformed_form", "The form's boundary is missing.")
    form = _Form(limits)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            take(len(chunk))
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise BadRequest("malformed_form", "The form could not be read.") from error
    if not form.ended:
        raise BadRequest("malformed_form", "The form ends early.")
    if not form.body.uploads:
        raise BadRequest("no_file", "The form has no field 'file'.")
    return form.body


class _Form:
    """Collects parts as the parser meets them."""

    def __init__(self, limits: Limits) -> None:
        self.body = Body()
        self.ended = False
        self._limits = limits
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._name = ""
        self._data = bytearray()
        self._filename: str | None = None

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._header.clear()
        self._value.clear()
        self._disposition, self._name, self._filename = b"", "", None
        self._data = bytearray()

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" in options:
            self._filename = options[b"filename"].decode(errors="replace")
        if self._name != "file" and self._filename is not None:
            raise BadRequest("no_file", "Pictures go into the form's field 'file'.")
        if self._name == "file" and len(self.body.uploads) >= self._limits.max_files:
            raise BadRequest("too_many_files", f"At most {self._limits.max_files} pictures a call.")
        if self._name != "file" and len(self.body.fields) >= MAX_FIELDS:
            raise BadRequest("malformed_form", f"At most {MAX_FIELDS} fields a call.")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if self._name != "file" and len(self._data) > MAX_FIELD_BYTES:
            raise BadRequest("malformed_form", f"A field holds at most {MAX_FIELD_BYTES} bytes.")

    def _part_end(self) -> None:
        if self._name == "file":
            self.body.uploads.append(Upload(clean_filename(self._filename), bytes(self._data)))
        else:
            self.body.fields[self._name] = self._data.decode(errors="replace")

    def _end(self) -> None:
        self.ended = True


def clean_filename(given: str | None) -> str | None:
    """The last part of a path, printable, at most 255 characters; None when nothing is left."""
    if not given:
        return None
    name = unquote(given).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable())[:MAX_FILENAME]
    return name or None


def _too_large(limits: Limits) -> BadRequest:
    return BadRequest("too_large", f"A call takes at most {limits.max_body_bytes // 1024 // 1024} MiB.")
