"""``casting report``: what the quality engineer reads, once or again and again. ``casting compact``."""

import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reports.period import Period
    from reports.report import Wanted

_DAY = ["%Y-%m-%d"]


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    app.command()(report)
    app.command()(compact)


def report(
    lake: Annotated[
        str | None, typer.Option(help="The lake's root: a folder, or hdfs://…; default: CASTING_LAKE.")
    ] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="First local day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last local day.")] = None,
    out: Annotated[Path | None, typer.Option(help="A local folder that gets a copy, as OUT/date=…/index.html.")] = None,
    reports: Annotated[str | None, typer.Option(help="Where reports lie; beside the lake by default.")] = None,
    baseline: Annotated[str | None, typer.Option(help="Freeze the limits' days: FIRST..LAST.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA name; rules days and hours; default: CASTING_TIMEZONE.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option(help="Model bundles, for the reference; default: CASTING_MODELS.")
    ] = None,
    master: Annotated[str | None, typer.Option(help="Spark master; this machine by default.")] = None,
    memory: Annotated[str, typer.Option(help="Memory of Spark's driver.")] = "2g",
    language: Annotated[str, typer.Option(help="Shown at first: en or ko; the page has both.")] = "en",
    every: Annotated[str | None, typer.Option(help="Again every so often: 30m, 1h.")] = None,
) -> None:
    """Reconcile the lake and report on the line's quality. Exit status 3: something is missing, doubled or late."""
    from inspection.errors import InspectorError
    from reports import session
    from reports.page import LANGUAGES
    from reports.report import make
    from reports.settings import Settings

    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language is one of {', '.join(LANGUAGES)}")
    if first and last and first > last:
        raise typer.BadParameter("--from is after --to")
    settings = Settings()
    wanted = _wanted(
        lake or settings.lake_root,
        first,
        last,
        reports,
        baseline,
        timezone or settings.timezone,
        models or settings.models,
    )
    pause = _seconds(every) if every else None
    spark = session.start(master, memory)
    while True:
        try:
            told = make(spark, wanted, copy_to=out, language=language)
            _say(told, wanted)
        except InspectorError as error:
            if pause is None:
                raise
            print(f"casting: {error}", file=sys.stderr, flush=True)  # no lake yet, or HDFS is down: next time
        if pause is None:
            sys.exit(0 if told["reconciliation"]["whole"] else 3)
        time.sleep(pause)


def compact(
    lake: Annotated[
        str | None, typer.Option(help="The lake's root: a folder, or hdfs://…; default: CASTING_LAKE.")
    ] = None,
    master: Annotated[str | None, typer.Option(help="Spark master; this machine by default.")] = None,
    memory: Annotated[str, typer.Option(help="Memory of Spark's driver.")] = "2g",
) -> None:
    """Copy closed days (UTC) into few large files beside the lake, each reconciled. The lake is never rewritten."""
    from datetime import UTC

    from reports import session
    from reports.compact import compact as copy
    from reports.settings import Settings

    root = lake or Settings().lake_root
    for day in copy(session.start(master, memory), root, datetime.now(UTC).date()):
        print(f"{day.day}: {day.rows:,} events of {day.files:,} files", flush=True)


def _wanted(
    lake: str,
    first: datetime | None,
    last: datetime | None,
    reports: str | None,
    baseline: str | None,
    timezone: str,
    models: Path,
) -> "Wanted":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from reports.report import Wanted

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of the zones
        raise typer.BadParameter(f"{timezone} is no time zone") from error
    return Wanted(
        lake,
        zone,
        first.date() if first else None,
        last.date() if last else None,
        _period(baseline) if baseline else None,
        reports,
        _card(models),
    )


def _period(text: str) -> "Period":
    from reports.period import Period

    first, _, last = text.partition("..")
    try:
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
        if period.first > period.last:
            raise ValueError(text)
        return period
    except ValueError as error:
        raise typer.BadParameter("a baseline is FIRST..LAST, two days such as 2026-03-01..2026-03-07") from error


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    try:
        seconds = float(text[:-1]) * units[text[-1:]]
        if not 0 < seconds < 1e9:
            raise ValueError(text)
        return seconds
    except (ValueError, KeyError) as error:
        raise typer.BadParameter("--every is a number and s, m, h or d: 30m") from error


def _card(models: Path) -> "dict[str, Any] | None":
    """The champion's reference histograms; None where there is no champion or no reference."""
    import json

    from inspection.bundle import champion
    from inspection.errors import Unavailable

    try:
        card = json.loads((champion(models) / "card.json").read_text())
    except (Unavailable, OSError, ValueError):
        return None
    reference: dict[str, Any] | None = card.get("reference")
    return reference


def _say(told: "dict[str, Any]", wanted: "Wanted") -> None:
    from reports.page import say, words

    account = told["reconciliation"]
    names = ("issued", "stored", "missing", "doubled", "outstanding", "dead")
    print(("whole: " if account["whole"] else "NOT WHOLE: ") + ", ".join(f"{name} {account[name]:,}" for name in names))
    for finding in told["findings"]:
        print(f"{finding['level']}: {say(finding, words('en'))}")
    print(f"{wanted.folder(told['period']['to'])}/index.html", flush=True)
