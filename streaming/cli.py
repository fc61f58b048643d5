"""``casting verify``: is the lake whole."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streaming.verify import Verdict


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    app.command()(verify)


def verify(
    lake: Annotated[str, typer.Option(help="The lake's root: a folder.", envvar="CASTING_LAKE")] = "var/lake",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the lake against what was issued. Exit status 3: something is missing, doubled or late."""
    from streaming.folder import LocalFolder
    from streaming.verify import verify as count

    verdict = count(LocalFolder(Path(lake)))
    print(json.dumps(verdict.as_dict(), indent=1) if as_json else _table(verdict))
    sys.exit(0 if verdict.whole else 3)


def _table(verdict: "Verdict") -> str:
    names = ("stated", "stored", "missing", "doubled", "dead", "outstanding")
    lines = [f"{'journal':34}" + "".join(f"{name:>13}" for name in names)]
    for journal in verdict.journals:
        lines.append(f"{journal.journal:34}" + "".join(f"{getattr(journal, name):13,}" for name in names))
        lines += [f"  missing: {first} to {last}" for first, last in journal.where]
    lines.append(f"{'total':34}" + "".join(f"{verdict.total(name):13,}" for name in names))
    lines += [f"broken chain: {text}" for text in verdict.breaks]
    until = verdict.until.isoformat(timespec="seconds") if verdict.until else "never (no statement is stored yet)"
    lines.append(f"{'whole' if verdict.whole else 'NOT WHOLE'}; {verdict.files} files; speaks up to {until}")
    return "\n".join(lines)
