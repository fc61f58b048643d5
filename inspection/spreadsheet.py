"""What a stranger wrote into a field, made safe for a spreadsheet: it must not be run as a formula."""

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """``text``, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_STARTS) else text
