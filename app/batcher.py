"""Micro-batches: what waits goes to the classifier the moment it is free, never by a timer.

While a batch is judged the next one gathers, so batches grow with the load by themselves: one picture when it is
quiet, ``max_batch`` when it is busy. Where each classifier has one already, another follows only when it is at least
a quarter full, in pictures or in bytes: the way to a classifier costs as much for one picture as for sixteen. Pictures
travel as they came, so large ones fill a batch sooner, and one larger than a batch goes alone.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass

from app import metrics
from app.ports import Judge, Limits
from inspection.batch import Batch, Judged
from inspection.errors import BadPicture, Unavailable

Answer = asyncio.Future[Judged | BadPicture]


@dataclass(frozen=True, slots=True)
class _Waiting:
    picture: bytes
    since: float


_Batch = list[tuple[Answer, _Waiting]]


class MicroBatcher:
    """Gathers pictures of one event loop. What is cancelled is dropped before it is decoded, with the bytes it holds.

    ``limits.eager_batches`` (one a classifier) go however small they are; a quarter full up to ``max_batches``.
    """

    def __init__(self, judge: Judge, limits: Limits) -> None:
        self._judge = judge
        self._max_batch, self._max_bytes = limits.max_batch, limits.max_batch_bytes
        self._waiting: OrderedDict[Answer, _Waiting] = OrderedDict()
        self._eager, self._most = limits.eager_batches, limits.max_batches
        self._enough, self._enough_bytes = (limits.max_batch + 3) // 4, limits.max_batch_bytes // 4
        self._bytes = 0
        self._running: set[asyncio.Task[None]] = set()
        # Batches belong to no caller: in the context of the one that happened to start it, Ray Serve would cancel a
        # batch when that one goes away.
        self._context = Context()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def judge(self, picture: bytes) -> Answer:
        """Judge one picture in whichever batch comes next. Its future raises Unavailable (``model_unavailable``)."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting[answer] = _Waiting(picture, time.perf_counter())
        self._bytes += len(picture)
        self._dispatch()
        return answer

    def cancel(self, answer: Answer) -> None:
        """Nobody wants it any more: what still waits for it is dropped."""
        answer.cancel()
        self._drop(answer)

    def _dispatch(self) -> None:
        while self._waiting and self._worth_a_batch():
            if batch := self._next():
                task = asyncio.create_task(self._run(batch), context=self._context)
                self._running.add(task)
                task.add_done_callback(self._ended, context=self._context)

    def _next(self) -> _Batch:
        batch: _Batch = []
        size = 0
        while self._waiting and len(batch) < self._max_batch:
            answer, waiting = next(iter(self._waiting.items()))
            if batch and size + len(waiting.picture) > self._max_bytes:
                break
            self._drop(answer)
            if not answer.cancelled():
                batch.append((answer, waiting))
                size += len(waiting.picture)
        return batch

    def _drop(self, answer: Answer) -> None:
        if waiting := self._waiting.pop(answer, None):
            self._bytes -= len(waiting.picture)

    def _worth_a_batch(self) -> bool:
        running = len(self._running)
        enough = len(self._waiting) >= self._enough or self._bytes >= self._enough_bytes
        return running < self._eager or (running < self._most and enough)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._dispatch()

    async def _run(self, batch: _Batch) -> None:
        started = time.perf_counter()
        metrics.BATCH.observe(len(batch))
        for _, waiting in batch:
            metrics.QUEUE.observe(started - waiting.since)
        answers = [answer for answer, _ in batch]
        try:
            judged = await self._judge.judge([waiting.picture for _, waiting in batch])
            _observe(judged)
            for answer, result in zip(answers, judged.results, strict=True):
                if not answer.done():
                    answer.set_result(result)
        except asyncio.CancelledError:
            _fail(answers, Unavailable("model_unavailable", "The classifier was interrupted; repeat this call."))
            raise
        except Exception as error:
            _fail(answers, error)
        finally:
            metrics.JUDGE.observe(time.perf_counter() - started)


def _fail(answers: Sequence[Answer], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)


def _observe(batch: Batch[BadPicture]) -> None:
    seconds = [result.prepare_seconds for result in batch.results if isinstance(result, Judged)]
    for one in seconds:
        metrics.DECODE.observe(one)
    if seconds:
        metrics.INFERENCE.observe(batch.inference_seconds)
