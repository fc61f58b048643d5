"""``GET /events``: every open page sees every inspection, and misses none while it was away.

One task a process reads the ledger by position while anybody listens; each listener has a bounded queue and is cut
off when it can't keep up: it comes back with ``Last-Event-ID`` and goes on where it was.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app import metrics
from app.access import Reader
from app.ports import Outgoing
from inspection.errors import BadRequest, Unavailable
from inspection.outbox import Carried

router = APIRouter(tags=["live"])
TICK = 0.1  # seconds between looks for new events
PAGE = 500
QUEUE = 2_000
HEARTBEAT = 15.0  # seconds of silence until a sign of life
MAX_LISTENERS = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Word:
    """Something said to who listens to this process now; it has no position, and who is away misses it."""

    kind: str
    payload: bytes


ALIVE = Word("alive", b"{}")
_Told = Carried | Word


class Feed:
    """Fans events out to listeners from one reader."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._listeners: set[asyncio.Queue[_Told | None]] = set()
        self._reader: asyncio.Task[None] | None = None

    def refuse_if_full(self) -> None:
        """Raises Unavailable (``full``) while as many pages listen as may."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise Unavailable("full", "Too many pages are listening.", retry_after=30)

    async def listen(self, after: int | None) -> AsyncIterator[_Told]:
        """Events above position ``after`` (None: from now on), words in between, and a sign of life every 15 s.

        A position that was not given yet is of another ledger, put in this one's place: nothing is known to be missed.
        """
        queue: asyncio.Queue[_Told | None] = asyncio.Queue(QUEUE)
        first = await run_in_threadpool(self._outgoing.next_position)
        self._listeners.add(queue)
        metrics.LISTENERS.inc()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(first))
        try:
            position = first - 1 if after is None or after >= first else after
            async for carried in self._missed(position, first):
                position = carried.position
                yield carried
            while queue in self._listeners:
                try:
                    item = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield ALIVE
                    continue
                if isinstance(item, Word):
                    yield item
                elif item is not None and item.position > position:
                    position = item.position
                    yield item
        finally:
            self._listeners.discard(queue)
            metrics.LISTENERS.dec()

    async def _missed(self, after: int, before: int) -> AsyncIterator[Carried]:
        while after + 1 < before:
            page = await run_in_threadpool(self._outgoing.from_position, after + 1, PAGE)
            for carried in page:
                yield carried
            if not page:
                return
            after = page[-1].position

    async def _read(self, position: int) -> None:
        while self._listeners:
            try:
                page = await run_in_threadpool(self._outgoing.from_position, position, PAGE)
            except Exception as error:
                _log.warning("live_feed_waits", error=type(error).__name__)
                page = []
            for carried in page:
                position = carried.position + 1
                self._offer(carried)
            if len(page) < PAGE:
                await asyncio.sleep(TICK)
        self._reader = None

    def tell(self, word: Word) -> None:
        """Say it to everybody who listens now."""
        self._offer(word)

    def _offer(self, told: _Told) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(told)
            except asyncio.QueueFull:
                self._listeners.discard(queue)
                with suppress(asyncio.QueueEmpty):
                    queue.get_nowait()
                queue.put_nowait(None)


@router.get("/events", summary="Live events (server-sent events)")
async def events(
    request: Request, _caller: Reader, after: Annotated[int | None, Query(ge=-1, lt=2**63)] = None
) -> StreamingResponse:
    """Inspections and audits as they are recorded; resumes by ``Last-Event-ID``, or ``after``.

    Without an id, to who listens now: ``acknowledged`` (``event_ids``, ``by``) and, every 15 s, ``alive``.
    """
    feed: Feed = request.app.state.feed
    last = request.headers.get("last-event-id")
    if last is not None:
        if not re.fullmatch("[0-9]{1,18}", last):
            raise BadRequest("bad_value", "Last-Event-ID is a position.")
        after = int(last)
    feed.refuse_if_full()  # while there is still a status to say it with

    async def stream() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        async for told in feed.listen(after):
            if isinstance(told, Word):
                yield b"event: %s\ndata: %s\n\n" % (told.kind.encode(), told.payload)
            elif told.kind != "statement":
                yield b"id: %d\nevent: %s\ndata: %s\n\n" % (told.position, told.kind.encode(), told.payload)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)
