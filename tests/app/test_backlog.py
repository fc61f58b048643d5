"""Asking for the backlog costs no count of its own."""

import asyncio
import threading

from app.backlog import FRESH, RecentBacklog
from inspection.outbox import Backlog


class SlowOutgoing:
    """Counts how often it was counted; a count takes until ``go`` is set."""

    def __init__(self) -> None:
        self.counts = 0
        self.go = threading.Event()
        self.go.set()

    def backlog(self) -> Backlog:
        self.go.wait(30)
        self.counts += 1
        return Backlog(self.counts, None)


async def test_who_asks_after_a_pause_is_told_what_waits_now() -> None:
    now, outgoing = [100.0], SlowOutgoing()
    recent = RecentBacklog(outgoing, lambda: now[0])  # type: ignore[arg-type]
    assert [(await recent.read()).events for _ in range(50)] == [1] * 50
    now[0] += 60
    assert [(await recent.read()).events for _ in range(50)] == [2] * 50


async def test_only_one_waits_for_a_count_that_takes_long_and_not_for_its_end() -> None:
    now, outgoing = [100.0], SlowOutgoing()
    recent = RecentBacklog(outgoing, lambda: now[0])  # type: ignore[arg-type]
    await recent.read()
    now[0] += FRESH + 1
    outgoing.go.clear()
    async with asyncio.timeout(10):
        assert [(await recent.read()).events for _ in range(50)] == [1] * 50  # the second count is still on its way
    outgoing.go.set()
    while (await recent.read()).events < 2:
        await asyncio.sleep(0.01)
    assert outgoing.counts == 2
