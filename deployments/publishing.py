"""``casting score --publish``: finished rows of a scoring into the ledger, numbered as all other inspections."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from deployments.settings import Settings
from inspection.events import Event, now, uuid7
from inspection.record import Draft, Entry, IdempotencyKey
from ledger import Ledger
from scoring.plan import RESULTS, published

WAIT = 60.0  # seconds for one part's commit


def publish(out: Path) -> int:
    """Record every judged row of ``out`` that isn't recorded yet; returns how many were.

    Each part is one commit under a key of its own and is then marked: killed in between, the next run gets the same
    answer for the same key and records nothing twice (keys are kept for 24 hours). Pictures are not copied.

    Raises:
        Unavailable: ``ledger_unavailable``; the same call goes on.
    """
    settings = Settings()
    ledger = Ledger.open(settings.ledger_url)
    recorder = ledger.recorder(settings.second_look)
    recorded = 0
    try:
        for part in sorted((out / RESULTS).glob("*.parquet")):
            mark = published(out, part.stem)
            if mark.exists():
                continue
            drafts = tuple(Draft(event) for event in _events(part))
            if drafts:
                fingerprint = hashlib.sha256(part.read_bytes()).hexdigest()
                entry = Entry(drafts, lambda _: b"", IdempotencyKey(f"archive:{fingerprint}", fingerprint))
                recorder.submit(entry).result(WAIT)
            mark.touch()
            recorded += len(drafts)
    finally:
        recorder.close()
        ledger.close()
    return recorded


def _events(part: Path) -> list[Event]:
    return [
        Event(
            kind="inspection",
            event_id=uuid7(),
            occurred_at=now(),
            origin="archive",
            filename=row["path"],
            image_sha256=row["image_sha256"],
            image_width=row["image_width"],
            image_height=row["image_height"],
            model_version=row["model_version"],
            prediction=row["prediction"],
            verdict=row["verdict"],
            reasons=tuple(row["reasons"]),
            p_defect=row["p_defect"],
            brightness=row["brightness"],
            sharpness=row["sharpness"],
        )
        for row in pq.read_table(part).to_pylist()
        if row["error"] is None
    ]
