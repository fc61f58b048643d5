"""What the caller says of the part that the picture shows; all optional, all bounded."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from inspection.errors import BadRequest

MAX_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Part:
    """A part's data as given by the caller: at most 128 printable characters each, None where not said."""

    part_id: str | None = None
    lot: str | None = None
    line: str | None = None
    camera: str | None = None
    shift: str | None = None
    operator: str | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "Part":
        """Pick the part's fields out of ``given`` (form fields or query parameters); others are left alone.

        Raises:
            BadRequest: ``bad_part_data`` when a value is too long or holds control characters.
        """
        return cls(**{field.name: _clean(field.name, given.get(field.name)) for field in fields(cls)})


def _clean(name: str, value: str | None) -> str | None:
    text = value.strip() if value is not None else ""
    if not text:
        return None
    if len(text) > MAX_LENGTH:
        raise BadRequest("bad_part_data", f"'{name}' has {len(text)} characters; at most {MAX_LENGTH} are kept.")
    if not text.isprintable():
        raise BadRequest("bad_part_data", f"'{name}' holds control characters.")
    return text
