"""The results as a table: ``python -m tests.chaos.table docs/chaos.json README.md README.ko.md`` writes it there."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"(<!-- table: chaos -->\n).*?(<!-- end -->)", re.DOTALL)
_COLUMNS = ("tried", "answered", "lost", "doubled")


def markdown(state: Mapping[str, Any]) -> str:
    """One row a fault, in the order of their names, and their sum."""
    rows = sorted(state["rows"], key=lambda row: (row["fault"] == "no fault", row["fault"]))
    sums = {name: sum(row[name] for row in rows) for name in (*_COLUMNS, "killed")}
    sums["tried"] -= sum(row["tried"] for row in rows if row["fault"] == "no fault")
    lines = ["| fault | times tried | answered | lost | doubled |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        tried = "" if row["fault"] == "no fault" else row["tried"]
        lines.append(f"| {row['fault']} | {tried} | {row['answered']:,} | {row['lost']} | {row['doubled']} |")
    total = f"**{sums['killed']} processes killed**"
    lines.append(f"| {total} | {sums['tried']} | {sums['answered']:,} | **{sums['lost']}** | **{sums['doubled']}** |")
    return "\n".join(lines) + "\n"


def written(page: str, state: Mapping[str, Any]) -> str:
    """The page with its table replaced."""
    return _PLACE.sub(lambda match: match[1] + markdown(state) + match[2], page)


if __name__ == "__main__":
    results = json.loads(Path(sys.argv[1]).read_text())
    for path in map(Path, sys.argv[2:]):
        path.write_text(written(path.read_text(), results))
