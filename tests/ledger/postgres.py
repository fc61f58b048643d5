"""A real PostgreSQL for the tests: a throw-away cluster on a free loopback port, stopped by its own pid."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: No durability is lost that the tests rely on: they kill processes, not the machine.
SETTINGS = ("max_connections=60", "shared_buffers=64MB", "fsync=off", "full_page_writes=off")


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server and yield the SQLAlchemy URL of its database ``postgres``."""
    folder = Path(tempfile.mkdtemp(prefix="castpg"))
    as_owner = _as_owner(folder)
    data, port = folder / "data", _free_port()
    _run([*as_owner, _program("initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"])
    options = [f"-c {setting}" for setting in (*SETTINGS, "listen_addresses=127.0.0.1", f"port={port}")]
    control = [*as_owner, _program("pg_ctl"), "-D", str(data), "-w"]
    _run([*control, "-l", str(folder / "log"), "-o", " ".join([*options, f"-k {folder}"]), "start"])
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        _run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder)


def _as_owner(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def _program(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} of PostgreSQL is missing; tests/system-packages installs it")
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
