"""The micro-batcher on its own: who waits, who left, who is judged."""

import asyncio
import contextvars
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from app.batcher import MicroBatcher
from inspection.batch import Batch, Judged
from inspection.bundle import champion, read_card
from inspection.errors import BadPicture, Unavailable
from inspection.judgement import judge
from tests.serving import LIMITS, ROOT

THRESHOLDS = read_card(champion(ROOT / "models")).thresholds


CALLER: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)


class Gate:
    """Judges when it is told to, and remembers the marks of what it judged."""

    def __init__(self) -> None:
        self.judged: list[list[int]] = []
        self.open = asyncio.Event()
        self.broken: BaseException | None = None
        self.callers: list[str | None] = []

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        self.judged.append([picture[0] for picture in pictures])
        self.callers.append(CALLER.get())
        await self.open.wait()
        if self.broken:
            raise self.broken
        judgement = judge(0.5, (), THRESHOLDS, "v")
        return Batch([Judged(str(picture[0]), 1, 1, 0, 0, 0, judgement) for picture in pictures], 0)

    async def heatmap(self, picture: bytes) -> npt.NDArray[np.float32]:
        raise NotImplementedError

    async def model_version(self) -> str:
        return "v"


def marked(mark: int, size: int = 1) -> bytes:
    return bytes([mark]) * size


async def test_who_went_away_is_not_judged_and_the_others_are() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=4, max_batches=1))
    first = batcher.judge(marked(0))
    await asyncio.sleep(0)
    waiting = {mark: batcher.judge(marked(mark)) for mark in range(10, 20)}
    await asyncio.sleep(0)
    for mark in (10, 13, 19):
        batcher.cancel(waiting.pop(mark))
    assert batcher.waiting == len(waiting)
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *waiting.values())
    assert [mark for batch in gate.judged[1:] for mark in batch] == sorted(waiting)
    assert all(len(batch) <= 4 for batch in gate.judged)
    assert batcher.waiting == 0


async def test_a_busy_classifier_gets_another_batch_only_when_that_is_a_quarter_full() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=8, max_batches=3))
    asked = []
    for mark in range(7):
        asked.append(batcher.judge(marked(mark)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert gate.judged == [
        [0],
        [1, 2],
        [3, 4],
    ]  # the first at once, then by two, and three batches are all there may be
    gate.open.set()
    await asyncio.gather(*asked)
    assert gate.judged[3:] == [[5, 6]]


async def test_what_waits_goes_as_soon_as_the_classifier_is_free_however_little_it_is() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=16, max_batches=3))
    asked = [batcher.judge(marked(mark)) for mark in range(2)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(*asked)
    assert gate.judged == [[0], [1]]


async def test_each_of_several_classifiers_gets_a_batch_however_small() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=8, max_batches=6, eager_batches=2))
    asked = []
    for mark in range(4):
        asked.append(batcher.judge(marked(mark)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert gate.judged == [[0], [1], [2, 3]]
    gate.open.set()
    await asyncio.gather(*asked)


async def test_each_gets_its_own_answer_whatever_batch_it_was_in() -> None:
    gate = Gate()
    gate.open.set()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=4))
    answers = await asyncio.gather(*(batcher.judge(marked(mark)) for mark in range(30)))
    assert [answer.sha256 for answer in answers if isinstance(answer, Judged)] == [str(mark) for mark in range(30)]


async def test_large_pictures_fill_a_batch_sooner_and_one_larger_than_a_batch_goes_alone() -> None:
    gate = Gate()
    gate.open.set()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=4, max_batches=1, max_batch_bytes=10))
    sizes = (1, 4, 6, 1, 50, 1, 1, 1, 1)
    await asyncio.gather(*(batcher.judge(marked(mark, size)) for mark, size in enumerate(sizes)))
    assert gate.judged == [[0], [1, 2], [3], [4], [5, 6, 7, 8]]


async def test_a_few_large_pictures_are_enough_for_another_batch() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=16, max_batches=2, max_batch_bytes=100))
    asked = [batcher.judge(marked(mark, 25)) for mark in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gate.judged == [[0], [1]]
    gate.open.set()
    await asyncio.gather(*asked)


async def test_a_batch_belongs_to_no_caller() -> None:
    gate = Gate()
    gate.open.set()
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=2, max_batches=1))
    CALLER.set("one of many")
    await asyncio.gather(*(batcher.judge(marked(mark)) for mark in range(5)))
    assert gate.callers == [None] * 3


@pytest.mark.parametrize("broken", [asyncio.CancelledError(), Unavailable("model_unavailable", "")])
async def test_whatever_ends_a_batch_everyone_in_it_is_told_at_once(broken: BaseException) -> None:
    gate = Gate()
    gate.broken = broken
    batcher = MicroBatcher(gate, replace(LIMITS, max_batch=4, max_batches=1))
    asked = [batcher.judge(marked(mark)) for mark in range(5)]
    await asyncio.sleep(0)
    gate.open.set()
    for answer in asked:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(answer, 1)
