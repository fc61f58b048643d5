"""Decoding in threads of this process: Pillow and OpenCV release the GIL, so it overlaps with everything else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import cv2

from inspection.preparing import Prepared, prepare_bytes


class ThreadPreparer:
    """Implements ``app.ports.Preparer``."""

    def __init__(self, threads: int, max_pixels: int) -> None:
        cv2.setNumThreads(1)  # the pool's threads keep all cores busy; OpenCV's own would only be in their way
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._max_pixels = max_pixels

    async def prepare(self, data: bytes) -> Prepared:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, prepare_bytes, data, self._max_pixels)
