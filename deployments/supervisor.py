"""``casting serve``: keeps one node process running and leaves nothing behind.

The supervisor adopts every orphan of the node (Linux: child subreaper), so that whatever was killed, it can end what
is left before it starts again or leaves. It does nothing else, in order not to fail itself.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from types import FrameType

import psutil

from deployments.environment import for_ray, leave
from deployments.settings import Settings
from inspection.errors import Conflict

GRACE = 45.0  # seconds for a clean stop
STARTING = 180.0  # seconds for a start
SILENT = 30.0  # seconds without an answer to /health/live before the node is started anew
LOOK = 0.5
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """Runs until a signal; a node that dies or falls silent is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._heard = time.monotonic()
        self._ready = False

    def run(self) -> int:
        """Returns the exit status. Raises Conflict when another service uses the data folder."""
        self._settings.data.mkdir(parents=True, exist_ok=True)
        with (self._settings.data / "serve.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict("already_running", f"A service already uses {self._settings.data}.") from error
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._asked_to_stop)
            try:
                return self._keep_running()
            finally:
                sweep()
                leave(self._settings)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _keep_running(self) -> int:
        pause = 1.0
        while True:
            started = time.monotonic()
            node = self._start()
            self._watch(node)
            if self._stop.is_set():
                return _end(node)
            _say("The service stopped by itself and is started again.")
            node.kill()
            node.wait()
            sweep()
            if not self._ready and time.monotonic() - started < 20 and pause >= 4:
                return 1  # it never came up: the reason stands above
            pause = 1.0 if self._ready else pause * 2
            self._stop.wait(pause)

    def _start(self) -> "subprocess.Popen[str]":
        environment = {**os.environ, **for_ray(self._settings)}
        self._ready, self._heard = False, time.monotonic() + STARTING
        node = subprocess.Popen(
            [sys.executable, "-m", "deployments.node"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # the terminal's Ctrl-C is ours alone
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        threading.Thread(target=self._listen, args=(node,), daemon=True).start()
        return node

    def _listen(self, node: "subprocess.Popen[str]") -> None:
        assert node.stdout is not None  # noqa: S101  it is a pipe
        for line in node.stdout:
            if line.strip() == "ready":
                self._ready, self._heard = True, time.monotonic()
                if not self._stop.is_set():
                    _say(f"Casting inspector is ready: {self.address}")
            else:
                print(line, end="", flush=True)

    def _watch(self, node: "subprocess.Popen[str]") -> None:
        """Return when the node ended, fell silent, or the end was asked for."""
        next_call = 0.0
        while not self._stop.wait(LOOK):
            if node.poll() is not None:
                return
            now = time.monotonic()
            if self._ready and now >= next_call:
                next_call = now + 2.0
                if self._answers():
                    self._heard = time.monotonic()
            if now - self._heard > SILENT:
                _say("The service does not answer.")
                return

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self._settings.host in ("0.0.0.0", "::") else self._settings.host  # noqa: S104
        return f"http://{host}:{self._settings.port}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health/live", timeout=2) as answer:  # noqa: S310  our own
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def _end(node: "subprocess.Popen[str]") -> int:
    """Ask the node to stop; wait, then insist."""
    _say("Stopping …")
    node.terminate()
    try:
        node.wait(GRACE)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    return 0


def sweep() -> None:
    """End every process that descends from this one: first by request, then by force."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        _signal(process, signal.SIGTERM)
    _, left = psutil.wait_procs(left, timeout=3)
    for process in left:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(left, timeout=3)
    while True:  # reap the orphans that were adopted
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(text: str) -> None:
    print(text, flush=True)
