"""Settings of the service and its ledger: environment variables ``CASTING_…``, or the same names in ``.env``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from streaming.settings import Settings as Streaming

#: Logical CPUs of a replica: small on purpose, they only say that the application fits on two cores.
CPUS = {"ingress": 0.5, "classifier": 0.5, "preparer": 0.3, "relay": 0.1}
#: A message between Serve's replicas holds 16 MiB more (deployments/environment.py): one picture, or a batch of 4 MiB.
MAX_BODY_MIB = 240


class Settings(Streaming):
    """Read once, in a process's entry point. The service carries its events away: it reads what streaming does."""

    host: str = Field("127.0.0.1", description="Address to listen on. Beyond loopback a key is needed.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the page and of `/predict`.")
    ledger: str | None = Field(
        None, description="The ledger's database as SQLAlchemy URL; unset: SQLite in the data folder."
    )
    open: bool = Field(False, description="1 waives keys beyond loopback; meant for ports published on loopback only.")
    picture_days: int = Field(90, ge=1, description="Days for which kept pictures stay in the ledger.")
    audit_sample: float = Field(
        0.02, gt=0, le=1, description="Share of ok parts that is kept and shown for re-inspection."
    )
    second_look: float = Field(
        0.1, ge=0, le=1, description="Share of parts to review that a second inspector settles too."
    )
    max_files: int = Field(100, ge=1, description="Pictures a call may hold.")
    max_body_mib: int = Field(64, ge=1, le=MAX_BODY_MIB, description="Mebibytes a call may hold, at most 240.")
    max_held_mib: int = Field(
        512, ge=1, description="Mebibytes that all calls under way may hold in a replica before 503 is answered."
    )
    max_megapixels: int = Field(50, ge=1, description="Megapixels a picture may have.")
    max_waiting: int = Field(512, ge=1, description="Pictures that may wait for the classifier before 503 is answered.")
    max_batch: int = Field(16, ge=1, le=256, description="Pictures judged in one forward pass at most.")
    deadline_seconds: float = Field(
        30.0, gt=0, description="Deadline of a call without `X-Request-Timeout`; at most 120, as with it."
    )
    prepare: Literal["classifier", "apart"] = Field(
        "classifier", description="Where pictures are decoded: in the classifier, or in replicas that scale apart."
    )
    ingress_replicas: int = Field(1, ge=1, description="Replicas that answer HTTP.")
    classifier_replicas: int = Field(1, ge=1, description="Fewest classifier replicas.")
    classifier_max_replicas: int | None = Field(
        None,
        ge=1,
        description="Most classifier replicas; unset: the same as `CASTING_CLASSIFIER_REPLICAS`, no autoscaling.",
    )
    scale_up_seconds: float = Field(10.0, gt=0, description="Seconds of sustained load before a replica is added.")
    scale_down_seconds: float = Field(300.0, gt=0, description="Seconds of little load before a replica is taken away.")
    preparer_replicas: int = Field(1, ge=1, description="Replicas that decode, when `CASTING_PREPARE` is `apart`.")

    @model_validator(mode="after")
    def _holds_one_call(self) -> Self:
        if self.max_held_mib < self.max_body_mib:
            raise ValueError("CASTING_MAX_HELD_MIB is below CASTING_MAX_BODY_MIB: large calls would never be taken")
        return self

    @model_validator(mode="after")
    def _fills_a_lake(self) -> Self:
        if self.kafka is None and not self.lake_is_local:
            raise ValueError(f"CASTING_LAKE={self.lake} needs CASTING_KAFKA: without Kafka the lake is a local folder")
        return self

    @property
    def lake_is_local(self) -> bool:
        return "://" not in self.lake_root

    @property
    def reports(self) -> Path:
        """Where the page looks for reports: beside a local lake, where they are made; else where copies are put."""
        return (Path(self.lake_root).absolute().parent if self.lake_is_local else self.data) / "reports"

    @property
    def most_classifiers(self) -> int:
        return max(self.classifier_replicas, self.classifier_max_replicas or 0)

    @property
    def preparers(self) -> int:
        return self.preparer_replicas if self.prepare == "apart" else 0

    @property
    def logical_cpus(self) -> float:
        """What all replicas ask for together; a node of its own offers at least so much, however few cores it has."""
        return (
            CPUS["ingress"] * self.ingress_replicas
            + CPUS["classifier"] * self.most_classifiers
            + CPUS["preparer"] * self.preparers
            + CPUS["relay"]
        )

    @property
    def ledger_url(self) -> str:
        return self.ledger or f"sqlite:///{self.data / 'ledger.sqlite'}"

    @property
    def on_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
