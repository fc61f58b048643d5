"""Decoding as a deployment of its own, for clusters where it scales apart from HTTP and from the classifier."""

import asyncio

import cv2
from ray import serve

from inspection.errors import BadPicture
from inspection.preparing import Prepared, prepare_bytes


@serve.deployment(name="preparer", max_ongoing_requests=16, health_check_period_s=2, health_check_timeout_s=10)
class PreparerDeployment:
    """One picture a call; a bad one comes back as a value, because exceptions lose their type on the way."""

    def __init__(self, max_pixels: int) -> None:
        cv2.setNumThreads(1)  # as in app.preparing
        self._max_pixels = max_pixels

    async def prepare(self, data: bytes) -> Prepared | BadPicture:
        try:
            return await asyncio.to_thread(prepare_bytes, data, self._max_pixels)
        except BadPicture as error:
            return error
