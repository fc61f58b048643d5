"""Today's figures: how many of what, on which line, in which hour, and how long answers took."""

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from inspection.events import timestamp
from inspection.record import Cell, Latency, Summary
from ledger.instants import HOUR, micros, moment
from ledger.reviews import waiting
from ledger.tables import events, is_inspection

#: Percentiles are of the newest so many: enough for p99, and bounded.
NEWEST = 10_000


def summarise(connection: Connection, since: datetime) -> Summary:
    """Of inspections since ``since``; latencies are of the newest."""
    recent = (is_inspection, events.c.occurred_at >= micros(since))
    hour = events.c.occurred_at // HOUR
    grouped = select(hour, events.c.line, events.c.verdict, func.count()).where(*recent)
    cells = connection.execute(grouped.group_by(hour, events.c.line, events.c.verdict).order_by(hour)).all()
    verdicts: Counter[str] = Counter()
    for _, _, verdict, count in cells:
        verdicts[verdict] += count
    return Summary(
        since=timestamp(since),
        verdicts=dict(verdicts),
        cells=tuple(Cell(_hour(h), line, verdict, n) for h, line, verdict, n in cells),
        waiting=waiting(connection),
        latency_ms=_latency(connection, recent),
    )


def _hour(number: int) -> str:
    return moment(number * HOUR).isoformat(timespec="seconds").replace("+00:00", "Z")


def _latency(connection: Connection, recent: tuple[ColumnElement[bool], ...]) -> Latency:
    newest = select(events.c.latency_ms).where(*recent, events.c.latency_ms.is_not(None))
    values = sorted(connection.scalars(newest.order_by(events.c.occurred_at.desc()).limit(NEWEST)))
    if not values:
        return Latency(None, None)
    return Latency(values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)])
