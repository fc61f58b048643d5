"""Clients as a camera should be: one picture a call, repeated under the same key until it is answered."""

import threading
import time
import uuid
from dataclasses import dataclass

import httpx

from drawing.castings import KINDS, draw
from tests.services.daemon import wait

PAUSE = 0.1  # seconds between two pictures of a client: the faults are the load here
PATIENCE = 5.0  # seconds until an unanswered call is repeated


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client noted when it was answered 200."""

    at: float
    picture: str
    event_id: str
    journal: str
    number: int


class Load:
    """Posts until stopped; ``answers`` is the clients' own list, ``wrong`` what they should not have been told."""

    def __init__(self, url: str, clients: int = 2) -> None:
        self.answers: list[Answer] = []
        self.wrong: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._pictures = [draw(seed, KINDS[seed % len(KINDS)]).png() for seed in range(10)]
        self._threads = [threading.Thread(target=self._post) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def until_answered(self, seconds: float = 120) -> None:
        """Wait for an answer to a call that begins after now."""
        enough = len(self.answers) + 2 * len(self._threads)
        wait(lambda: len(self.answers) >= enough, "an answer", seconds)

    def _post(self) -> None:
        with httpx.Client(base_url=self._url, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                picture = f"{uuid.uuid4().hex}.png"
                while not self._answered(client, picture) and not self._stop.is_set():
                    time.sleep(0.3)
                time.sleep(PAUSE)

    def _answered(self, client: httpx.Client, picture: str) -> bool:
        content = self._pictures[int(picture[0], 16) % len(self._pictures)]
        try:
            answer = client.post("/predict", files={"file": (picture, content)}, headers={"Idempotency-Key": picture})
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            if not answer.json()["error"]["retryable"]:
                self.wrong.append(answer.text)
            return False
        event = answer.json()
        self.answers.append(Answer(time.monotonic(), picture, event["event_id"], event["journal"], event["number"]))
        return True
