"""What an operator sees of a consumer."""

import json
import urllib.request
from datetime import date

from streaming.consumer import Stored
from streaming.files import Name
from streaming.watch import Watch

FILE = Stored(Name(date(2026, 5, 4), "prediction_results", 1, 0), rows=5, repeats=2, dead=1, resume=8)


def test_metrics_and_health_are_served_where_a_port_is_named() -> None:
    watch = Watch()
    watch.stored(1, FILE)
    watch.behind(1, 30, 2.5)
    server = watch.serve(0, "127.0.0.1")
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        metrics = _get(f"{address}/metrics").splitlines()
        health = json.loads(_get(f"{address}/health"))
    finally:
        server.shutdown()
        server.server_close()
    for line in (
        "casting_consumer_files_total 1.0",
        "casting_consumer_rows_total 5.0",
        "casting_consumer_repeats_total 2.0",
        "casting_consumer_dead_letters_total 1.0",
        'casting_consumer_lag{partition="1"} 30.0',
        'casting_consumer_unstored_seconds{partition="1"} 2.5',
    ):
        assert line in metrics
    assert health == {
        "status": "consuming",
        "waiting": {},
        "partitions": {"1": {"lag": 30, "unstored_seconds": 2.5}},
    }


def test_a_store_that_is_away_is_waited_for_by_name_and_is_no_illness() -> None:
    watch = Watch()
    watch.set_back(1, "HDFS: Name node is in safe mode.")
    watch.set_back(2, None)
    assert watch.healthy
    assert watch.health()["status"] == "waiting"
    assert watch.health()["waiting"] == {"1": "HDFS: Name node is in safe mode."}
    watch.stored(1, FILE)
    assert watch.health()["status"] == "consuming"


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())
