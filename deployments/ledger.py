"""``casting keys``, ``export`` and ``restored``: what an operator asks of the ledger directly, without the service."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspection.judgement import DEF_FRONT, OK_FRONT

if TYPE_CHECKING:
    from ledger import Ledger

keys = typer.Typer(no_args_is_help=True, help="API keys: shown once, in force and revoked at once at every replica.")


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    app.add_typer(keys, name="keys")
    app.command()(export)
    app.command()(restored)


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Who or what will use it, such as 'camera line 3'.")],
    role: Annotated[str, typer.Option(help="camera: predict; inspector: also read and audit; admin: all.")] = "camera",
    secret_file: Annotated[
        Path | None, typer.Option(help="A file with a secret made elsewhere; run again, nothing changes.")
    ] = None,
) -> None:
    """Make a key and print it: it is shown now and never again. A secret of your own is not printed."""
    given = secret_file.read_text().strip() if secret_file else None
    with _ledger() as ledger:
        secret = ledger.keys.add(role, name, given)
    print("The key of the file is in force, unless it was revoked." if given else secret)


@keys.command("list")
def list_keys() -> None:
    """Print every key's id, role, name and dates; never its secret."""
    with _ledger() as ledger:
        for key in ledger.keys.list():
            state = f"revoked {key.revoked_at}" if key.revoked_at else "in force"
            print(f"{key.id}  {key.role:9}  {key.created_at}  {state}  {key.name}")


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The id that 'casting keys list' shows.")]) -> None:
    """Revoke a key for ever, at every replica."""
    with _ledger() as ledger:
        ledger.keys.revoke(key_id)


def export(out: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Write settled parts with their pictures into OUT/ok_front and OUT/def_front, as 'casting train --data' reads."""
    from inspection.picture import format_of

    out.mkdir(parents=True)
    counts = {OK_FRONT: 0, DEF_FRONT: 0}
    for label in counts:
        (out / label).mkdir()
    with _ledger() as ledger, (out / "settled.csv").open("w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(("path", "label", "verdict", "p_defect", "model_version", "occurred_at"))
        for part in ledger.settled():
            path = f"{part.label}/{part.inspection.event_id}.{format_of(part.picture)}"
            (out / path).write_bytes(part.picture)
            counts[part.label] += 1
            seen = part.inspection
            rows.writerow((path, part.label, seen.verdict, seen.p_defect, seen.model_version, seen.occurred_at))
    print(", ".join(f"{count} {label}" for label, count in counts.items()))


def restored() -> None:
    """Say that the ledger was restored from a backup, before the service starts: its lake goes on in new files."""
    with _ledger() as ledger:
        print(f"The ledger is now {ledger.renew()}.")


@contextmanager
def _ledger() -> Iterator["Ledger"]:
    from deployments.settings import Settings
    from ledger import Ledger

    ledger = Ledger.open(Settings().ledger_url)
    try:
        yield ledger
    finally:
        ledger.close()
