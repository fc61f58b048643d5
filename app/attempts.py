"""Slows down who guesses keys, and nobody else. Knows nothing of the keys themselves."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from inspection.errors import Denied

MAX_REFUSED = 20
WINDOW = 60.0  # seconds
PAUSE = 1.0  # seconds


class Attempts:
    """After ``MAX_REFUSED`` unknown keys within ``WINDOW`` seconds each further refusal takes ``PAUSE`` and is a 429.

    A good key is never delayed, so guessing locks nobody out; and one count serves all callers, because a proxy hides
    their addresses. That a guess costs time is courtesy: a key has 256 random bits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: deque[float] = deque(maxlen=MAX_REFUSED)

    async def refuse(self) -> Denied:
        """Count a refusal; the error for it, after a pause when there were many."""
        now = self._clock()
        many = len(self._refused) == MAX_REFUSED and now - self._refused[0] <= WINDOW
        self._refused.append(now)
        if not many:
            return Denied("bad_key", "This key is unknown or was revoked.")
        await asyncio.sleep(PAUSE)
        return Denied("too_many_attempts", "This key is unknown or was revoked, like many before it; wait a minute.")
