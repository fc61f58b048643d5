"""The whole line as ``make run`` starts it: real Ray, real proxies, real kills; then a count, number by number."""

import collections
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from drawing.castings import KINDS, draw
from streaming.folder import LocalFolder
from streaming.verify import verify
from tests.deployments.service import Service, free_port, serving

PICTURES = [draw(seed, KINDS[seed % 5]).png() for seed in range(8)]
PARTS = ("ingress", "classifier", "relay", "haproxy", "ProxyActor", "ServeController", "node")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("line") / "var"


@pytest.fixture(scope="module")
def service(data: Path) -> Iterator[Service]:
    with serving(data, CASTING_FLUSH_SECONDS="1") as made:
        yield made


class Posting:
    """Clients that post until told to stop, and what they were answered."""

    def __init__(self, url: str, clients: int = 4) -> None:
        self.answered: list[tuple[str, int, str]] = []
        self.failures: collections.Counter[str] = collections.Counter()
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(i,)) for i in range(clients)]
        for thread in self._threads:
            thread.start()

    def _post(self, at: int) -> None:
        with httpx.Client(base_url=self._url, timeout=20) as client:
            while not self._stop.is_set():
                at += 1
                try:
                    answer = client.post("/predict", files={"file": ("p.png", PICTURES[at % len(PICTURES)])})
                except httpx.HTTPError as error:
                    self.failures[type(error).__name__] += 1
                    time.sleep(0.2)
                    continue
                if answer.status_code == 200:
                    event = answer.json()
                    self.answered.append((event["journal"], event["number"], event["event_id"]))
                else:
                    assert answer.json()["error"]["retryable"], answer.text
                    self.failures[str(answer.status_code)] += 1
                    time.sleep(0.2)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_it_answers_and_listens_on_loopback_only(service: Service) -> None:
    event = service.client.post(f"{service.url}/predict", files={"file": ("a.png", PICTURES[0])}).json()
    assert event["number"] == 1
    own = {service.process.pid, *(child.pid for child in psutil.Process(service.process.pid).children(recursive=True))}
    http = {}
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.pid in own:
            host = connection.laddr.ip.removeprefix("::ffff:")
            if not host.startswith("127.") and host != "::1" and _speaks_http(host, connection.laddr.port):
                http[connection.laddr.port] = host
    assert http == {}


def test_serves_own_control_headers_are_not_for_callers(service: Service) -> None:
    headers = {"X-Request-Timeout-Seconds": "0.0001", "serve-multiplexed-model-id": "another"}
    answer = service.client.post(f"{service.url}/predict", files={"file": ("a.png", PICTURES[0])}, headers=headers)
    assert answer.status_code == 200


def test_who_goes_away_takes_nobody_along(service: Service) -> None:
    """Callers that hang up share batches with others; those are answered all the same, and at once."""
    posting = Posting(service.url, clients=8)
    call = httpx.Request("POST", f"{service.url}/predict", files={"file": ("p.png", PICTURES[0])})
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {call.headers['Content-Length']}\r\n"
    whole = f"{head}Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode() + call.read()
    chance = random.Random(5)
    try:
        for _ in range(300):
            with socket.create_connection(("127.0.0.1", service.port)) as leaving:
                leaving.sendall(whole)
                time.sleep(chance.uniform(0, 0.06))
    finally:
        posting.stop()
    assert posting.failures == {}
    assert len(posting.answered) > 50


def _speaks_http(host: str, port: int) -> bool:
    """Whether a plain HTTP request is answered; Ray's own ports speak gRPC and ask for the token."""
    with socket.create_connection(("127.0.0.1" if host in ("0.0.0.0", "::") else host, port), timeout=2) as probe:
        probe.settimeout(1)
        probe.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            return probe.recv(16).startswith(b"HTTP/1")
        except OSError:
            return False


@pytest.mark.timeout(900)
def test_whatever_is_killed_nothing_answered_is_lost_or_doubled(service: Service, data: Path) -> None:
    posting = Posting(service.url)
    try:
        for part in PARTS:
            victim = service.processes().get(part)
            assert victim is not None, (part, sorted(service.processes()))
            before = len(posting.answered)
            _wait(lambda count=before: len(posting.answered) > count + 5)  # type: ignore[misc]
            victim.kill()
            time.sleep(1.5)
            before = len(posting.answered)
            _wait(lambda count=before: len(posting.answered) > count + 5)  # type: ignore[misc]
            service.wait_ready()
    finally:
        posting.stop()
    _wait(lambda: service.client.get(f"{service.url}/summary").json()["backlog"] == 0)
    newest = {journal: number for journal, number, _ in posting.answered}
    _wait(lambda: _stored(data) >= {event_id for _, _, event_id in posting.answered})
    verdict = verify(LocalFolder(data / "lake"))
    assert verdict.whole, verdict
    stored = {count.journal: count.stored for count in verdict.journals}
    assert all(stored[journal] >= number for journal, number in newest.items())
    assert len(newest) >= 2  # a killed writer never numbers in its old journal again


def _stored(data: Path) -> set[str]:
    ids = pq.read_table(data / "lake", partitioning=None, columns=["event_id"])["event_id"].to_pylist()
    assert len(ids) == len(set(ids))
    return set(ids)


def _wait(condition: object, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_second_service_over_the_same_data_is_refused(service: Service, data: Path) -> None:

    environment = {**os.environ, "CASTING_DATA_DIR": str(data), "CASTING_PORT": str(free_port())}
    casting = str(Path(sys.executable).with_name("casting"))
    second = subprocess.run([casting, "serve"], env=environment, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "already_running" in second.stderr
