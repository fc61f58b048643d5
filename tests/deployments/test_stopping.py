"""Stopping leaves nothing, starting again works at once, and both shapes of the application give equal answers.

A module of its own, because only one service at a time can run on a machine.
"""

import socket
from collections import Counter
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from drawing.castings import KINDS, draw
from tests.deployments.service import free_port, serving

PICTURES = [draw(seed, KINDS[seed % 5]).png() for seed in range(8)]


def test_it_stops_cleanly_starts_again_at_once_and_both_shapes_agree(tmp_path: Path) -> None:
    port = free_port()
    answers = []
    for prepare in ("classifier", "apart"):
        with serving(tmp_path / "var", port, CASTING_PREPARE=prepare) as service:
            processes = psutil.Process(service.process.pid).children(recursive=True)
            files = [("file", (f"{i}", picture)) for i, picture in enumerate([*PICTURES, b"rubbish"])]
            results = service.client.post(f"{service.url}/predict", files=files).json()["results"]
            answers.append([(r.get("p_defect"), r.get("verdict"), r.get("error", {}).get("code")) for r in results])
            assert service.stop() == 0
        assert [process for process in processes if process.is_running()] == []
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        assert not (tmp_path / "var" / "run").exists()
    assert answers[0] == answers[1]
    assert answers[0][-1] == (None, None, "not_an_image")
    rows = pq.read_table(tmp_path / "var" / "lake", columns=["kind", "journal"]).to_pylist()
    stored = Counter(row["journal"] for row in rows if row["kind"] == "inspection")
    assert list(stored.values()) == [len(PICTURES)] * 2
