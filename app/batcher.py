"""Micro-batches: what waits goes to the classifier the moment it is free, never by a timer.

While a batch is judged the next one gathers, so batches grow with the load by themselves: one picture when it is
quiet, ``max_batch`` when it is busy. Where each classifier has one already, another follows only when it is at least
a quarter full, in pictures or in bytes: the way to a classifier costs as much for one picture as for sixteen. Pictures
travel as they came, so large ones fill a batch sooner.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from app import metrics
from app.ports import Judge, Limits
from inspection.batch import Judged
from inspection.errors import BadPicture

Answer = asyncio.Future[Judged | BadPicture]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    picture: bytes
    answer: Answer
    since: float


class MicroBatcher:
    """Gathers pictures of one event loop. What is cancelled is dropped before it is decoded.

    ``limits.eager_batches`` (one a classifier) go however small they are; a quarter full up to ``max_batches``.
    """

    def __init__(self, judge: Judge, limits: Limits) -> None:
        self._judge = judge
        self._max_batch, self._max_bytes = limits.max_batch, limits.max_batch_bytes
        self._waiting: deque[_Waiting] = deque()
        self._eager, self._most = limits.eager_batches, limits.max_batches
        self._enough, self._enough_bytes = (limits.max_batch + 3) // 4, limits.max_batch_bytes // 4
        self._bytes = 0
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def judge(self, picture: bytes) -> Answer:
        """Judge one picture in whichever batch comes next. Its future raises Unavailable (``model_unavailable``)."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(picture, answer, time.perf_counter()))
        self._bytes += len(picture)
        self._dispatch()
        return answer

    def _dispatch(self) -> None:
        while self._waiting and self._worth_a_batch():
            if batch := self._next():
                task = asyncio.create_task(self._run(batch))
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < self._max_batch and size < self._max_bytes:
            waiting = self._waiting.popleft()
            self._bytes -= len(waiting.picture)
            if not waiting.answer.cancelled():
                batch.append(waiting)
                size += len(waiting.picture)
        return batch

    def _worth_a_batch(self) -> bool:
        running = len(self._running)
        enough = len(self._waiting) >= self._enough or self._bytes >= self._enough_bytes
        return running < self._eager or (running < self._most and enough)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._dispatch()

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        metrics.BATCH.observe(len(batch))
        for waiting in batch:
            metrics.QUEUE.observe(started - waiting.since)
        try:
            judged = await self._judge.judge([waiting.picture for waiting in batch])
            metrics.INFERENCE.observe(judged.inference_seconds)
            for waiting, result in zip(batch, judged.results, strict=True):
                if isinstance(result, Judged):
                    metrics.DECODE.observe(result.prepare_seconds)
                if not waiting.answer.done():
                    waiting.answer.set_result(result)
        except Exception as error:
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        finally:
            metrics.JUDGE.observe(time.perf_counter() - started)
