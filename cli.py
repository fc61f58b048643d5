"""The ``casting`` command: gathers the subcommands of every package and maps expected errors to exit statuses.

0 done, 1 failed, 2 wrong usage, 3 finished but not whole. Each subcommand imports what it needs when it runs.
"""

import importlib
import sys

import typer

from inspection.errors import InspectorError

PACKAGES = ("deployments", "app", "streaming", "training", "reports")


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

    @app.callback(help="Visual inspection of castings, from a picture to a verdict that can be proven.")
    def casting() -> None:
        pass

    for package in PACKAGES:
        importlib.import_module(f"{package}.cli").add(app)
    return app


def main() -> None:
    """Run, and say expected errors in one line."""
    try:
        build()()
    except InspectorError as error:
        print(f"casting: {error}", file=sys.stderr)
        sys.exit(1)
    except ValueError as error:
        print(f"casting: {_wrong_settings(error)}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in (*PACKAGES, "inspection", "ledger", "scoring"):
            raise
        print(f"casting: this needs {error.name}, which serving does not. `make setup` installs all.", file=sys.stderr)
        sys.exit(1)


def _wrong_settings(error: ValueError) -> str:
    """Which settings can't be, in one line; whatever else it is, is raised again."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        raise error
    named = (("".join(f"CASTING_{name}: ".upper() for name in wrong["loc"]), wrong["msg"]) for wrong in error.errors())
    return "; ".join(name + message.removeprefix("Value error, ") for name, message in named)


if __name__ == "__main__":  # for `spark-submit cli.py report`
    main()
