"""The table of settings, made from the code: ``python -m tests.docs.settings`` writes it into docs/settings.md."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from deployments.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
_PLACE = re.compile(r"(<!-- table: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def table() -> str:
    """One row a setting: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        unset = field.default is None or field.default is PydanticUndefined
        default = "" if unset else f"`{int(field.default) if isinstance(field.default, bool) else field.default}`"
        lines.append(f"| `CASTING_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """The page with its table replaced by the code's."""
    return _PLACE.sub(lambda match: match[1] + table() + match[2], PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(written())
