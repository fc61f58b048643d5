"""Posts drawn castings and prints the event id of each answer: ``post.py ADDRESS PICTURES WORKERS [KEY]``.

A camera's behaviour: each picture has an idempotency key, and is sent again until it is answered.
"""

import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpx

from drawing.castings import KINDS, draw

PATIENCE = 180.0  # seconds for which one picture is sent again


def main(address: str, pictures: int, workers: int, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=address, headers=headers, timeout=20) as client, ThreadPoolExecutor(workers) as pool:
        for event_id in pool.map(lambda number: post(client, number), range(pictures)):
            print(event_id, flush=True)


@cache
def drawn(number: int) -> bytes:
    """A casting as PNG. Drawing takes longer than inspecting: a long load repeats fifty."""
    return draw(number, KINDS[number % len(KINDS)]).png()


def post(client: httpx.Client, number: int) -> str:
    """The event id that the service answered with. Raises RuntimeError when it did not within PATIENCE."""
    png = drawn(number % 50)
    again = {"Idempotency-Key": str(uuid.uuid4())}
    end = time.monotonic() + PATIENCE
    said = "nothing"
    while time.monotonic() < end:
        try:
            answer = client.post("/predict", files={"file": (f"{number}.png", png, "image/png")}, headers=again)
        except httpx.HTTPError as error:
            said = repr(error)
        else:
            if answer.status_code == 200:
                return str(answer.json()["event_id"])
            said = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code not in (429, 500, 502, 503, 504):
                break
        time.sleep(0.5)
    raise RuntimeError(f"picture {number} was not answered: {said}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
