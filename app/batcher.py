"""Micro-batches: what waits goes to the classifier the moment it is free, never by a timer.

While a batch is judged the next one gathers, so batches grow with the load by themselves: one picture when it is
quiet, ``max_batch`` when it is busy. Where each classifier has one already, another follows only when it is at least
half full: the way to a classifier costs as much for one picture as for sixteen.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app import metrics
from app.ports import Judge, Limits
from inspection.judgement import Judgement
from inspection.preprocessing import Sample


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    sample: Sample
    answer: asyncio.Future[Judgement]
    since: float


class MicroBatcher:
    """Gathers samples of one event loop. A cancelled caller's sample is dropped before inference.

    ``limits.eager_batches`` (one a classifier) go however small they are; up to ``limits.max_batches`` when half full.
    """

    def __init__(self, judge: Judge, limits: Limits) -> None:
        self._judge = judge
        self._max_batch = limits.max_batch
        self._waiting: deque[_Waiting] = deque()
        self._eager, self._most = limits.eager_batches, limits.max_batches
        self._enough = (limits.max_batch + 1) // 2
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def judge(self, sample: Sample) -> Judgement:
        """Judge one sample in whichever batch comes next. Raises Unavailable (``model_unavailable``)."""
        answer: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(sample, answer, time.perf_counter()))
        self._dispatch()
        return await answer

    def _dispatch(self) -> None:
        while self._waiting and self._worth_a_batch():
            batch: list[_Waiting] = []
            while self._waiting and len(batch) < self._max_batch:
                waiting = self._waiting.popleft()
                if not waiting.answer.cancelled():
                    batch.append(waiting)
            if batch:
                task = asyncio.create_task(self._run(batch))
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _worth_a_batch(self) -> bool:
        running = len(self._running)
        return running < self._eager or (running < self._most and len(self._waiting) >= self._enough)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._dispatch()

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        metrics.BATCH.observe(len(batch))
        for waiting in batch:
            metrics.QUEUE.observe(started - waiting.since)
        try:
            pixels = np.stack([waiting.sample.pixels for waiting in batch])
            measures = np.stack([waiting.sample.measures for waiting in batch])
            judgements = await self._judge.judge(pixels, measures)
            for waiting, judgement in zip(batch, judgements, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(judgement)
        except Exception as error:
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        finally:
            metrics.JUDGE.observe(time.perf_counter() - started)
