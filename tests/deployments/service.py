"""A running ``casting serve`` for tests: real processes on free ports, ended by their own pids."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.services.daemon import free_ports

ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """The service, its address, and its processes by what they do."""

    data: Path
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=40))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            try:
                if self.client.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.3)
        raise AssertionError(self.log.read_text()[-4000:])

    def processes(self) -> dict[str, psutil.Process]:
        """Descendants by the last word of their title: ingress, classifier, relay, ProxyActor, haproxy, raylet …"""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                title = (child.cmdline() or [child.name()])[0]
                command = " ".join(child.cmdline())
            except psutil.NoSuchProcess:
                continue
            if "deployments.node" in command:
                found["node"] = child
            else:
                found[title.rsplit("/", 1)[-1].split("::")[-1].split(":")[-1].split(".")[0].split(" ")[0]] = child
        return found

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)


def free_port() -> int:
    return free_ports(1)[0]


@contextmanager
def serving(data: Path, port: int | None = None, **settings: str) -> Iterator[Service]:
    """Start ``casting serve`` over ``data``; stop it at the end."""
    port = port or free_port()
    data.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "CASTING_DATA_DIR": str(data),
        "CASTING_PORT": str(port),
        "CASTING_MODELS": str(ROOT / "models"),
        **settings,
    }
    log = data / "serve.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("casting")), "serve"],
            cwd=data,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    service = Service(data, port, process, log)
    try:
        service.wait_ready()
        yield service
    finally:
        service.stop()
        service.client.close()
