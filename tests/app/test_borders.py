"""What comes in at the borders: other sites' pages, odd numbers, names, HEAD, calls whose caller has gone."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from app import cli, metrics
from drawing.castings import draw
from tests.serving import LocalJudge, Running, running

OK = draw(1, "ok").png()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("borders"), LocalJudge()) as made:
        yield made


@pytest.fixture
def client(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=30) as made:
        yield made


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},  # a form that another page sends off
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example:8765"},
        {"Host": "evil.example.:8765"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
def test_where_no_key_is_asked_for_another_site_s_page_records_nothing(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    before = client.get("/summary").json()["verdicts"]
    refused = client.post("/predict", files={"file": ("a.png", OK)}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "other_site")
    assert client.get("/summary").json()["verdicts"] == before


def test_the_page_itself_links_and_programs_are_served(client: httpx.Client, service: Running) -> None:
    own = {"Origin": service.address, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert client.post("/predict", files={"file": ("a.png", OK)}, headers=own).status_code == 200
    assert client.get("/reports", headers={"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/inspections", headers=link).status_code == 200
    port = service.address.rsplit(":", 1)[1]
    for host in (f"localhost:{port}", f"[::1]:{port}", "inspector", "192.168.0.7", "a.localhost", "[bad"):
        assert client.get("/inspections", headers={"Host": host}).status_code == 200, host


def test_a_key_is_worth_more_than_an_origin(tmp_path: Path) -> None:
    with running(tmp_path, LocalJudge(), open_access=False) as guarded:
        secret = guarded.ledger.keys.add("camera", "line 3")
        headers = {"Authorization": f"Bearer {secret}", "Origin": "http://mes.example"}
        files = {"file": ("a.png", OK)}
        assert httpx.post(f"{guarded.address}/predict", files=files, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/inspections?from=0001-01-01T00:00:00%2B14:00",
        "/inspections?to=9999-12-31T23:59:59-14:00",
        "/inspections?to=9999-12-31T23:59:59-14:00&format=csv",
        "/inspections?cursor=99999999999999999999999-1",
        "/inspections?cursor=1-٣",
        "/events?after=-99999999999999999999999",
        f"/events?after={2**63}",
    ],
)
def test_numbers_out_of_range_are_bad_requests(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 400


@pytest.mark.parametrize("last", [b"\xb2", b"9" * 5000, b"-1", b""])
def test_an_odd_last_event_id_is_a_bad_request(client: httpx.Client, last: bytes) -> None:
    assert client.get("/events", headers=[(b"Last-Event-ID", last)]).status_code == 400


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/inspections", "/metrics", "/openapi.json"])
def test_head_says_what_get_would(client: httpx.Client, path: str) -> None:
    got, asked = client.get(path), client.head(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]


def test_the_live_feed_has_no_head(client: httpx.Client) -> None:
    assert client.head("/events").status_code == 405


@pytest.mark.parametrize("name", ["   ", "K\0im", "Kim\n", ""])
def test_who_decides_has_a_readable_name(client: httpx.Client, name: str) -> None:
    event = client.post("/predict", files={"file": ("a.png", OK)}).json()["event_id"]
    decision = {"true_label": "def_front", "auditor": name}
    audited = client.post(f"/inspections/{event}/audit", json=decision)
    acknowledged = client.post(f"/alerts/{event}/ack", json={"by": name})
    if name.strip().isprintable() and name.strip():
        assert audited.json()["auditor"] == name.strip()
    else:
        assert (audited.status_code, acknowledged.status_code) == (400, 400)


def test_what_is_recorded_is_counted_though_its_caller_has_gone(client: httpx.Client) -> None:
    def counted() -> float:
        return sum(
            sample.value
            for family in metrics.INSPECTIONS.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )

    def recorded() -> int:
        return sum(client.get("/summary").json()["verdicts"].values())

    before = counted() - recorded()
    for milliseconds in range(2, 40, 2):
        headers = {"X-Request-Timeout": str(milliseconds / 1000), "Idempotency-Key": f"late-{milliseconds}"}
        client.post("/predict", files={"file": ("a.png", OK)}, headers=headers)
        del headers["X-Request-Timeout"]
        client.post("/predict", files={"file": ("a.png", OK)}, headers=headers).raise_for_status()
    assert counted() - recorded() == before


def test_gauges_of_killed_processes_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        (tmp_path / f"gauge_livesum_{pid}.db").touch()
    metrics.forget_the_dead()
    assert [file.name for file in tmp_path.iterdir()] == [f"gauge_livesum_{os.getpid()}.db"]


def test_large_pictures_go_in_calls_that_the_service_takes(tmp_path: Path) -> None:
    files = []
    for number, mebibytes in enumerate([20, 20, 20, 1, 60, 1]):
        file = tmp_path / str(number)
        with file.open("wb") as sparse:
            sparse.truncate(mebibytes * 1024 * 1024)
        files.append(file)
    assert [[file.name for file in some] for some in cli._calls(files)] == [["0", "1"], ["2", "3"], ["4"], ["5"]]
    assert [len(some) for some in cli._calls([tmp_path / "3"] * 40)] == [16, 16, 8]


def test_the_client_says_when_something_else_answers(tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(501)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    picture = tmp_path / "a.png"
    picture.write_bytes(OK)
    url = f"http://127.0.0.1:{server.server_port}"
    command = [sys.executable, "-m", "cli", "predict", str(picture), "--url", url]
    done = subprocess.run(command, capture_output=True, text=True)
    server.shutdown()
    server.server_close()
    assert done.returncode == 1
    assert "answers 501, but not as this service does" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.dumps(url)[1:-1] in done.stderr
