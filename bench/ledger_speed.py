"""How fast the ledger is: what an event costs, and how long searches take among a million.

``python -m bench.ledger_speed --rows 1000000 --url sqlite:////tmp/bench/ledger.sqlite`` (a database of its own; or
``--postgres``: one that is started for this run). Prints a table: the first run and the median of several, in ms.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

from inspection.events import Event, timestamp, uuid7
from inspection.record import Draft, Entry, Search
from ledger import Ledger
from tests.ledger.postgres import postgres

BATCH = 1_000  # events a call while filling
START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=180)
RUNS = 7


def inspection(place: int, rows: int, chance: random.Random) -> Event:
    """Like a plant's: 3 lines, 500 lots, 12 % defects, 1 of 1,000 rejected."""
    draw = chance.random()
    verdict = "rejected" if draw < 0.001 else "defect" if draw < 0.12 else "review" if draw < 0.15 else "ok"
    return Event(
        kind="inspection",
        event_id=uuid7(),
        occurred_at=timestamp(START + SPAN * (place / rows)),
        request_id=uuid7(),
        origin="api",
        filename=f"cast_{place}.jpeg",
        image_sha256=f"{place:064x}",
        image_width=300,
        image_height=300,
        model_version="2026-01-01",
        prediction="def_front" if draw < 0.12 else "ok_front",
        verdict=verdict,
        reasons=(),
        p_defect=round(chance.random(), 6),
        latency_ms=round(chance.uniform(5, 40), 3),
        audit_probability=1.0 if place % 1000 == 0 else None,
        brightness=120.5,
        sharpness=33.25,
        part_id=f"part-{place:08}",
        lot=f"lot-{place * 500 // rows:04}",
        line=chance.choice("ABC"),
        camera=f"camera {chance.randrange(6)}",
        shift=chance.choice(("early", "late", "night")),
    )


def fill(ledger: Ledger, rows: int) -> None:
    """Record ``rows`` inspections, and say what each cost."""
    recorder = ledger.recorder(second_look=0.1)
    chance = random.Random(1)
    before = os.times()
    for first in range(0, rows, BATCH):
        drafts = tuple(Draft(inspection(n, rows, chance)) for n in range(first, min(rows, first + BATCH)))
        recorder.submit(Entry(drafts, lambda _: b"")).result()
    after = os.times()
    recorder.close()
    cpu = after.user + after.system - before.user - before.system
    print(f"{rows:,} events recorded, {1e6 * cpu / rows:.0f} us of CPU each (making them included)")


def measured(name: str, call: Callable[[], object]) -> None:
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        call()
        times.append((time.perf_counter() - begin) * 1000)
    print(f"{name:58}{times[0]:10.1f}{statistics.median(times):10.1f}")


def searches(rows: int) -> dict[str, Search]:
    middle = START + SPAN / 2
    return {
        "newest": Search(),
        "verdict ok": Search(verdict="ok"),
        "verdict rejected (1 of 1,000)": Search(verdict="rejected"),
        "line, verdict, shift": Search(line="A", verdict="defect", shift="night"),
        "a camera that does not exist": Search(camera="camera 99"),
        "one day half-way": Search(since=middle, until=middle + timedelta(days=1)),
        "score 0.5 to 0.500001": Search(min_p=0.5, max_p=0.500001),
        "one lot": Search(lot="lot-0250"),
        "one lot and verdict": Search(lot="lot-0250", verdict="rejected"),
        "one part": Search(part_id=f"part-{rows // 3:08}"),
        "text: beginning of one file name": Search(text=f"cast_{rows // 3}"),
        "text: beginning of every part id": Search(text="part-"),
        "text and line": Search(text=f"lot-{250:04}", line="B"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    database = parser.add_mutually_exclusive_group(required=True)
    database.add_argument("--url", help="An empty database, or one that an earlier run filled.")
    database.add_argument("--postgres", action="store_true", help="Start a PostgreSQL for this run.")
    given = parser.parse_args()
    with postgres() if given.postgres else nullcontext(given.url) as url:
        measure(url, given.rows)


def measure(url: str, rows: int) -> None:
    ledger = Ledger.open(url)
    records = ledger.records
    if not records.search(Search(), limit=1).items:
        fill(ledger, rows)
        with ledger.outbox.turn() as turn:
            while turn is not None and turn.position("bench", 5_000, sent=True):
                pass
    print(f"{'ms':58}{'first':>10}{'median':>10}")
    for name, search in searches(rows).items():
        measured(name, lambda search=search: records.search(search))  # type: ignore[misc]
    deep = records.search(Search(), None, 1)
    cursor = f"{int((START + SPAN / 2).timestamp() * 1e6)}-{rows // 2}"
    measured("newest, page from the middle on", lambda: records.search(Search(), cursor))
    measured("one inspection", lambda: records.inspection(deep.items[0].event_id))
    measured("its audits", lambda: records.audits(deep.items[0].event_id))
    measured("summary of the last day", lambda: records.summary(START + SPAN - timedelta(days=1)))
    measured("summary of the last 30 days", lambda: records.summary(START + SPAN - timedelta(days=30)))
    measured("next part to review", lambda: records.next_to_review("bench"))
    measured("backlog", ledger.outbox.backlog)
    measured("2,000 events by position", lambda: ledger.outbox.from_position(rows // 2, 2_000))
    measured("open alerts", records.open_alerts)
    ledger.close()


if __name__ == "__main__":
    main()
