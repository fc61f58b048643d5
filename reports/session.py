"""The Spark session: finds Java or says how to get it, and the few settings that the report needs."""

import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

from inspection.errors import InspectorError

LEAST_JAVA = 17
_ADVICE = (
    "Spark needs Java 17 or newer. Debian and Ubuntu: sudo apt-get install openjdk-17-jre-headless. "
    "macOS: brew install openjdk@17. Elsewhere: https://adoptium.net. Then set JAVA_HOME or put java on the PATH."
)


class NoJava(InspectorError):
    """There is no Java that Spark could run on."""


def java_version(text: str) -> int:
    """The major version out of what ``java -version`` prints: 17 of ``openjdk version "17.0.15"``, 8 of ``"1.8.0"``.

    Raises:
        ValueError: there is none in it.
    """
    parts = text.split('"')[1].split(".") if text.count('"') >= 2 else [""]
    major = parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0]
    return int(major.split("-")[0].split("+")[0])


def check_java() -> None:
    """Raises NoJava with advice when Java is missing or too old."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise NoJava("no_java", f"No Java was found. {_ADVICE}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        version = java_version(said.stderr or said.stdout)
    except (ValueError, IndexError):
        raise NoJava("no_java", f"{java} does not run. {_ADVICE}") from None
    if version < LEAST_JAVA:
        raise NoJava("no_java", f"{java} is Java {version}. {_ADVICE}")


def start(master: str | None = None, memory: str = "2g") -> Any:
    """A session; ``spark-submit`` has set the master already and wins over None.

    Times are UTC in the session: days and hours of the plant are made from them by the report.

    Raises:
        NoJava: no Java 17 or newer.
    """
    check_java()
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # no pandas is used here
    from pyspark.sql import SparkSession

    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    builder = SparkSession.builder.appName("casting report")
    if not submitted or master:
        builder = builder.master(master or "local[*]")
    if not submitted and (master or "local").startswith("local"):
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    for name, value in _settings(memory).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _settings(memory: str) -> dict[str, str]:
    return {
        "spark.driver.memory": memory,
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.files.openCostInBytes": "65536",  # many small files belong into one task
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
