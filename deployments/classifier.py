"""The classifier as a deployment: batches in, judgements out; a new champion takes over between two batches."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from ray import serve

from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.errors import InspectorError
from inspection.judgement import Judgement
from inspection.preprocessing import MEASURES, SHAPE, Sample

LOOK = 1.0  # seconds between looks at aliases.json
#: Batches judged at once. Threads that share one small batch spend a third of their time waiting for each other.
STREAMS = 2
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
    classifier = Classifier.load(bundle, streams=STREAMS)
    for size in (1, 8):
        classifier.judge(np.zeros((size, *SHAPE), np.uint8), np.zeros((size, len(MEASURES)), np.float32))
    return classifier


@serve.deployment(name="classifier", max_ongoing_requests=8, health_check_period_s=2, health_check_timeout_s=6)
class ClassifierDeployment:
    """Judges in a thread, so that the replica's loop stays free for the next batch."""

    def __init__(self, models: str) -> None:
        self._model = ModelInUse(Path(models))
        self._threads = ThreadPoolExecutor(STREAMS, thread_name_prefix="judge")
        self._watch: asyncio.Task[None] | None = None

    async def judge(self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]) -> Sequence[Judgement]:
        return await self._run(self._model.classifier.judge, pixels, measures)  # type: ignore[no-any-return]

    async def heatmap(
        self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        return await self._run(self._model.classifier.heatmap, Sample(pixels, measures))  # type: ignore[no-any-return]

    async def model_version(self) -> str:
        return self._model.classifier.version

    async def check_health(self) -> None:
        """Called by Serve from the start on: also what keeps the watch on aliases.json alive."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._run(self._model.refresh)

    async def _run(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
