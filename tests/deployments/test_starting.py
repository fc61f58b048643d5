"""A replica that hangs while it starts is ended; one that works, or has started, is not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from deployments.starting import LOOK, StuckStarts

RELAY = "ray::ServeReplica:casting:relay"
SLEEP = "import time; print(flush=True); time.sleep(600)"
WORK = "print(flush=True)\nwhile True: pass"


@contextmanager
def titled(title: str, work: str) -> "Iterator[subprocess.Popen[str]]":
    """A process that Ray could have titled so."""
    with subprocess.Popen([title, "-c", work], executable=sys.executable, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def processes() -> "Iterator[dict[str, subprocess.Popen[str]]]":
    with ExitStack() as ends:
        yield {
            "imports": ends.enter_context(titled(f"ray::SERVE_REPLICA::casting#relay#x:{RELAY[5:]}.__init__", SLEEP)),
            "constructs": ends.enter_context(titled(f"{RELAY}.initialize_and_get_metadata", SLEEP)),
            "works": ends.enter_context(titled(f"{RELAY}.initialize_and_get_metadata", WORK)),
            "has started": ends.enter_context(titled(RELAY, SLEEP)),
        }


def test_only_a_replica_that_starts_and_does_nothing_is_ended(processes: "dict[str, subprocess.Popen[str]]") -> None:
    now = 0.0
    starts = StuckStarts(psutil.Process(), patience=60, clock=lambda: now)
    busy = psutil.Process(processes["works"].pid)
    while now < 70:
        before = busy.cpu_times().user
        while busy.cpu_times().user - before < 0.6:  # as much as it would have worked meanwhile
            pass
        assert all(process.poll() is None for process in processes.values()) or now > 60
        now += LOOK + 0.1
        starts.look()
    ended = {name for name in ("imports", "constructs") if processes[name].wait(10) == -9}
    assert ended == {"imports", "constructs"}
    assert (processes["works"].poll(), processes["has started"].poll()) == (None, None)
