"""How much waits for the lake, for those who ask often: counted in the background, not at every call."""

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from app.ports import Outgoing
from inspection.outbox import Backlog

FRESH = 2.0  # seconds


class RecentBacklog:
    """The backlog as it was a moment ago. Only the first caller waits for a count.

    Counting takes long just when much waits, and whoever asks whether the service is ready must not wait for that.
    """

    def __init__(self, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._counted_at = 0.0
        self._last: Backlog | None = None
        self._counting: asyncio.Task[Backlog] | None = None

    async def read(self) -> Backlog:
        """At most ``FRESH`` seconds old, or as old as the count that is on its way; raises what counting raises."""
        stale = self._last is None or self._clock() - self._counted_at > FRESH
        if stale and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count())
        if self._last is None and self._counting is not None:
            return await asyncio.shield(self._counting)
        assert self._last is not None  # noqa: S101  the first caller waited for it
        return self._last

    async def _count(self) -> Backlog:
        self._last = await run_in_threadpool(self._outgoing.backlog)
        self._counted_at = self._clock()
        return self._last
