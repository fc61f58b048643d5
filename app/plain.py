"""Names that people give with a decision: what is stored and shown must be readable."""

from typing import Annotated

from pydantic import AfterValidator, Field

from inspection.part import MAX_LENGTH


def _plain(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("needs printable characters")
    return text


#: At most 128 printable characters, blanks around them taken away.
Plain = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(_plain)]
