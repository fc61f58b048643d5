"""Settings of what carries events: environment variables ``CASTING_…``, or the same names in ``.env``."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from inspection.settings import Shared
from streaming.kafka import Kafka


class Settings(Shared):
    """Read once, in a process's entry point."""

    kafka: str | None = Field(None, description="Kafka's bootstrap servers; unset: embedded, no Kafka is needed.")
    kafka_partitions: int = Field(3, ge=1, description="Partitions of the topic, where it has to be created.")
    kafka_replication: int = Field(1, ge=1, description="Copies of each record, where the topic has to be created.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka is spoken to."
    )
    kafka_ca: Path | None = Field(None, description="PEM file of the authority that signed Kafka's certificate.")
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI"] = Field(
        "SCRAM-SHA-512", description="How the user proves itself to Kafka, with SASL."
    )
    kafka_user: str | None = Field(None, description="User at Kafka, with SASL.")
    kafka_password_file: Path | None = Field(None, description="File that holds this user's password.")
    webhdfs_ca: Path | None = Field(None, description="PEM file of the authority that signed WebHDFS's certificate.")
    webhdfs_kerberos: bool = Field(False, description="1 speaks to WebHDFS with the Kerberos ticket of the process.")
    flush_seconds: float = Field(
        5.0, gt=0, le=3600, description="Seconds after which waiting events are written to the lake at the latest."
    )
    flush_records: int = Field(50_000, ge=1, description="Records of a partition after which a file is written.")
    flush_mib: int = Field(32, ge=1, description="Mebibytes of a partition after which a file is written.")
    log_events: bool = Field(False, description="1 logs one line for each event that the consumer takes.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the consumer's `/metrics` and `/health`; unset: it opens none."
    )

    @property
    def broker(self) -> Kafka | None:
        """How Kafka is reached; None: embedded."""
        if self.kafka is None:
            return None
        return Kafka(
            servers=self.kafka,
            partitions=self.kafka_partitions,
            replication=self.kafka_replication,
            security=self.kafka_security,
            ca=self.kafka_ca,
            mechanism=self.kafka_mechanism,
            user=self.kafka_user,
            password_file=self.kafka_password_file,
        )
