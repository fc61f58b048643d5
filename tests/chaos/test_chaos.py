"""The short form of ``make chaos``: the whole line from real processes, some of its faults, and the whole count."""

import random
import secrets
from pathlib import Path

from tests.chaos.count import Tally
from tests.chaos.faults import KILLS
from tests.chaos.plant import running
from tests.chaos.schedule import play

FAULTS = {
    "ingress killed",
    "relay killed between send and mark",
    "broker killed",
    "consumer killed after the rename",
}


def test_nothing_is_lost_and_nothing_doubled_whatever_is_killed(tmp_path: Path) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    faults = [fault for fault in KILLS if fault.name in FAULTS]
    chance.shuffle(faults)
    with running(tmp_path / "plant") as plant:
        result = play(plant, faults, chance, Tally(plant.open_lake), print)
    assert not result.wrong
    assert sum(row.killed for row in result.rows) == 5
    assert all(row.answered for row in result.rows if row.fault != "no fault")
    assert [(row.lost, row.doubled) for row in result.rows] == [(0, 0)] * len(result.rows)
