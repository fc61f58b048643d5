"""``casting serve``, ``casting relay``, ``casting keys``, ``casting export`` and ``casting restored``."""

import sys

import typer


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    from deployments import ledger, relay

    app.command()(serve)
    app.command()(relay.relay)
    ledger.add(app)


def serve() -> None:
    """Start everything on this machine and print the address of the page. Settings: docs/settings.md."""
    from deployments.settings import Settings
    from deployments.supervisor import Supervisor

    sys.exit(Supervisor(Settings()).run())
