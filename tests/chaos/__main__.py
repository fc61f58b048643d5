"""``make chaos``: rounds of faults until so many processes were killed; the table as JSON and Markdown.

Interrupted, it goes on where it was: rounds that were counted stand in the results. Another seed begins anew.
"""

import argparse
import json
import logging
import os
import random
import secrets
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from tests.chaos.count import Tally
from tests.chaos.faults import CLOCK, FREEZES, FULL, KILLS
from tests.chaos.plant import running
from tests.chaos.schedule import Result, Row, play, rounds
from tests.chaos.table import markdown

_MOUNTS = "CASTING_TEST_MOUNTS"


def main() -> int:
    """0: nothing lost, nothing doubled. 3: something was, and it is said what."""
    options = _options()
    results: Path = options.results
    state = _state(results, options.seed)
    done = sum(row["killed"] for row in state["rows"])
    print(f"seed {state['seed']}; {done} of {options.kills} processes killed so far", flush=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is no news here
    chosen = [[f for f in faults if options.fault in f.name] for faults in (KILLS, (*FREEZES, *CLOCK, *FULL))]
    schedule = rounds(state["seed"], *chosen)
    begin = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="chaos-", dir=options.folder) as folder,
        running(Path(folder) / "plant", disk=True, clock=True) as plant,
    ):
        tally = Tally(plant.open_lake)
        for turn, faults in enumerate(islice(schedule, state["rounds"], None), state["rounds"]):
            if done >= options.kills:
                break
            chance = random.Random(f"{state['seed']}/{turn}")
            result = play(plant, faults, chance, tally, _say)
            _add(state, result)
            done = sum(row["killed"] for row in state["rows"])
            state["minutes"] = round(state["minutes"] + (time.monotonic() - begin) / 60, 1)
            begin = time.monotonic()
            results.write_text(json.dumps(state, indent=1) + "\n")
            print(f"round {turn + 1}: {done} killed, {result.files} files; {len(state['wrong'])} wrong", flush=True)
            if result.wrong:
                print(*result.wrong, sep="\n")
                break
    print(markdown(state))
    return 3 if state["wrong"] else 0


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--kills", type=int, default=200, help="processes to kill at least")
    parser.add_argument("--seed", type=int, help="of the schedule; by default that of the results, or a new one")
    parser.add_argument("--results", type=Path, default=Path("var/chaos.json"), help="where the table is kept")
    parser.add_argument("--fault", default="", help="only those with these words in their name")
    parser.add_argument("--folder", type=Path, help="where the plant is built; by default the temporary folder")
    return parser.parse_args()


def _state(results: Path, seed: int | None) -> dict[str, Any]:
    results.parent.mkdir(parents=True, exist_ok=True)
    if results.exists():
        state = json.loads(results.read_text())
        if seed in (None, state["seed"]):
            return state
    return {
        "seed": seed if seed is not None else secrets.randbelow(10**6),
        "rounds": 0,
        "minutes": 0.0,
        "rows": [],
        "wrong": [],
    }


def _add(state: dict[str, Any], result: Result) -> None:
    rows = {row["fault"]: Row(**row) for row in state["rows"]}
    for row in result.rows:
        rows.setdefault(row.fault, Row(row.fault)).add(row)
    state["rows"] = [asdict(row) for row in rows.values()]
    state["wrong"] += result.wrong
    state["rounds"] += 1


def _with_mounts() -> None:
    """Begin again where small file systems may be mounted without leaving anything behind."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    again = [*own, sys.executable, "-m", "tests.chaos", *sys.argv[1:]]
    os.execvpe(own[0], again, {**os.environ, _MOUNTS: "1"})


if __name__ == "__main__":
    if _MOUNTS not in os.environ:
        _with_mounts()
    sys.exit(main())
