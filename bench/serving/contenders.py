"""Who takes part: how each server is started on a free port, watched and ended. Knows no load."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.serving.report import OURS
from tests.deployments.service import free_port

ROOT = Path(__file__).parents[2]
VENVS = ROOT / "var" / "bench"
PEERS = "bench.serving.peers"
STARTING = 120.0  # seconds
#: What decode and engine need: the peers get the very versions that the product uses.
SHARED = ("numpy", "pillow", "openvino", "opencv-python-headless", "structlog")
PACKAGES = {
    "fastapi": (
        "fastapi==0.165.0",
        "uvicorn==0.54.0",
        "python-multipart==0.0.34",
        "httptools==0.9.0",
        "uvloop==0.23.0",
    ),
    "mosec": ("mosec==0.9.8",),
    "litserve": ("litserve==0.2.19", "python-multipart==0.0.34"),
    "bentoml": ("bentoml==1.4.39", "fastapi==0.165.0", "python-multipart==0.0.34"),
}


@dataclass(frozen=True, slots=True)
class Contender:
    """One server in one shape. ``venv`` None: the product itself; ``{port}`` in ``command`` is filled in."""

    name: str
    venv: str | None
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def _fastapi(name: str, shape: str, workers: int) -> Contender:
    command = ("-m", "uvicorn", f"{PEERS}.plain_fastapi:app", "--port", "{port}", "--no-access-log")
    settings = {"PEER_SHAPE": shape, "PEER_THREADS": "" if workers == 1 else "1"}
    return Contender(name, "fastapi", (*command, "--workers", str(workers)), settings)


def _peer(family: str, venv: str, command: tuple[str, ...], batch: int, workers: int) -> Contender:
    settings = {"PEER_BATCH": str(batch), "PEER_WORKERS": str(workers), "PEER_THREADS": "" if workers == 1 else "1"}
    return Contender(f"{family}, batch {batch}, {workers} workers", venv, command, settings)


_MOSEC = ("-m", f"{PEERS}.mosec_server", "--port", "{port}", "--address", "127.0.0.1", "--timeout", "60000")
_LITSERVE = ("-m", f"{PEERS}.litserve_server")
_BENTOML = ("-m", "bentoml", "serve", "--host", "127.0.0.1", "--port", "{port}")
CORES = os.cpu_count() or 1
CONTENDERS = (
    Contender(OURS, None, ()),
    Contender(f"{OURS}, decoding apart", None, (), {"CASTING_PREPARE": "apart"}),
    _fastapi("FastAPI, def", "threads", 1),
    _fastapi("FastAPI, async def", "loop", 1),
    _fastapi(f"FastAPI, def, {CORES} workers", "threads", CORES),
    _fastapi(f"FastAPI, async def, {CORES} workers", "loop", CORES),
    _peer("mosec", "mosec", _MOSEC, 1, CORES),
    _peer("mosec", "mosec", _MOSEC, 8, CORES),
    _peer("LitServe", "litserve", _LITSERVE, 1, CORES),
    _peer("LitServe", "litserve", _LITSERVE, 8, CORES),
    _peer("BentoML", "bentoml", (*_BENTOML, f"{PEERS}.bentoml_server:Whole"), 1, CORES),
    _peer("BentoML", "bentoml", (*_BENTOML, f"{PEERS}.bentoml_server:Apart"), 16, 1),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A started contender."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def root(self) -> psutil.Process:
        """The process that the others descend from."""
        return psutil.Process(self.process.pid)


@contextmanager
def running(contender: Contender, sample: tuple[bytes, str]) -> Iterator[Running]:
    """Start, wait until ``sample`` (body, content type) is answered with 200, and end everything it started."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, (Path(folder) / "log").open("wb") as log:
        command, environment = _started_by(contender, port, folder)
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait(process, port, sample, Path(folder) / "log")
            yield Running(port, process)
        finally:
            _end(process)


def install(venv: str) -> Path:
    """The interpreter of a peer's own environment under ``var/bench``, made when it is missing."""
    folder = VENVS / venv
    python = folder / "bin" / "python"
    done = folder / ".done"
    wanted = "\n".join((*(f"{name}=={version(name)}" for name in SHARED), *PACKAGES[venv]))
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted.split("\n")], check=True)
        done.write_text(wanted)
    return python


def _started_by(contender: Contender, port: int, folder: str) -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, **contender.settings}
    if contender.venv is None:
        environment |= {"CASTING_DATA_DIR": f"{folder}/var", "CASTING_PORT": str(port)}
        environment |= {"CASTING_MODELS": str(ROOT / "models")}
        return [str(Path(sys.executable).with_name("casting")), "serve"], environment
    environment |= {"PYTHONPATH": str(ROOT), "PEER_PORT": str(port), "BENTOML_DO_NOT_TRACK": "1"}
    environment |= {"BENTOML_HOME": f"{folder}/bentoml"}
    return [str(install(contender.venv)), *(part.format(port=port) for part in contender.command)], environment


def _wait(process: "subprocess.Popen[bytes]", port: int, sample: tuple[bytes, str], log: Path) -> None:
    body, kind = sample
    call = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"Content-Type": kind})
    end = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(call, timeout=20) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    _end(process)
    raise RuntimeError(log.read_text()[-4000:])


def _end(process: "subprocess.Popen[bytes]") -> None:
    tree = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
    for left in psutil.wait_procs(tree, timeout=5)[1]:
        left.kill()
