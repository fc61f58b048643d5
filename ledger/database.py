"""Opens a database: the connection settings that durability depends on, and write transactions."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from inspection.errors import Unavailable

#: Seconds that a transaction waits for another's lock before it gives up with 503.
LOCK_SECONDS = 10
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit returns when it is on the disk
    f"busy_timeout={LOCK_SECONDS * 1000}",
    "cache_size=-65536",  # KiB
    "journal_size_limit=67108864",
)
#: A process that is frozen or cut off in the middle of a transaction must not keep its locks for ever.
_SERVER_OPTIONS = (
    f"-c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout=60s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


def connect(url: str) -> Engine:
    """An engine for ``url`` whose commits survive a power cut; nothing is opened yet.

    Raises:
        Unavailable: ``ledger_unavailable`` when the URL can't be used.
    """
    try:
        return _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> Unavailable:
    """A database error as users see it: its first line, never statements or values."""
    reason = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
    # Callers that were turned away together should not come back together.
    retry_after = 1.0 + random.random()  # noqa: S311
    return Unavailable("ledger_unavailable", f"The ledger can't be used now: {reason}", retry_after)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error; the database's errors as they are."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """As :func:`transaction`; raises Unavailable where the database fails."""
    try:
        with transaction(engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise unavailable(error) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One connection that only reads. Raises Unavailable where the database fails."""
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise unavailable(error) from error


def insert_new(connection: Connection, table: Table) -> Any:
    """An insert into ``table`` that leaves rows alone that are already there."""
    return upsert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that knows ``ON CONFLICT``, which both databases have in the same form."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise OSError("SQLite needs a file: several processes share the ledger.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False}, pool_size=8)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # _begin opens the transactions
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A writer takes the write lock at once: upgrading a read transaction later fails when another wrote meanwhile.
    mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    statement = f"BEGIN {mode}"
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(statement).close()  # past SQLAlchemy, which would take ten times as long
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def _postgresql(url: str) -> Engine:
    arguments: dict[str, Any] = {"connect_timeout": 5}
    if "options" not in make_url(url).query:
        arguments["options"] = _SERVER_OPTIONS
    return create_engine(url, pool_size=8, pool_pre_ping=True, connect_args=arguments)
