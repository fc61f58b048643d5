"""The tables of settings, made from the code: ``python -m tests.docs.settings`` writes them into docs/settings.md."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.settings import ClientSettings
from deployments.settings import Settings
from inspection.settings import Shared
from reports.settings import Settings as Reporting
from streaming.settings import Settings as Streaming

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
_PLACE = re.compile(r"(<!-- (\w+): written by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
#: Each with what its own class declares; what it inherits stands in another.
CLASSES: Mapping[str, type[Shared]] = {
    "shared": Shared,
    "service": Settings,
    "streaming": Streaming,
    "report": Reporting,
    "client": ClientSettings,
}
FIELDS: Mapping[str, Mapping[str, FieldInfo]] = {
    place: {name: field for name, field in made.model_fields.items() if name in made.__annotations__}
    for place, made in CLASSES.items()
}


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
    return _PLACE.sub(lambda match: match[1] + table(FIELDS[match[2]]) + match[3], PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(written())
