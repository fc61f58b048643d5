"""Settings that all processes share: environment variables ``CASTING_…``, or the same names in ``.env``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: Logical CPUs of a replica: small on purpose, they only say that the application fits on two cores.
CPUS = {"ingress": 0.5, "classifier": 0.5, "preparer": 0.3, "relay": 0.1}
#: A message between Serve's replicas holds 16 MiB more (deployments/environment.py): one picture, or a batch of 4 MiB.
MAX_BODY_MIB = 240


class Settings(BaseSettings):
    """Read once, in a process's entry point."""

    model_config = SettingsConfigDict(env_prefix="CASTING_", env_file=".env", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("var"), description="Everything that is written lies under this folder.")
    host: str = Field("127.0.0.1", description="Address to listen on. Beyond loopback a key is needed.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the page and of `/predict`.")
    ledger: str | None = Field(
        None, description="The ledger's database as SQLAlchemy URL; unset: SQLite in the data folder."
    )
    kafka: str | None = Field(None, description="Kafka's bootstrap servers; unset: embedded, no Kafka is needed.")
    lake: str | None = Field(
        None, description="The lake's root: a folder or `hdfs://…/predictions`; unset: `lake` in the data folder."
    )
    webhdfs: str = Field("http://namenode:9870", description="Where WebHDFS answers, when the lake is in HDFS.")
    models: Path = Field(Path("models"), description="Model bundles, and `aliases.json` that names the champion.")
    open: bool = Field(False, description="1 waives keys beyond loopback; meant for ports published on loopback only.")
    timezone: str = Field(
        "UTC", description="IANA zone that rules days, hours and shifts in reports; the page goes by the browser's."
    )
    flush_seconds: float = Field(
        5.0, gt=0, le=3600, description="Seconds after which waiting events are written to the lake at the latest."
    )
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
    deadline_seconds: float = Field(30.0, gt=0, description="Deadline of a call without `X-Request-Timeout`.")
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
    log_events: bool = Field(False, description="1 logs one line for each event that the consumer takes.")

    @model_validator(mode="after")
    def _holds_one_call(self) -> Self:
        if self.max_held_mib < self.max_body_mib:
            raise ValueError("CASTING_MAX_HELD_MIB is below CASTING_MAX_BODY_MIB: large calls would never be taken")
        return self

    @property
    def data(self) -> Path:
        return self.data_dir.absolute()

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
    def lake_root(self) -> str:
        return self.lake or str(self.data / "lake")

    @property
    def on_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
