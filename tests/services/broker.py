"""A real Kafka broker (KRaft) for tests."""

import asyncio
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from streaming.kafka import Away, Kafka
from streaming.settings import Settings
from streaming.topic import ensure_topic
from tests.services.daemon import Daemon, free_ports, jars, wait

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Broker:
    """Kafka 4.3.1 over ``folder``; ``address`` is its bootstrap server."""

    def __init__(self, folder: Path, more: str = "", scram: str | None = None) -> None:
        """``more`` are further settings, ``scram`` a user that is known from the start."""
        folder.mkdir(parents=True, exist_ok=True)
        port, controller = free_ports(2)
        self.address = f"127.0.0.1:{port}"
        path = jars("org.apache.kafka", "kafka_2.13", "4.3.1")
        settings = folder / "server.properties"
        settings.write_text(_SETTINGS.format(port=port, controller=controller, folder=folder) + more)
        form = ["java", "-cp", path, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk"]
        users = [] if scram is None else ["--add-scram", scram]
        subprocess.run([*form, "-c", str(settings), "--ignore-formatted", *users], check=True, capture_output=True)
        self.environment: dict[str, str] = {}
        self.daemon = Daemon(folder / "kafka.log", 384, path, "kafka.Kafka", str(settings), variables=self.environment)

    def start(self) -> None:
        self.daemon.start()
        wait(self._answers, "Kafka")

    def stop(self) -> None:
        self.daemon.end(signal.SIGTERM)

    def kill(self) -> None:
        self.daemon.end(signal.SIGKILL)

    def freeze(self) -> None:
        self.daemon.freeze()

    def thaw(self) -> None:
        self.daemon.thaw()

    def kafka(self, topic: str | None = None, partitions: int = 2) -> Kafka:
        """How it is reached: for a topic of a test's own, or the product's."""
        reached = Settings(kafka=self.address, kafka_partitions=partitions).broker
        assert reached is not None
        return replace(reached, topic=topic, group=topic) if topic else reached

    def _answers(self) -> bool:
        try:
            asyncio.run(ensure_topic(self.kafka("ready", 1)))
        except Away:
            return False
        return True
