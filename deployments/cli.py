"""``casting serve``, ``relay``, ``score``, ``keys``, ``export`` and ``restored``."""

import sys
from pathlib import Path
from typing import Any

import typer


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    import scoring.cli
    from deployments import ledger, relay

    app.command()(serve)
    app.command()(relay.relay)
    ledger.add(app)
    scoring.cli.add(app, _publish, _gpu_engine)


def _publish(out: Path) -> int:
    from deployments.publishing import publish

    return publish(out)


def _gpu_engine(bundle: Path) -> Any:
    from deployments.gpu import gpu_engine

    return gpu_engine(bundle)


def serve() -> None:
    """Start everything on this machine and print the address of the page. Settings: docs/settings.md."""
    from deployments.settings import Settings
    from deployments.supervisor import Supervisor

    sys.exit(Supervisor(Settings()).run())
