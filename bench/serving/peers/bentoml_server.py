"""BentoML with a mounted FastAPI application: ``Whole`` judges in the handler, ``Apart`` by its adaptive batching."""

import asyncio
import os
import pickle
from typing import Any

import bentoml
from fastapi import FastAPI, UploadFile

from bench.serving.peers.work import judged, load, whole
from inspection.preparing import prepare_bytes

TRAFFIC = {"timeout": 60, "max_concurrency": 512}
WORKERS = int(os.environ["PEER_WORKERS"])
BATCH = max(2, int(os.environ["PEER_BATCH"]))  # BentoML refuses to define a batch of one; ``Whole`` makes none
alone, apart = FastAPI(), FastAPI()


def pickled(picture: bytes) -> bytes:
    """A prepared picture as one ``bytes``: BentoML turns other objects into dictionaries on their way."""
    return pickle.dumps(prepare_bytes(picture), pickle.HIGHEST_PROTOCOL)


@bentoml.service(workers=WORKERS, traffic=TRAFFIC)
@bentoml.asgi_app(alone, path="/")
class Whole:
    """Decodes and judges in the handler."""

    def __init__(self) -> None:
        self.classifier = load()

    @alone.post("/predict")
    def predict(self, file: list[UploadFile]) -> dict[str, Any]:
        return whole(self.classifier, [one.file.read() for one in file])


@bentoml.service(workers=1, traffic=TRAFFIC)
class Judging:
    """Judges prepared pictures of many calls at once."""

    def __init__(self) -> None:
        self.classifier = load()

    @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=10_000)
    def judge(self, prepared: list[bytes]) -> list[Any]:
        return judged(self.classifier, [pickle.loads(one) for one in prepared])


@bentoml.service(workers=WORKERS, traffic=TRAFFIC)
@bentoml.asgi_app(apart, path="/")
class Apart:
    """Decodes in threads and hands over to ``Judging``."""

    judging = bentoml.depends(Judging)

    @apart.post("/predict")
    async def predict(self, file: list[UploadFile]) -> dict[str, Any]:
        pictures = [await one.read() for one in file]
        prepared = await asyncio.gather(*(asyncio.to_thread(pickled, picture) for picture in pictures))
        results = await self.judging.to_async.judge(list(prepared))
        return results[0] if len(results) == 1 else {"results": results}
