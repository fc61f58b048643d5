"""The faults: each hits a plant under load, holds for a moment of the schedule's choice, and mends what it broke."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil

from tests.chaos.plant import CASTING, Plant
from tests.services.daemon import Daemon, wait

SESSION = 10.0  # seconds after which the group gives a silent consumer's partitions to another


@dataclass(frozen=True, slots=True)
class Fault:
    """``kills`` is how many processes end by SIGKILL."""

    name: str
    kills: int
    hit: Callable[[Plant, random.Random], None]


def _kill_part(name: str) -> Callable[[Plant, random.Random], None]:
    def hit(plant: Plant, chance: random.Random) -> None:
        time.sleep(chance.random())
        killed = plant.part(name)
        killed.kill()
        _until(lambda: plant.part(name).pid != killed.pid)

    return hit


def _freeze_part(name: str) -> Callable[[Plant, random.Random], None]:
    def hit(plant: Plant, chance: random.Random) -> None:
        frozen = plant.part(name)
        frozen.suspend()
        time.sleep(chance.uniform(0.5, 4))
        with suppress(psutil.NoSuchProcess):
            frozen.resume()

    return hit


def _relay_frozen_for_good(plant: Plant, chance: random.Random) -> None:
    """It holds the lock of an SQLite ledger until Serve's health check has it killed."""
    _until(lambda: _carries(plant))
    frozen = plant.part("relay")
    frozen.suspend()
    _until(lambda: not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE)
    _until(lambda: plant.part("relay").pid != frozen.pid)


def _relay_frozen_as_it_starts(plant: Plant, chance: random.Random) -> None:
    """No health check of Serve's sees it: the node ends it."""
    killed = plant.part("relay")
    killed.kill()
    _until(lambda: plant.part("relay").pid != killed.pid)
    frozen = plant.part("relay")
    frozen.suspend()
    _until(lambda: plant.part("relay").pid != frozen.pid)
    _until(lambda: _carries(plant))


def _relay_between_send_and_mark(plant: Plant, chance: random.Random) -> None:
    """Another relay waits for its turn, gets it when the service's is killed, and dies at the exact step."""
    other = plant.crashing("sent")
    time.sleep(chance.uniform(2, 3))
    plant.part("relay").kill()
    _ended(other)


def _daemon(choose: Callable[[Plant], Daemon], freeze: bool) -> Callable[[Plant, random.Random], None]:
    def hit(plant: Plant, chance: random.Random) -> None:
        daemon = choose(plant)
        if freeze:
            daemon.freeze()
            time.sleep(chance.uniform(0.5, 5))
            daemon.thaw()
        else:
            daemon.end(signal.SIGKILL)
            time.sleep(chance.uniform(0, 2))
            daemon.start()

    return hit


def _kill_consumer(plant: Plant, chance: random.Random) -> None:
    time.sleep(chance.random())
    plant.lose(chance.choice(plant.consumers))
    plant.consume()


def _freeze_consumer(plant: Plant, chance: random.Random) -> None:
    """Long enough that its partitions are another's when it wakes up."""
    frozen = chance.choice(plant.consumers)
    frozen.send_signal(signal.SIGSTOP)
    time.sleep(SESSION + chance.uniform(2, 4))
    frozen.send_signal(signal.SIGCONT)


def _crash_consumer(step: str) -> Callable[[Plant, random.Random], None]:
    def hit(plant: Plant, chance: random.Random) -> None:
        plant.end_consumers()
        _ended(plant.crashing(step))
        plant.consume()

    return hit


def _asleep_before_rename(plant: Plant, chance: random.Random) -> None:
    """An owner freezes with its file whole and not yet renamed, another writes on, and it wakes up."""
    plant.end_consumers()
    sleeper = plant.crashing("asleep")
    process = psutil.Process(sleeper.pid)
    _until(lambda: process.status() == psutil.STATUS_STOPPED)
    plant.consume()
    time.sleep(SESSION + chance.uniform(3, 5))
    sleeper.send_signal(signal.SIGCONT)
    time.sleep(chance.uniform(1, 3))
    sleeper.terminate()
    sleeper.wait(600)


def _rebalance(plant: Plant, chance: random.Random) -> None:
    for _ in range(2):
        guest = plant.begin(*CASTING, "consume")
        time.sleep(chance.uniform(2, 4))
        guest.terminate()
        guest.wait(600)


def _step_clock(plant: Plant, chance: random.Random) -> None:
    assert plant.clock is not None
    for hours in (chance.uniform(1, 30), chance.uniform(-30, -1), 0):
        plant.clock.step(int(hours * 3600))
        time.sleep(chance.uniform(1, 3))


def _fill_ledger(plant: Plant, chance: random.Random) -> None:
    assert plant.disk is not None
    ballast = plant.disk / "ballast"
    _write_until_full(ballast)
    time.sleep(chance.uniform(3, 6))
    ballast.unlink()


def _fill_lake(plant: Plant, chance: random.Random) -> None:
    plant.hdfs.quota("/predictions", 1)
    time.sleep(chance.uniform(3, 6))
    plant.hdfs.quota("/predictions", -1)


def _carries(plant: Plant) -> bool:
    """Whether nothing has waited for the relay for more than a moment."""
    try:
        ready = plant.service.client.get(f"{plant.service.url}/health/ready")
        oldest = ready.raise_for_status().json()["backlog"]["oldest"]
    except httpx.HTTPError:
        return False
    return oldest is None or datetime.now(UTC) - datetime.fromisoformat(oldest) < timedelta(seconds=1)


def _write_until_full(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def _ended(process: "subprocess.Popen[bytes]") -> None:
    """It must end by its own SIGKILL: else the step was never reached."""
    try:
        _until(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGKILL
    except BaseException:
        process.kill()
        process.wait()
        raise


def _until(check: Callable[[], bool]) -> None:
    wait(check, "what the fault waits for")


KILLS = (
    Fault("ingress killed", 1, _kill_part("ingress")),
    Fault("relay killed", 1, _kill_part("relay")),
    Fault("relay killed between send and mark", 2, _relay_between_send_and_mark),
    Fault("broker killed", 1, _daemon(lambda plant: plant.broker.daemon, freeze=False)),
    Fault("consumer killed", 1, _kill_consumer),
    Fault("consumer killed after its temporary file", 1, _crash_consumer("written")),
    Fault("consumer killed before the rename", 1, _crash_consumer("renaming")),
    Fault("consumer killed after the rename", 1, _crash_consumer("renamed")),
    Fault("consumer killed before the commit", 1, _crash_consumer("committing")),
    Fault("NameNode killed", 1, _daemon(lambda plant: plant.hdfs.namenode, freeze=False)),
    Fault("DataNode killed", 1, _daemon(lambda plant: plant.hdfs.datanode, freeze=False)),
)
FREEZES = (
    Fault("ingress frozen", 0, _freeze_part("ingress")),
    Fault("relay frozen", 0, _freeze_part("relay")),
    Fault("relay frozen until Serve replaces it", 0, _relay_frozen_for_good),
    Fault("relay frozen as it starts", 1, _relay_frozen_as_it_starts),
    Fault("broker frozen", 0, _daemon(lambda plant: plant.broker.daemon, freeze=True)),
    Fault("consumer frozen until its partitions moved", 0, _freeze_consumer),
    Fault("owner frozen before its rename, another goes on", 0, _asleep_before_rename),
    Fault("NameNode frozen", 0, _daemon(lambda plant: plant.hdfs.namenode, freeze=True)),
    Fault("DataNode frozen", 0, _daemon(lambda plant: plant.hdfs.datanode, freeze=True)),
    Fault("rebalances while flushing", 0, _rebalance),
)
CLOCK = (Fault("broker's clock stepped by up to 30 hours", 0, _step_clock),)
FULL = (
    Fault("disk full under the ledger", 0, _fill_ledger),
    Fault("HDFS full (quota)", 0, _fill_lake),
)
