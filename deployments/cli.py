"""``casting serve``."""

import sys

import typer


def add(app: typer.Typer) -> None:
    """Register the subcommands."""
    app.command()(serve)


def serve() -> None:
    """Start everything on this machine and print the address of the page. Settings: docs/settings.md."""
    from deployments.settings import Settings
    from deployments.supervisor import Supervisor

    sys.exit(Supervisor(Settings()).run())
