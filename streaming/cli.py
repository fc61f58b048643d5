"""``casting consume``, ``casting verify`` and ``casting dead``: what is done with topic and lake by hand."""

import json
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from inspection.reconciliation import Account, Break, Late
    from streaming.kafka import Kafka
    from streaming.settings import Settings

T = TypeVar("T")


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    app.command()(consume)
    app.command()(verify)
    dead = typer.Typer(no_args_is_help=True, help="Records that could not be read: list them, send them again.")
    dead.command("list")(dead_list)
    dead.command("replay")(dead_replay)
    app.add_typer(dead, name="dead")


def consume() -> None:
    """Carry events from Kafka into the lake until told to stop. Settings: docs/settings.md."""
    from streaming.running import run

    settings, kafka = _kafka()
    sys.exit(run(settings, kafka))


def verify(
    lake: Annotated[
        str | None, typer.Option(help="The lake's root: a folder, or hdfs://…; default: CASTING_LAKE.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the lake against what was issued. Exit 3: something is missing, doubled or late; 1: no lake is there."""
    from streaming.root import open_folder
    from streaming.settings import Settings
    from streaming.verify import as_dict
    from streaming.verify import verify as count

    settings = Settings()
    root = lake or settings.lake_root
    try:
        account = count(open_folder(root, settings.webhdfs, settings.webhdfs_ca, settings.webhdfs_kerberos))
    except OSError as error:
        print(f"casting verify: {error}", file=sys.stderr)
        sys.exit(1)
    if not account.files:
        print(f"casting verify: no file of a lake lies in {root}: nothing can be said of it.", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(as_dict(account), indent=1) if as_json else _table(account))
    sys.exit(0 if account.whole else 3)


def dead_list(as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Print every dead letter: where it was found, and why it could not be read."""
    from streaming.letters import kept

    for letter in _done(kept(_kafka()[1])):
        topic, partition, offset = letter.place
        if as_json:
            value = letter.value.decode(errors="replace")
            row = {"at": letter.at, "reason": letter.reason, "topic": topic, "partition": partition, "offset": offset}
            row |= {"appended_at": letter.appended_at.isoformat(), "journal": letter.journal, "number": letter.number}
            print(json.dumps({**row, "value": value}))
        else:
            place = f"{letter.appended_at.date()}  {topic}/{partition}@{offset}"
            print(f"{letter.at:6}  {place}  {len(letter.value):,} bytes  {letter.reason}")


def dead_replay(
    at: Annotated[
        list[int] | None, typer.Argument(help="Numbers of the list's first column; none: all of the last 50 days.")
    ] = None,
) -> None:
    """Send dead letters to their partition again, after what reads them was mended."""
    from datetime import UTC, datetime

    from streaming.letters import chosen, kept, replay

    async def again() -> tuple[int, int]:
        found = await kept(kafka)
        letters = chosen(found, at or (), datetime.now(UTC))
        await replay(kafka, letters)
        return len(letters), len(found)

    kafka = _kafka()[1]
    sent, found = _done(again())
    print(f"sent again: {sent}")
    if not at and sent < found:
        print(f"older than 50 days, to be named: {found - sent}; docs/operations.md says when", file=sys.stderr)


def _done(work: Coroutine[Any, Any, T]) -> T:
    """The result; a Kafka that is away or unfit is said in one line."""
    import asyncio

    from streaming.kafka import Away, UnfitTopic

    try:
        return asyncio.run(work)
    except (Away, UnfitTopic) as error:
        print(f"casting dead: {error}", file=sys.stderr)
        sys.exit(1)


def _kafka() -> "tuple[Settings, Kafka]":
    from streaming.settings import Settings

    settings = Settings()
    kafka = settings.broker
    if kafka is None:
        print("casting: CASTING_KAFKA is not set; without it `casting serve` fills the lake itself.", file=sys.stderr)
        sys.exit(2)
    return settings, kafka


def _table(account: "Account") -> str:
    from inspection.ranges import count
    from streaming.verify import MOST_RANGES

    names = ("stated", "stored", "missing", "doubled", "dead", "outstanding", "retired")
    lines = [f"{'journal':34}" + "".join(f"{name:>13}" for name in names)]
    for journal in account.journals:
        values = (getattr(journal, name) for name in names)
        numbers = (value if isinstance(value, int) else count(value) for value in values)
        lines.append(f"{journal.journal:34}" + "".join(f"{number:13,}" for number in numbers))
        lines += [f"  missing: {first} to {last}" for first, last in journal.missing[:MOST_RANGES]]
    lines.append(f"{'total':34}" + "".join(f"{account.total(name):13,}" for name in names))
    lines += [f"broken chain: {_broken(found)}" for found in account.breaks]
    lines += [f"late or lost: {_late(late)}" for late in account.late]
    proven = account.proven_until
    until = proven.isoformat(timespec="seconds") if proven else "never (a partition has no statement yet)"
    lines.append(f"{'whole' if account.whole else 'NOT WHOLE'}; {account.files} files; speaks up to {until}")
    return "\n".join(lines)


def _broken(found: "Break") -> str:
    said = {
        "name": "its name says {expected}, its footer {found}",
        "start": "starts at {found}, the file before it ends at {expected}",
        "source": "comes from {found}, the file before it from {expected}",
        "damaged": "{found}",
    }[found.what]
    return f"{found.path}: {said.format(found=found.found, expected=found.expected)}"


def _late(late: "Late") -> str:
    since = late.since.isoformat(timespec="seconds") if late.since else "ever"
    if late.what == "partition":
        return f"partition {late.where}: no statement since {since}, others have newer ones"
    return f"journal {late.where}: {late.numbers[0][0]} to {late.numbers[0][1]} outstanding since {since}"
