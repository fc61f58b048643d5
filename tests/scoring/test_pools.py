"""Two pools, one decoding on cores and one judging on GPUs, and two nodes; each in a Ray of its own.

No GPU is here: Ray is told of two, and gives them to the judging actors only; the network runs where it can.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from drawing.castings import KINDS, draw
from tests.scoring.command import ROOT, rows, start

POOLS = """
import os, sys
from pathlib import Path
import ray
from deployments.gpu import gpu_engine
from inspection.bundle import champion
from scoring.score import score
seen = Path(sys.argv[3])
def engine(bundle):
    (seen / str(os.getpid())).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    return gpu_engine(bundle)
ray.init("local", num_cpus=2, num_gpus=2, include_dashboard=False, log_to_driver=False)
found = score(sys.argv[1].split(","), Path(sys.argv[2]), champion(Path("models")), gpu=engine)
print(found.count())
"""
NODES = """
import sys
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from inspection.bundle import champion
from scoring.score import score
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
for _ in range(int(sys.argv[3]) - 1):
    cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False)
last = []
score([sys.argv[1]], Path(sys.argv[2]), champion(Path("models")), progress=last.append)
print(last[-1].nodes, last[-1].done)
ray.shutdown()  # before its raylets end, or it takes their end for a failure
cluster.shutdown()
"""


def archive(path, count):
    """A zip of drawings with some rubbish, and one of the drawings beside it."""
    pngs = [draw(8100 + seed, KINDS[seed % 5]).png() for seed in range(10)]
    (path.parent / "one.png").write_bytes(pngs[0])
    with zipfile.ZipFile(path, "w") as file:
        for number in range(count):
            file.writestr(f"{number:04d}.png", pngs[number % 10] if number % 50 else b"rubbish")
    return path


def ran(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_a_pool_on_gpus_answers_as_the_cpu_does(tmp_path):
    zipped, packed = archive(tmp_path / "x.zip", 600), tmp_path / "x.tar.gz"
    with tarfile.open(packed, "w:gz") as stream:
        for number in range(300):
            stream.add(zipped.parent / "one.png", f"{number}.png")
    (tmp_path / "seen").mkdir()
    printed = ran(POOLS, f"{zipped},{packed}", tmp_path / "gpu", tmp_path / "seen")
    assert printed.split()[-1] == "900"
    seen = {path.read_text() for path in (tmp_path / "seen").iterdir()}
    assert seen <= {"0", "1"}, "an engine outside of Ray's GPUs"
    cpu = tmp_path / "cpu"
    cpu.mkdir()
    assert start([zipped, packed], cpu).wait(300) == 3
    theirs = {(row["source"], row["path"]): row for row in rows(cpu)}
    mine = {(row["source"], row["path"]): row for row in rows(tmp_path / "gpu")}
    assert mine.keys() == theirs.keys()
    for key, row in mine.items():
        assert row["p_defect"] == pytest.approx(theirs[key]["p_defect"], abs=1e-3)
        assert {**row, "p_defect": 0} == {**theirs[key], "p_defect": 0}
    assert start([zipped, packed], tmp_path / "gpu").wait(300) == 1, "a GPU's results were gone on with"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("nodes", [1, 2])
def test_the_plan_spreads_over_nodes(tmp_path, nodes):
    printed = ran(NODES, archive(tmp_path / "x.zip", 2000), tmp_path / "out", nodes)
    assert printed.split()[-2:] == [str(nodes), "2000"]


@pytest.mark.timeout(300)
def test_a_cluster_that_is_gone_is_not_waited_for(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # for the length of Ray's sockets
        (Path(short) / "ray").mkdir()
        (Path(short) / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
        monkeypatch.setenv("RAY_TMPDIR", short)
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        zipped = archive(tmp_path / "x.zip", 3)
        (out := tmp_path / "out").mkdir()
        assert start([zipped], out).wait(60) == 3, (out / "log").read_text()
