"""Decoding as a deployment of its own, between ingress and classifier, for clusters where it scales apart."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.words import speak
from inspection.batch import Batch
from inspection.errors import BadPicture
from inspection.preparing import prepared_or_why_not


@serve.deployment(name="preparer", max_ongoing_requests=8, health_check_period_s=2, health_check_timeout_s=10)
class PreparerDeployment:
    """Decodes a batch in threads and has it judged."""

    def __init__(self, classifier: DeploymentHandle, max_pixels: int) -> None:
        speak()
        cv2.setNumThreads(1)  # as in the classifier
        self._classifier = classifier
        self._max_pixels = max_pixels
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        loop = asyncio.get_running_loop()
        ready = await asyncio.gather(
            *(
                loop.run_in_executor(self._threads, prepared_or_why_not, picture, self._max_pixels)
                for picture in pictures
            )
        )
        return await self._classifier.judge_prepared.remote(ready)  # type: ignore[no-any-return]
