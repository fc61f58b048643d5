"""FastAPI as its documentation teaches: decode and inference in the handler.

``threads``: ``def``, so that it runs in the thread pool; ``loop``: ``async def``, which blocks the loop meanwhile.
"""

import os

from fastapi import FastAPI, UploadFile

from bench.serving.peers.work import load, whole

app = FastAPI()
classifier = load()

if os.environ.get("PEER_SHAPE") == "loop":

    @app.post("/predict")
    async def predict(file: list[UploadFile]) -> dict[str, object]:
        return whole(classifier, [await one.read() for one in file])

else:

    @app.post("/predict")
    def predict_in_thread(file: list[UploadFile]) -> dict[str, object]:
        return whole(classifier, [one.file.read() for one in file])
