"""LitServe: uvicorn in front, workers that decode and judge. ``PEER_BATCH`` calls a batch, ``PEER_WORKERS`` of them."""

import os
from typing import Annotated, Any

import litserve
from fastapi import File

from bench.serving.peers.work import judged, load
from inspection.preparing import Prepared, prepare_bytes


class Inspection(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002  LitServe calls it so
        self.classifier = load()

    def decode_request(self, request: Annotated[list[bytes], File(alias="file")]) -> list[Prepared]:
        return [prepare_bytes(picture) for picture in request]

    def batch(self, inputs: list[list[Prepared]]) -> list[list[Prepared]]:
        return inputs

    def predict(self, x: Any) -> Any:
        calls = x if int(os.environ["PEER_BATCH"]) > 1 else [x]
        results = iter(judged(self.classifier, [one for call in calls for one in call]))
        answers = [[next(results) for _ in call] for call in calls]
        return answers if int(os.environ["PEER_BATCH"]) > 1 else answers[0]

    def unbatch(self, output: Any) -> Any:
        return output

    def encode_response(self, output: list[dict[str, Any]]) -> dict[str, Any]:
        return output[0] if len(output) == 1 else {"results": output}


if __name__ == "__main__":
    batch = int(os.environ["PEER_BATCH"])
    api = Inspection(max_batch_size=batch, batch_timeout=0.002 if batch > 1 else 0.0, api_path="/predict")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=int(os.environ["PEER_WORKERS"]))
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PEER_PORT"]),
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
