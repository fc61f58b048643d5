"""Signing in with a key, and what guessing keys meets."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.attempts import MAX_REFUSED, WINDOW, Attempts
from tests.serving import LocalJudge, running


def test_a_key_signs_the_page_in_and_a_revoked_one_ends_it(tmp_path: Path) -> None:
    with running(tmp_path, LocalJudge(), open_access=False) as service, httpx.Client(base_url=service.address) as page:
        secret = service.ledger.keys.add("inspector", "desk")
        assert page.get("/inspections").json()["error"]["code"] == "no_key"
        signed = page.post("/session", json={"key": secret})
        assert signed.json() == {"name": "desk", "role": "inspector"}
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert page.get("/inspections").status_code == 200
        service.ledger.keys.revoke(service.ledger.keys.list()[0].id)
        assert page.get("/inspections").json()["error"]["code"] == "bad_key"
        assert page.delete("/session").status_code == 204
        assert page.get("/inspections").json()["error"]["code"] == "no_key"


def test_guessing_is_slowed_and_good_keys_go_on(tmp_path: Path) -> None:
    with running(tmp_path, LocalJudge(), open_access=False) as service:
        secret = service.ledger.keys.add("inspector", "desk")

        def call(key: str) -> int:
            return httpx.get(f"{service.address}/session", headers={"Authorization": f"Bearer {key}"}).status_code

        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(call, [f"guess-{i}" for i in range(MAX_REFUSED + 5)]))
        assert (answers.count(401), answers.count(429)) == (MAX_REFUSED, 5)
        assert call(secret) == 200


async def test_after_a_while_a_refusal_is_quick_again() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    codes = [(await attempts.refuse()).code for _ in range(MAX_REFUSED + 1)]
    assert codes == ["bad_key"] * MAX_REFUSED + ["too_many_attempts"]
    now = WINDOW + 1
    assert (await attempts.refuse()).code == "bad_key"
