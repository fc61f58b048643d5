"""The tables of settings, made from the code: ``python -m tests.docs.settings`` writes them into docs/settings.md."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from deployments.settings import Settings
from streaming.settings import Settings as Streaming

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
_PLACE = re.compile(r"(<!-- (table|kafka): .*? -->\n).*?(<!-- end -->)", re.DOTALL)
#: What relay and consumer read besides.
STREAMING = {name: field for name, field in Streaming.model_fields.items() if name not in Settings.model_fields}


def table(fields: Mapping[str, FieldInfo]) -> str:
    """One row a setting: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in fields.items():
        unset = field.default is None or field.default is PydanticUndefined
        default = "" if unset else f"`{int(field.default) if isinstance(field.default, bool) else field.default}`"
        lines.append(f"| `CASTING_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """The page with its tables replaced by the code's."""
    tables = {"table": table(Settings.model_fields), "kafka": table(STREAMING)}
    return _PLACE.sub(lambda match: match[1] + tables[match[2]] + match[3], PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(written())
