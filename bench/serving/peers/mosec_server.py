"""mosec: a front in Rust, workers that decode and judge. ``PEER_BATCH`` calls a batch, ``PEER_WORKERS`` processes."""

import os
from typing import Any

from mosec import Server, Worker

from bench.serving.peers.work import judged, load, parts, whole
from inspection.preparing import Prepared, prepare_bytes

BATCH = int(os.environ["PEER_BATCH"])


class Whole(Worker):
    """Decodes and judges one call."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = load()

    def deserialize(self, data: bytes) -> list[bytes]:
        return parts(data)

    def forward(self, data: list[bytes]) -> dict[str, Any]:
        return whole(self.classifier, data)


class Batched(Whole):
    """Decodes and judges several calls in one forward pass."""

    def forward(self, data: list[list[bytes]]) -> list[dict[str, Any]]:  # type: ignore[override]
        prepared: list[Prepared] = [prepare_bytes(picture) for call in data for picture in call]
        results = iter(judged(self.classifier, prepared))
        answers = []
        for call in data:
            own = [next(results) for _ in call]
            answers.append(own[0] if len(own) == 1 else {"results": own})
        return answers


if __name__ == "__main__":
    server = Server()
    server.append_worker(
        Batched if BATCH > 1 else Whole,
        num=int(os.environ["PEER_WORKERS"]),
        max_batch_size=BATCH,
        max_wait_time=2,
        timeout=60,
        route="/predict",
    )
    server.run()
