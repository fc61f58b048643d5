"""What a caller meets at ``POST /predict`` and behind it, over real HTTP."""

import io
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from drawing.castings import draw
from inspection.batch import Batch
from inspection.errors import BadPicture, Unavailable
from tests.serving import LIMITS, LocalJudge, Running, running

OK = draw(1, "ok").png()
CRACK = draw(2, "crack").png()


@pytest.fixture(scope="module")
def judge() -> LocalJudge:
    return LocalJudge()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, judge: LocalJudge) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("service"), judge) as made:
        yield made


@pytest.fixture
def client(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=30) as made:
        yield made


def test_one_picture_gives_one_numbered_event(client: httpx.Client) -> None:
    answer = client.post("/predict", files={"file": ("a.png", OK)}, data={"lot": "L7", "line": "A"})
    event = answer.raise_for_status().json()
    assert event["number"] >= 1
    assert (event["lot"], event["line"], event["filename"], event["origin"]) == ("L7", "A", "a.png", "api")
    assert event["prediction"] in ("ok_front", "def_front")
    assert event["verdict"] in ("ok", "review", "defect", "rejected")
    assert set(event["thresholds"]) == {"decide", "ok_below", "defect_from"}
    assert client.get(f"/inspections/{event['event_id']}").json()["inspection"]["number"] == event["number"]


def test_many_pictures_give_results_in_order_and_a_bad_one_never_fails_its_neighbours(client: httpx.Client) -> None:
    files = [("file", ("a.png", OK)), ("file", ("b.png", b"rubbish")), ("file", ("c.png", CRACK)), ("file", ("d", b""))]
    results = client.post("/predict/", files=files).raise_for_status().json()["results"]
    assert [result.get("filename") for result in results] == ["a.png", None, "c.png", None]
    assert [result["error"]["code"] for result in results if "error" in result] == ["not_an_image", "empty"]
    assert results[2]["number"] == results[0]["number"] + 1


def test_batched_and_single_answers_agree(client: httpx.Client) -> None:
    pictures = [draw(seed, "blow_hole").png() for seed in range(6)]
    together = client.post("/predict", files=[("file", (f"{i}", p)) for i, p in enumerate(pictures)]).json()["results"]
    for picture, event in zip(pictures, together, strict=True):
        alone = client.post("/predict", content=picture, headers={"Content-Type": "image/png"}).json()
        assert abs(alone["p_defect"] - event["p_defect"]) < 1e-4
        assert (alone["verdict"], alone["brightness"]) == (event["verdict"], event["brightness"])


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        ({"files": {"file": ("a.png", b"")}}, 422, "empty"),
        ({"files": {"file": ("a.png", OK[: len(OK) // 2])}}, 422, "truncated"),
        ({"files": {"file": ("a.jpg", b"%PDF-1.7 no picture")}}, 415, "not_an_image"),
        ({"files": {"picture": ("a.png", OK)}}, 400, "no_file"),
        ({"data": {"file": "text"}}, 415, "unsupported_media_type"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed_form"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400, "malformed_form"),
        ({"files": {"file": ("a.png", OK)}, "data": {"lot": "x" * 129}}, 400, "bad_part_data"),
        ({"files": {"file": ("a.png", OK)}, "data": {"lot": "a\nb"}}, 400, "bad_part_data"),
        ({"files": {"file": ("a.png", OK)}, "data": {"origin": "mars"}}, 400, "bad_value"),
        ({"files": [("file", (f"{i}", b"x")) for i in range(101)]}, 413, "too_many_files"),
        ({"files": {"file": ("a.png", OK)}, "headers": {"X-Request-Timeout": "soon"}}, 400, "bad_value"),
    ],
)
def test_every_bad_call_has_its_status_and_code(
    client: httpx.Client, send: dict[str, object], status: int, code: str
) -> None:
    answer = client.post("/predict", **send)  # type: ignore[arg-type]
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["retryable"] is False
    assert error["request_id"] == answer.headers["X-Request-ID"]


def test_a_bomb_is_refused(client: httpx.Client) -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    answer = client.post("/predict", files={"file": ("bomb.png", out.getvalue())})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_pixels")


def test_an_undecodable_picture_takes_no_number(client: httpx.Client) -> None:
    first = client.post("/predict", files={"file": ("a.png", OK)}).json()
    client.post("/predict", files={"file": ("a.png", b"rubbish")})
    second = client.post("/predict", files={"file": ("a.png", OK)}).json()
    assert (second["journal"], second["number"]) == (first["journal"], first["number"] + 1)


def test_the_same_key_gets_the_same_bytes_and_counts_once(client: httpx.Client) -> None:
    def send(picture: bytes) -> httpx.Response:
        return client.post("/predict", files={"file": ("a.png", picture)}, headers={"Idempotency-Key": "k-1"})

    with ThreadPoolExecutor(8) as threads:
        bodies = {answer.content for answer in threads.map(send, [OK] * 16)}
    assert len(bodies) == 1
    conflict = send(CRACK)
    assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "idempotency_mismatch")


def test_filenames_are_only_labels(client: httpx.Client) -> None:
    answer = client.post("/predict", files={"file": ("../../etc/pass\twd<script>.png", OK)})
    assert answer.json()["filename"] == "passwd<script>.png"


def test_the_picture_and_its_heatmap_are_kept_for_what_people_look_at(client: httpx.Client) -> None:
    for seed in range(40):
        picture = draw(seed, "broken_rim").png()
        event = client.post("/predict", files={"file": ("a.png", picture)}).json()
        if event["verdict"] != "ok":
            break
    assert client.get(f"/inspections/{event['event_id']}/image").content == picture
    heat = client.get(f"/inspections/{event['event_id']}/heatmap")
    assert Image.open(io.BytesIO(heat.content)).size == (300, 300)


def test_security_headers_are_on_every_answer(client: httpx.Client) -> None:
    for path in ("/", "/health/live", "/nothing", "/inspections"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_live_feed_resumes_after_the_last_event_id(client: httpx.Client) -> None:
    numbers = [client.post("/predict", files={"file": ("a.png", OK)}).json()["event_id"] for _ in range(3)]
    seen: list[str] = []
    position = ""
    with client.stream("GET", "/events?after=-1") as feed:
        for line in feed.iter_lines():
            if line.startswith("id: "):
                position = line.removeprefix("id: ")
            if numbers[0] in line:
                break
    with client.stream("GET", "/events", headers={"Last-Event-ID": position}) as feed:
        for line in feed.iter_lines():
            if line.startswith("data: "):
                seen.append(line)
            if len(seen) == 2:
                break
    assert [number in line for number, line in zip(numbers[1:], seen, strict=True)] == [True, True]


def test_one_listener_too_many_is_told_to_come_back(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.live.MAX_LISTENERS", 0)
    refused = client.get("/events")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "full")
    assert refused.headers["Retry-After"] == "30"


def test_a_slow_sender_is_cut_off(tmp_path: Path, judge: LocalJudge) -> None:
    with running(tmp_path, judge, replace(LIMITS, body_seconds=0.5)) as service:
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nabc"
            )
            slow.settimeout(10)
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_body_over_the_limit_is_refused_while_it_is_read(tmp_path: Path, judge: LocalJudge) -> None:
    with running(tmp_path, judge, replace(LIMITS, max_body_bytes=50_000)) as service:
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(10_000):
                sent += 10_000
                yield b"x" * 10_000

        headers = {"Content-Type": "image/png"}
        try:
            answer = httpx.post(f"{service.address}/predict", content=endless(), headers=headers)
            assert answer.json()["error"]["code"] == "too_large"
        except httpx.WriteError:
            pass  # the server closed the connection before all was sent
        assert sent < 50_000_000


def test_callers_that_hold_too_much_together_are_put_off_and_their_bytes_given_back(tmp_path: Path) -> None:
    judge = SlowJudge()
    with (
        running(tmp_path, judge, replace(LIMITS, max_held_bytes=3 * len(OK))) as service,
        ThreadPoolExecutor(8) as threads,
    ):

        def send(_: int) -> httpx.Response:
            headers = {"Content-Type": "image/png"}
            return httpx.post(f"{service.address}/predict", content=OK, headers=headers, timeout=30)

        calls = [threads.submit(send, i) for i in range(8)]
        while sum(call.done() for call in calls) < 5:
            time.sleep(0.05)
        judge.gate.set()
        answers = [call.result() for call in calls]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == 5
        assert all(answer.json()["error"]["code"] == "full" and answer.headers["Retry-After"] for answer in refused)
        assert [send(i).status_code for i in range(4)] == [200] * 4


class SlowJudge(LocalJudge):
    """The real classifier behind a gate, to hold a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.sizes: list[int] = []

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        import asyncio

        self.sizes.append(len(pictures))
        await asyncio.to_thread(self.gate.wait, 20)
        return await super().judge(pictures)


def test_when_full_it_says_so_at_once_and_finishes_what_it_took(tmp_path: Path) -> None:
    judge = SlowJudge()
    limits = replace(LIMITS, max_waiting=4, max_batch=1)
    with running(tmp_path, judge, limits) as service, ThreadPoolExecutor(20) as threads:

        def send(_: int) -> httpx.Response:
            return httpx.post(f"{service.address}/predict", files={"file": ("a.png", OK)}, timeout=30)

        calls = [threads.submit(send, i) for i in range(20)]
        while sum(call.done() for call in calls) < 14:
            time.sleep(0.05)
        judge.gate.set()
        answers = [call.result() for call in calls]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    assert sum(answer.status_code == 200 for answer in answers) == 6  # four waited, two were being judged
    assert all(answer.json()["error"]["retryable"] and answer.headers["Retry-After"] for answer in refused)


def test_a_deadline_ends_the_call_and_frees_its_place(tmp_path: Path) -> None:
    judge = SlowJudge()
    with running(tmp_path, judge, replace(LIMITS, max_batch=1)) as service:
        files = {"file": ("a.png", OK)}
        late = [
            httpx.post(f"{service.address}/predict", files=files, headers={"X-Request-Timeout": "0.2"}, timeout=10)
            for _ in range(5)
        ]
        assert [answer.status_code for answer in late] == [504] * 5
        judge.gate.set()
        assert httpx.post(f"{service.address}/predict", files=files, timeout=10).status_code == 200
    assert sum(judge.sizes) <= 3  # two slots were taken; what waited was dropped before inference


def test_beyond_loopback_a_key_is_needed_and_its_role_counts(tmp_path: Path, judge: LocalJudge) -> None:
    with running(tmp_path, judge, open_access=False) as service:
        client = httpx.Client(base_url=service.address)
        assert client.get("/health/ready").status_code == 200
        files = {"file": ("a.png", OK)}
        refused = client.post("/predict", files=files)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "no_key")
        assert "casting keys add" in refused.json()["error"]["message"]
        camera = {"Authorization": f"Bearer {service.ledger.keys.add('camera', 'camera 1')}"}
        inspector = {"X-API-Key": service.ledger.keys.add("inspector", "Kim")}
        assert client.post("/predict", files=files, headers=camera).status_code == 200
        assert client.get("/inspections", headers=camera).status_code == 403
        assert client.get("/inspections", headers=inspector).status_code == 200
        assert client.get("/inspections", headers={"X-API-Key": "wrong"}).status_code == 401
        client.close()


def test_metrics_count_calls_and_inspections(client: httpx.Client) -> None:
    def value(name: str) -> float:
        lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    before = value("casting_inspections_total"), value('casting_requests_total{status="415"}')
    client.post("/predict", files={"file": ("a.png", OK)}, data={"line": "A"})
    client.post("/predict", files={"file": ("a.png", b"rubbish")})
    assert (value("casting_inspections_total"), value('casting_requests_total{status="415"}')) == (
        before[0] + 1,
        before[1] + 1,
    )
    assert value("casting_commit_seconds_count") >= 1


def test_a_stranger_cannot_grow_the_metrics(client: httpx.Client) -> None:
    for at in range(130):
        client.post("/predict", files={"file": ("a.png", OK)}, data={"camera": f"c{at}"})
    text = client.get("/metrics").text
    assert 'camera="c5"' in text
    assert 'camera="c129"' not in text
    assert 'camera="other"' in text


def test_reports_are_listed_and_shown_and_nothing_else_is_opened(tmp_path: Path, judge: LocalJudge) -> None:
    with running(tmp_path, judge) as service:
        day = tmp_path / "reports" / "date=2026-05-04"
        day.mkdir(parents=True)
        (day / "index.html").write_text("<h1>whole</h1>")
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "index.html").write_text("secret")
        with httpx.Client(base_url=service.address) as client:
            assert client.get("/reports").json()["items"] == [{"date": "2026-05-04", "url": "/reports/2026-05-04"}]
            shown = client.get("/reports/2026-05-04")
            assert "whole" in shown.text
            assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
            for path in ("2026-05-05", "..%2Fsecret", "2026-05-04%2F..%2F..%2F..%2Fsecret"):
                assert client.get(f"/reports/{path}").status_code == 404


def test_ready_names_the_model_and_what_waits_for_the_lake(client: httpx.Client) -> None:
    assert client.post("/predict", files={"file": ("a.png", OK)}).status_code == 200
    ready = client.get("/health/ready").raise_for_status().json()
    assert ready["status"] == "ready"
    assert ready["model_version"]
    assert ready["backlog"]["events"] >= 1  # no relay runs here
    assert ready["backlog"]["oldest"]


class NoJudge(LocalJudge):
    """A classifier that is away."""

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        raise Unavailable("model_unavailable", "The classifier is starting again; repeat this call.")


@pytest.mark.parametrize("pictures", [1, 3])
def test_while_the_classifier_is_away_a_call_may_be_repeated(tmp_path: Path, pictures: int) -> None:
    with running(tmp_path, NoJudge()) as service:
        answer = httpx.post(f"{service.address}/predict", files=[("file", ("a.png", OK))] * pictures)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert answer.json()["error"]["retryable"]
