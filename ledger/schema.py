"""Brings the schema to its newest version, also when several processes open a new ledger at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from ledger.database import transaction

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x6361737401  # any constant: "cast", 1


def migrate(engine: Engine) -> None:
    """Bring the schema to its newest version in one transaction; a ledger that has it is only looked at."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        # Locked before the file is first opened: two processes that switch a new file to WAL at once may both fail.
        with Path(f"{engine.url.database}.migration-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with transaction(engine) as connection:
                yield connection
    else:
        with transaction(engine) as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection
