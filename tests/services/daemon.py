"""Java daemons for tests: jars fetched once from the Maven repository, processes ended by their own pids.

The jars (about 150 MB) lie in ``CASTING_TEST_CACHE``, by default ``~/.cache/casting-inspector``.
"""

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path


def cache() -> Path:
    folder = os.environ.get("CASTING_TEST_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "casting-inspector"


def jars(organisation: str, name: str, version: str) -> str:
    """A class path of this artifact and all it needs; fetched by the Ivy that comes with PySpark."""
    folder = cache() / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may come at once
        if not (folder / "complete").exists():
            _fetch(folder, organisation, name, version)
            (folder / "complete").touch()
    return f"{folder}/*"


def _fetch(folder: Path, *artifact: str) -> None:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    (ivy,) = (Path(spec.origin).parent / "jars").glob("ivy-*.jar")
    pattern = f"{folder}/[artifact]-[revision](-[classifier]).[ext]"
    where = ["-cache", str(cache() / "ivy"), "-confs", "default"]
    command = ["java", "-cp", str(ivy), "org.apache.ivy.Main", *where, "-dependency", *artifact, "-retrieve", pattern]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Daemon:
    """One Java process that can be killed, frozen and started again over the same data."""

    def __init__(
        self, log: Path, heap_mb: int, class_path: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """``variables`` are added to the environment; looked up at each start."""
        self._log = log
        self._variables = {} if variables is None else variables
        self._command = ["java", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-cp", class_path, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(self._variables)
                )

    def end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "HADOOP_USER_NAME": "casting", **(more or {})}


def wait(check: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Until ``check`` is true; errors of the network count as no.

    Its own pauses are counted, not the clock: a time in which all of this stood still is held against nobody.
    """
    for _ in range(int(seconds * 10)):
        try:
            if check():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come in {seconds} s")
