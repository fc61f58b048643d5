"""Opens a database: connection settings that durability depends on, and the schema brought to its newest version."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x6361737401  # any constant: "cast", 1


def connect(url: str) -> Engine:
    """An engine for ``url`` whose commits survive a power cut, the schema migrated.

    Raises:
        Unavailable: ``ledger_unavailable`` when the database can't be reached or migrated.
    """
    try:
        engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
        migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error
    return engine


def unavailable(error: Exception) -> Unavailable:
    """A database error as users see it: kind and first line, never statements or values."""
    reason = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
    return Unavailable("ledger_unavailable", f"The ledger can't be used now: {reason}", retry_after=2.0)


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise OSError("SQLite needs a file: several processes share the ledger.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=8)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below opens the transactions
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "cache_size=-65536",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the write lock at once: upgrading a read transaction later fails when another wrote.
        mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(url, pool_size=8, pool_pre_ping=True, connect_args={"connect_timeout": 5})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the schema to its newest version; safe when several processes start at once."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        lock = Path(f"{engine.url.database}.migration-lock")
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with writing(engine) as connection:
                yield connection
    else:
        with writing(engine) as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection


def insert_new(connection: Connection, table: Table) -> Any:
    """An insert into ``table`` that leaves rows alone that are already there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()
