"""Where the lake lies in HDFS and Spark runs as a cluster: a real NameNode and DataNode, a real master and worker."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.reports.lakes import Plant, generate
from tests.services.daemon import Daemon, free_ports, wait
from tests.services.hadoop import Hdfs

ROOT = Path(__file__).parents[2]
SUBMIT = str(Path(sys.executable).with_name("spark-submit"))


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    running = Hdfs(tmp_path_factory.mktemp("hdfs"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A standalone master and one worker with two cores; its address."""
    folder = tmp_path_factory.mktemp("spark")
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    home = Path(spec.origin).parent
    jars = f"{home}/jars/*"
    port, web, worker_web = free_ports(3)
    address, deploy = f"spark://127.0.0.1:{port}", "org.apache.spark.deploy"
    where = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web)]
    head = Daemon(folder / "master.log", 256, jars, f"{deploy}.master.Master", *where)
    size = ["--cores", "2", "--memory", "1g", "--webui-port", str(worker_web), "--work-dir", str(folder / "work")]
    worker = Daemon(folder / "worker.log", 256, jars, f"{deploy}.worker.Worker", "--host", "127.0.0.1", *size, address)
    with pytest.MonkeyPatch.context() as patch:  # what bin/spark-class would set; the worker starts executors with it
        patch.setenv("SPARK_HOME", str(home))
        patch.setenv("SPARK_SCALA_VERSION", "2.13")
        head.start()
        worker.start()
    wait(lambda: _workers(web) == 1, "the Spark worker")
    yield address
    worker.end(signal.SIGTERM)
    head.end(signal.SIGTERM)


def _workers(web: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/json/", timeout=2) as answer:
        return int(json.loads(answer.read())["aliveworkers"])


def _report(lake: str, out: Path, *options: str, by: Sequence[str] = (sys.executable,)) -> dict[str, Any]:
    command = [*by, str(ROOT / "cli.py"), "report", "--lake", lake, "--out", str(out), *options]
    environment = {**os.environ, "HADOOP_USER_NAME": "casting", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment["PATH"] = f"{Path(SUBMIT).parent}:{os.environ['PATH']}"  # as in an activated environment
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    report: dict[str, Any] = json.loads(next(out.glob("date=*/report.json")).read_bytes())
    return report


def test_a_cluster_over_hdfs_reports_what_one_machine_over_a_folder_does(
    hdfs: Hdfs, master: str, tmp_path: Path
) -> None:
    local = tmp_path / "lake" / "predictions"
    issued = generate(Plant(events=3_000, days=3, files=2), local)
    _upload(hdfs, local, "/predictions")
    models = ("--models", str(tmp_path))
    remote = _report(f"{hdfs.root}/predictions", tmp_path / "remote", "--master", master, *models)
    submitted = _report(f"{hdfs.root}/predictions", tmp_path / "submitted", *models, by=(SUBMIT, "--master", master))
    plain = _report(str(local), tmp_path / "plain", *models)
    assert remote["reconciliation"]["issued"] == issued
    for name in ("reconciliation", "quality", "truth", "drift"):
        assert remote[name] == submitted[name] == plain[name], name
    with urllib.request.urlopen(
        f"{hdfs.web}/webhdfs/v1/reports/date={remote['period']['to']}/report.json?op=OPEN", timeout=20
    ) as answer:
        assert json.loads(answer.read()) == submitted


def _upload(hdfs: Hdfs, folder: Path, target: str) -> None:
    """By WebHDFS, as the consumer writes."""
    from hdfs import InsecureClient

    client = InsecureClient(hdfs.web, user="casting", root="/")
    for path in folder.glob("date=*/*.parquet"):
        client.write(f"{target}/{path.relative_to(folder)}", path.read_bytes())
