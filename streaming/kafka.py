"""How Kafka is reached and what may be wrong with it. Knows no client library: settings are read without one."""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

TOPIC = "prediction_results"
GROUP = "hdfs_consumer"
TIMEOUT = 10.0  # seconds until an unanswered request counts as failed


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where a cluster is and how one proves oneself to it; files are read when a client is made. Defaults: settings."""

    servers: str
    partitions: int
    replication: int
    security: str
    ca: Path | None
    mechanism: str
    user: str | None
    password_file: Path | None
    topic: str = TOPIC
    group: str = GROUP

    @property
    def dead(self) -> "Kafka":
        """The same cluster, the topic of what can't be read."""
        return replace(self, topic=f"{self.topic}.dead", partitions=1)

    def client(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client."""
        given: dict[str, Any] = {
            "bootstrap_servers": self.servers.split(","),
            "security_protocol": self.security,
            "request_timeout_ms": int(TIMEOUT * 1000),
            "metadata_max_age_ms": 30_000,
        }
        if "SSL" in self.security:
            given["ssl_context"] = ssl.create_default_context(cafile=self.ca)
        if "SASL" in self.security:
            given["sasl_mechanism"] = self.mechanism
            given["sasl_plain_username"] = self.user
            given["sasl_plain_password"] = self.password_file.read_text().strip() if self.password_file else None
        return given


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that exists: ``line`` names cluster and topic for ever, also when another gets the same name."""

    line: str
    partitions: int


class UnfitTopic(Exception):
    """The topic exists with settings under which events would be lost; the text names them."""


class Away(OSError):
    """Kafka does not answer, or not now; the same call may succeed later."""
