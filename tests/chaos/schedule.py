"""A schedule of faults from a seed, run against a plant under load; after each fault the lake is counted."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.count import Tally, looked, settled
from tests.chaos.faults import Fault
from tests.chaos.load import Load
from tests.chaos.plant import Plant


@dataclass(slots=True)
class Row:
    """One fault's line in the table: times tried, processes killed, answers while it lasted, lost, doubled."""

    fault: str
    tried: int = 0
    killed: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0

    def add(self, other: "Row") -> None:
        for name in ("tried", "killed", "answered", "lost", "doubled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Result:
    """What one round found; ``wrong`` says in words what must not be."""

    rows: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    files: int = 0


def rounds(seed: int, always: Sequence[Fault], sometimes: Sequence[Fault]) -> Iterator[list[Fault]]:
    """Endless rounds in an order of chance: ``always`` in each, a third of ``sometimes`` too. The same for a seed."""
    chance = random.Random(seed)
    turn = 0
    while True:
        faults = [*always, *sometimes[turn % 3 :: 3]]
        chance.shuffle(faults)
        yield faults
        turn += 1


def play(
    plant: Plant, faults: Sequence[Fault], chance: random.Random, tally: Tally, say: Callable[[str], None]
) -> Result:
    """One round: each fault under load, ``verify`` after each, the whole count at the end."""
    result = Result()
    load = Load(plant.service.url)
    windows: list[tuple[Fault, int, int]] = []
    try:
        load.until_answered()
        for fault in faults:
            begin, since = len(load.answers), time.monotonic()
            fault.hit(plant, chance)
            load.until_answered()
            verdict = looked(tally)
            windows.append((fault, begin, len(load.answers)))
            if verdict.total("missing") or verdict.total("doubled") or verdict.breaks:
                result.wrong.append(f"after '{fault.name}': {verdict}")
            say(f"{fault.name}: {windows[-1][2] - begin} answered, {time.monotonic() - since:.1f} s")
    finally:
        load.stop()
    verdict = settled(tally, load.answers)
    if not verdict.whole:
        result.wrong.append(f"after the round: {verdict}")
    result.wrong += load.wrong
    rows: dict[str, Row] = defaultdict(lambda: Row(""))
    windows.append((Fault("no fault", 0, lambda *_: None), windows[-1][2], len(load.answers)))
    for fault, begin, end in windows:
        answers = load.answers[begin:end]
        lost, doubled = tally.lost(answers), tally.doubled(answers)
        row = Row(fault.name, 1, fault.kills, len(answers), len(lost), len(doubled))
        rows.setdefault(fault.name, Row(fault.name)).add(row)
        result.wrong += [f"lost in '{fault.name}': {answer}" for answer in lost]
        result.wrong += [f"doubled in '{fault.name}': {answer}" for answer in doubled]
    result.rows = list(rows.values())
    result.files = tally.files
    return result
