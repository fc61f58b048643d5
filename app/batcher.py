"""Micro-batches: what waits goes to the classifier the moment it has a free slot, never by a timer.

While a batch is judged the next one gathers, so batches grow with the load by themselves: one picture when it is
quiet, ``max_batch`` when it is busy.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np

from app.ports import Judge
from inspection.errors import Unavailable
from inspection.judgement import Judgement
from inspection.preprocessing import Sample

SLOTS = 2  # one batch is judged while the next is on its way


class MicroBatcher:
    """Gathers samples of one event loop. A cancelled caller's sample is dropped before inference."""

    def __init__(self, judge: Judge, max_batch: int, max_waiting: int) -> None:
        self._judge = judge
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Sample, asyncio.Future[Judgement]]] = deque()
        self._free = SLOTS
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def judge(self, sample: Sample) -> Judgement:
        """Judge one sample in whichever batch comes next. Raises Unavailable (``full``, ``model_unavailable``)."""
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable("full", "Too many pictures are waiting; try again in a moment.")
        answer: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        self._waiting.append((sample, answer))
        self._dispatch()
        return await answer

    def _dispatch(self) -> None:
        while self._free and self._waiting:
            batch: list[tuple[Sample, asyncio.Future[Judgement]]] = []
            while self._waiting and len(batch) < self._max_batch:
                sample, answer = self._waiting.popleft()
                if not answer.cancelled():
                    batch.append((sample, answer))
            if batch:
                self._free -= 1
                task = asyncio.create_task(self._run(batch))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _run(self, batch: Sequence[tuple[Sample, asyncio.Future[Judgement]]]) -> None:
        try:
            pixels = np.stack([sample.pixels for sample, _ in batch])
            measures = np.stack([sample.measures for sample, _ in batch])
            judgements = await self._judge.judge(pixels, measures)
            for (_, answer), judgement in zip(batch, judgements, strict=True):
                if not answer.done():
                    answer.set_result(judgement)
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
        finally:
            self._free += 1
            self._dispatch()
