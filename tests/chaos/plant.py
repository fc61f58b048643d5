"""The whole line from real processes: service, broker, NameNode, DataNode, two consumers; each can be hit alone."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from streaming.folder import Folder
from streaming.root import open_folder
from tests.deployments.service import ROOT, Service, serving
from tests.services.broker import Broker
from tests.services.daemon import wait
from tests.services.hadoop import Hdfs

PARTITIONS = 3
CASTING = [str(Path(sys.executable).with_name("casting"))]


class Plant:
    """Begun by :func:`running`. ``disk``: a small file system under the ledger, to be filled."""

    def __init__(self, folder: Path, disk: bool, clock: "Clock | None") -> None:
        self.folder = folder
        self.clock = clock
        self.disk = folder / "ledger" if disk else None
        self.broker = Broker(folder / "kafka")
        self.hdfs = Hdfs(folder / "hdfs")
        self.service: Service
        self.consumers: list[subprocess.Popen[bytes]] = []

    @property
    def lake(self) -> str:
        return f"{self.hdfs.root}/predictions"

    def open_lake(self) -> Folder:
        return open_folder(self.lake, self.hdfs.web)

    @property
    def settings(self) -> Mapping[str, str]:
        """What service, relay and consumers are told; the data folder is shared, as it is on one machine."""
        ledger = self.disk or self.folder / "var"
        return {
            "CASTING_DATA_DIR": str(self.folder / "var"),
            "CASTING_LEDGER": f"sqlite:///{ledger / 'ledger.sqlite'}",
            "CASTING_KAFKA": self.broker.address,
            "CASTING_KAFKA_PARTITIONS": str(PARTITIONS),
            "CASTING_LAKE": self.lake,
            "CASTING_WEBHDFS": self.hdfs.web,
            "CASTING_FLUSH_SECONDS": "1",
            "HADOOP_USER_NAME": "casting",
        }

    def begin(self, *command: str) -> "subprocess.Popen[bytes]":
        """Another process of the line; its log lies beside the others."""
        with (self.folder / "line.log").open("ab") as log:
            environment = {**os.environ, **self.settings, "PYTHONPATH": str(ROOT)}
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def crashing(self, step: str) -> "subprocess.Popen[bytes]":
        return self.begin(sys.executable, "-m", "tests.chaos.crashing", step)

    def consume(self, count: int = 2) -> None:
        """Start consumers until there are so many."""
        while len(self.consumers) < count:
            self.consumers.append(self.begin(*CASTING, "consume"))

    def end_consumers(self, how: signal.Signals = signal.SIGTERM) -> None:
        for consumer in self.consumers:
            _end(consumer, how)
        self.consumers.clear()

    def lose(self, consumer: "subprocess.Popen[bytes]") -> None:
        """Kill one of the consumers and wait for its end."""
        _end(consumer, signal.SIGKILL)
        self.consumers.remove(consumer)

    def part(self, name: str) -> psutil.Process:
        """A process of the service by what it does, waited for while it is being started again."""
        found: list[psutil.Process] = []

        def there() -> bool:
            with suppress(psutil.NoSuchProcess):
                found.extend(filter(None, [self.service.processes().get(name)]))
            return bool(found)

        wait(there, name)
        return found[0]


class Clock:
    """A wall clock that can be stepped, for processes that are started while :meth:`preloaded`. Needs a C compiler."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self._library = folder / "clock.so"
        self.step(0)
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self._library, source, "-ldl"], check=True)
        self.variables = {"LD_PRELOAD": str(self._library), "CASTING_TEST_CLOCK": str(self._offset)}

    def step(self, seconds: int) -> None:
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(struct.pack("@l", seconds))


@contextmanager
def running(folder: Path, disk: bool = False, clock: bool = False) -> Iterator[Plant]:
    """Start everything; end everything. ``disk`` needs the right to mount; ``clock`` steps the broker's clock."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ends:
        stepped = Clock(folder) if clock else None
        plant = Plant(folder, disk, stepped)
        if plant.disk is not None:
            plant.disk.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", plant.disk], check=True)
            ends.callback(subprocess.run, ["umount", "-l", plant.disk], check=True)
        if stepped is not None:
            plant.broker.environment.update(stepped.variables)
        ends.callback(plant.hdfs.stop)
        ends.callback(plant.broker.stop)
        plant.hdfs.start()
        plant.broker.start()
        plant.service = ends.enter_context(serving(folder / "var", **plant.settings))
        ends.callback(plant.end_consumers)
        plant.consume()
        try:
            yield plant
        except BaseException:
            print((folder / "line.log").read_text()[-6000:], plant.service.log.read_text()[-3000:], sep="\n")
            raise


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    process.send_signal(signal.SIGCONT)
    process.send_signal(how)
    try:
        wait(lambda: process.poll() is not None, "the end of a consumer", 60)
    except BaseException:
        process.kill()
        process.wait()
        raise
