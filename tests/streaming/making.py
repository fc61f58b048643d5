"""Records for tests: events of a journal with their offsets and append times."""

from datetime import UTC, datetime, timedelta

from inspection.events import Event, timestamp, to_json
from streaming.record import Record, Stream

STREAM = Stream("cluster:topic-id", "prediction_results", 0)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def event(journal: str, number: int, **changes: object) -> Event:
    given: dict[str, object] = {
        "kind": "inspection",
        "event_id": f"{journal}-{number}",
        "occurred_at": timestamp(NOON),
        "journal": journal,
        "number": number,
        "verdict": "ok",
        "reasons": (),
        "p_defect": 0.1,
    }
    return Event(**{**given, **changes})  # type: ignore[arg-type]


def statement(journal: str, number: int, **issued: int) -> Event:
    """A statement in partition 0 about journals of partition 0."""
    named = {name: {"partition": 0, "issued": count} for name, count in issued.items()}
    return event(journal, number, kind="statement", journals=named, verdict=None, reasons=None, p_defect=None)


def record(offset: int, made: Event, at: datetime = NOON) -> Record:
    return Record(offset, at, made.journal, made.number, to_json(made))


def unreadable(offset: int, journal: str | None, number: int | None, at: datetime = NOON) -> Record:
    return Record(offset, at, journal, number, b"{not json")


def records(journal: str, numbers: range, start: int = 0, at: datetime = NOON) -> list[Record]:
    return [record(start + place, event(journal, number), at) for place, number in enumerate(numbers)]


def days(count: float) -> datetime:
    return NOON + timedelta(days=count)
