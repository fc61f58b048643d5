"""How much waits for the lake, for those who ask often: counted at most every other second."""

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from app.ports import Outgoing
from inspection.outbox import Backlog

FRESH = 2.0  # seconds
PATIENCE = 0.5  # seconds


class RecentBacklog:
    """The backlog now, or as it was before the count that takes long.

    Counting takes long just when much waits, and whoever asks whether the service is ready must not wait for that.
    """

    def __init__(self, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._counted_at = 0.0
        self._last: Backlog | None = None
        self._counting: asyncio.Task[Backlog] | None = None

    async def read(self) -> Backlog:
        """At most ``FRESH`` seconds old if a count takes no longer than ``PATIENCE``; raises what counting raises.

        When a count takes longer, the one who began it gets the last one after ``PATIENCE``, the others get it at once.
        """
        if self._last is not None and self._clock() - self._counted_at <= FRESH:
            return self._last
        began = self._counting is None or self._counting.done()
        if self._counting is None or began:
            self._counting = asyncio.create_task(self._count())
        if self._last is None:
            return await asyncio.shield(self._counting)
        if began:
            await asyncio.wait([self._counting], timeout=PATIENCE)
        return self._counting.result() if self._counting.done() else self._last

    async def _count(self) -> Backlog:
        self._last = await run_in_threadpool(self._outgoing.backlog)
        self._counted_at = self._clock()
        return self._last
