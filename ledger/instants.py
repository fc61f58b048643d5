"""Instants as the tables hold them: microseconds since 1970 in UTC, which sort, index and group as numbers."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
HOUR = 3_600_000_000


def micros(when: datetime) -> int:
    """Exact; ``when`` must have a zone."""
    return (when - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The inverse of :func:`micros`, in UTC."""
    return _EPOCH + value * _MICROSECOND


def parsed(text: str) -> int:
    """From RFC 3339. Raises ValueError."""
    return micros(datetime.fromisoformat(text))


def present() -> int:
    return micros(datetime.now(UTC))


def ago(age: timedelta) -> int:
    """The instant ``age`` before now."""
    return present() - age // _MICROSECOND
