"""``casting score``: options, printed progress and the exit status only."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scoring.score import Progress

NOT_WHOLE = 3


def add(app: typer.Typer, publish: Callable[[Path], int], gpu_engine: Callable[[Path], Any]) -> None:
    """Register the subcommand; ``publish`` records a scoring's rows and returns how many, ``gpu_engine`` loads a
    bundle on a GPU."""

    def score(
        sources: Annotated[
            list[str], typer.Argument(help="Folders, zip, tar (plain, gz, zst), .txt lists, hdfs://, s3://.")
        ],
        out: Annotated[Path, typer.Option(help="Where results/, results.csv, summary.json and report.html go.")],
        model: Annotated[Path | None, typer.Option(help="A bundle; default: the champion.")] = None,
        workers: Annotated[int | None, typer.Option(min=1, help="Judging actors; default: one a core.")] = None,
        gpu: Annotated[bool, typer.Option("--gpu", help="Decode on cores, judge on GPUs (rounds otherwise).")] = False,
        force: Annotated[bool, typer.Option("--force", help="Start over.")] = False,
        record: Annotated[bool, typer.Option("--publish", help="Record the rows in the ledger too.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines.")] = False,
    ) -> None:
        """Judge an archive of any size. Killed, the same command goes on; exit status 3 when some members were bad."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        from inspection.bundle import champion
        from inspection.settings import Shared
        from scoring.report import write_report
        from scoring.results import read_summary
        from scoring.score import quiet_ray, score

        bundle = (model or champion(Shared().models)).resolve()
        quiet_ray()
        try:
            places = [source if "://" in source else str(Path(source).absolute()) for source in sources]
            out = out.absolute()
            score(
                places,
                out,
                bundle,
                workers=workers,
                force=force,
                progress=_json if as_json else _line,
                gpu=gpu_engine if gpu else None,
            )
        finally:
            ray.shutdown()
        summary = read_summary(out)
        write_report(out, bundle.name)
        typer.echo(json.dumps(summary) if as_json else _told(summary, out))
        if record:
            typer.echo(f"{publish(out)} inspections recorded in the ledger.", err=True)
        if summary["failed"]:
            raise typer.Exit(NOT_WHOLE)

    app.command("score")(score)


def _line(progress: "Progress") -> None:
    rate = (progress.done - progress.before) / progress.seconds if progress.seconds > 0 else 0.0
    text = f"{progress.done:,} judged"
    if progress.listed is not None and rate > 0:
        text = f"{progress.done:,} of {progress.listed:,}  ETA {(progress.listed - progress.done) / rate:.0f} s"
    text += f"  {rate:.0f}/s  {progress.failed} bad  {progress.defects} defects"
    print(text, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def _json(progress: "Progress") -> None:
    print(json.dumps(asdict(progress)), flush=True)


def _told(summary: dict[str, object], out: Path) -> str:
    return f"{summary['members']} members, {summary['failed']} bad, verdicts {summary['verdicts']}: {out}"
