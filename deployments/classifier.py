"""The classifier as a deployment: pictures in, judgements out; a new champion takes over between two batches."""

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import structlog
from ray import serve

from deployments.words import speak
from inspection.batch import Batch, judge_batch
from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.errors import BadPicture, InspectorError
from inspection.preparing import Prepared, prepare_bytes, prepared_or_why_not

LOOK = 1.0  # seconds between looks at aliases.json
#: Batches under way at once, each decoded and judged by one thread: while one is in the network, which needs no
#: interpreter lock, another is decoded and a third is ready for whichever of the two ends first (docs/decisions/0060).
JUDGES = 3
_log = structlog.get_logger(__name__)


class ModelInUse:
    """The champion, loaded and warm; :meth:`refresh` loads a new one beside the old and then switches."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._bundle = champion(models)
        self.classifier = _warm(self._bundle)

    def refresh(self) -> None:
        """Follow ``aliases.json``; what can't be loaded is logged, and the old model stays."""
        try:
            bundle = champion(self._models)
            if bundle != self._bundle:
                self.classifier, self._bundle = _warm(bundle), bundle
                _log.info("model_switched", version=self.classifier.version)
        except InspectorError as error:
            _log.error("model_not_switched", reason=error.message)


def _warm(bundle: Path) -> Classifier:
    classifier = Classifier.load(bundle, max(1, (os.cpu_count() or 1) // JUDGES), JUDGES)
    classifier.warm((1, 8))
    return classifier


@serve.deployment(name="classifier", max_ongoing_requests=8, health_check_period_s=2, health_check_timeout_s=6)
class ClassifierDeployment:
    """Works in threads, so that the replica's loop stays free. A bad picture comes back as a value, because exceptions
    lose their type on the way."""

    def __init__(self, models: str, max_pixels: int) -> None:
        speak()
        cv2.setNumThreads(1)  # our own threads keep all cores busy; OpenCV's would only be in their way
        self._max_pixels = max_pixels
        self._model = ModelInUse(Path(models))
        self._threads = ThreadPoolExecutor(JUDGES, thread_name_prefix="judge")
        # Two threads that decode at once mostly wait for each other's interpreter lock (docs/decisions/0062).
        self._decoding = threading.Lock()
        self._watch: asyncio.Task[None] | None = None

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        return await self._run(self._judge, pictures)  # type: ignore[no-any-return]

    async def judge_prepared(self, pictures: Sequence[Prepared | BadPicture]) -> Batch[BadPicture]:
        return await self._run(judge_batch, self._model.classifier, pictures)  # type: ignore[no-any-return]

    async def heatmap(self, picture: bytes) -> npt.NDArray[np.float32] | BadPicture:
        return await self._run(self._heatmap, picture)  # type: ignore[no-any-return]

    async def model_version(self) -> str:
        return self._model.classifier.version

    async def check_health(self) -> None:
        """Called by Serve from the start on: also what keeps the watch on aliases.json alive."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._follow())

    def _judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        with self._decoding:
            ready = [prepared_or_why_not(picture, self._max_pixels) for picture in pictures]
        return judge_batch(self._model.classifier, ready)

    def _heatmap(self, picture: bytes) -> npt.NDArray[np.float32] | BadPicture:
        try:
            return self._model.classifier.heatmap(prepare_bytes(picture, self._max_pixels).sample)
        except BadPicture as error:
            return error

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._run(self._model.refresh)

    async def _run(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
