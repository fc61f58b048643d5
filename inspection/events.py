"""The event: what is recorded of an inspection, an audit or a statement, and its form on the wire.

One flat frozen type for all three kinds, because they share one topic and one table. ``event.schema.json`` beside
this file is the same contract for other languages; a test holds the two together. Knows no Kafka, SQL or Parquet.
"""

import json
import math
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

SCHEMA = "inspection/1"
Kind = Literal["inspection", "audit", "statement"]
FieldType = Literal["string", "int", "double", "bool", "timestamp", "strings", "json"]

# Ids are no secrets, and os.urandom lets go of the interpreter lock: under load it takes milliseconds to get it back.
_chance = random.Random()  # noqa: S311
os.register_at_fork(after_in_child=_chance.seed)


class Unreadable(ValueError):
    """A record that is no event of this schema; the text says why, in words fit for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One numbered fact. Fields that don't belong to its kind are None; unknown ones are kept in ``extra``.

    ``journal`` and ``number`` are given by the ledger in the transaction that stores the event: a draft has
    an empty journal and number 0. ``occurred_at`` is RFC 3339 in UTC with microseconds, ``latency_ms`` the time from
    the request's last byte to the verdict on its last picture in milliseconds, ``brightness`` the mean grey (0 to 255),
    ``audit_probability`` the probability with which this part was chosen for re-inspection.
    """

    kind: Kind
    event_id: str
    occurred_at: str
    schema: str = SCHEMA
    journal: str = ""
    number: int = 0
    # inspection
    request_id: str | None = None
    origin: str | None = None
    filename: str | None = None
    image_sha256: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    model_version: str | None = None
    prediction: str | None = None
    verdict: str | None = None
    reasons: tuple[str, ...] | None = None
    p_defect: float | None = None
    latency_ms: float | None = None
    audit_probability: float | None = None
    brightness: float | None = None
    sharpness: float | None = None
    part_id: str | None = None
    lot: str | None = None
    line: str | None = None
    camera: str | None = None
    shift: str | None = None
    operator: str | None = None
    # audit
    inspection_id: str | None = None
    true_label: str | None = None
    auditor: str | None = None
    defect_type: str | None = None
    note: str | None = None
    blind: bool | None = None
    # statement: journal -> {"partition": p, "issued": n}
    journals: Mapping[str, Mapping[str, int]] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


_SPECIAL: Mapping[str, FieldType] = {
    "number": "int",
    "image_width": "int",
    "image_height": "int",
    "p_defect": "double",
    "latency_ms": "double",
    "audit_probability": "double",
    "brightness": "double",
    "sharpness": "double",
    "blind": "bool",
    "occurred_at": "timestamp",
    "reasons": "strings",
    "journals": "json",
    "extra": "json",
}
#: Name and type of every column, in order: the Parquet schema of the lake follows from it.
FIELDS: tuple[tuple[str, FieldType], ...] = tuple((f.name, _SPECIAL.get(f.name, "string")) for f in fields(Event))
_NAMES = tuple(name for name, _ in FIELDS if name != "extra")
_KNOWN = frozenset(_NAMES)
_PYTHON: Mapping[FieldType, type | tuple[type, ...]] = {
    "string": str,
    "int": int,
    "double": (int, float),
    "bool": bool,
    "timestamp": str,
    "strings": (list, tuple),
    "json": dict,
}
_TYPES = {name: _PYTHON[kind] for name, kind in FIELDS}
#: Fields that need no other check than their type.
_PLAIN = {name: _PYTHON[kind] for name, kind in FIELDS if kind in ("string", "bool", "timestamp")}
_KINDS = ("inspection", "audit", "statement")
#: Levels of nesting in what is kept as JSON: far below where Python's encoder gives up on what its decoder could read.
_DEEPEST = 64
#: Characters of a journal's name; the ledger's have 32, and each file of the lake holds those of 60 days.
LONGEST_JOURNAL = 128
_ALWAYS = ("event_id", "journal", "occurred_at")


def to_dict(event: Event) -> dict[str, Any]:
    """The event as JSON-ready values, without what is None; unknown fields stand beside the known ones."""
    known = {name: value for name in _NAMES if (value := getattr(event, name)) is not None}
    return {**event.extra, **known}


def to_json(event: Event) -> bytes:
    """UTF-8 JSON, compact, keys in the order of the contract."""
    return json.dumps(to_dict(event), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def from_json(data: bytes) -> Event:
    """Read one event; unknown fields of a newer minor version are kept in ``extra``.

    Raises:
        Unreadable: no JSON object, another major schema, a wrong type, or a missing journal or number.
    """
    try:
        raw = _JSON.decode(data.decode())
        if b"\\u" in data:  # half of a surrogate pair can be escaped, and then be stored nowhere
            json.dumps(raw, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(raw, dict):
        raise Unreadable("not a JSON object")
    return from_dict(raw)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def from_dict(raw: Mapping[str, Any]) -> Event:
    """As :func:`from_json`, from parsed JSON."""
    schema = raw.get("schema")
    if not isinstance(schema, str) or schema.split(".")[0] != SCHEMA:
        raise Unreadable(f"schema is not {SCHEMA}")
    if raw.get("kind") not in _KINDS:
        raise Unreadable("unknown kind")
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in raw.items():
        if name in _PLAIN and value.__class__ is _PLAIN[name]:  # most fields of most events
            known[name] = value
        elif name not in _KNOWN:
            _check_kept(name, value)
            extra[name] = value
        elif value is not None:
            known[name] = _checked(name, value)
    if any(not known.get(name) for name in _ALWAYS) or known.get("number", 0) < 1:
        raise Unreadable("event_id, occurred_at, journal or number is missing")
    if len(known["journal"]) > LONGEST_JOURNAL:
        raise Unreadable("journal is too long")
    _check_time(known["occurred_at"])
    return Event(**known, extra=extra)


def _checked(name: str, value: Any) -> Any:
    expected: Any = _TYPES[name]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise Unreadable(f"{name} has a wrong type")
    if name == "reasons":
        if not all(isinstance(reason, str) for reason in value):
            raise Unreadable("reasons has a wrong type")
        return tuple(value)
    if name == "journals":
        if not all(_is_count(count) for count in value.values()):
            raise Unreadable("journals has a wrong type")
        _check_kept(name, value)
    if name in ("number", "image_width", "image_height") and not 0 <= value < 2**63:
        raise Unreadable(f"{name} is out of range")
    return _real(name, value) if expected == (int, float) else value


def _real(name: str, value: float) -> float:
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        raise Unreadable(f"{name} is out of range")
    return real


def _check_kept(name: str, value: Any, depth: int = 0) -> None:
    """What is kept as JSON text must be JSON again: not too deep, and no number beyond a double, which reads as inf."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable(f"{name} is out of range")
    if isinstance(value, (dict, list)):
        if depth == _DEEPEST:
            raise Unreadable(f"{name} is nested too deep")
        for item in value.values() if isinstance(value, dict) else value:
            _check_kept(name, item, depth + 1)


def _is_count(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), int) and value[key] >= 0 for key in ("partition", "issued")
    )


def _check_time(text: str) -> None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("occurred_at is no RFC 3339 time") from error
    if when.tzinfo is None:
        raise Unreadable("occurred_at has no time zone")
    try:
        when.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable("occurred_at is out of range") from error


def timestamp(when: datetime) -> str:
    """RFC 3339 in UTC with microseconds, the one form of time on the wire."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now() -> str:
    """The present in the wire's form."""
    return timestamp(datetime.now(UTC))


def uuid7() -> str:
    """A UUID version 7 (RFC 9562): sorts by creation time in milliseconds, 74 random bits."""
    chance = _chance.getrandbits(74)
    value = (time.time_ns() // 1_000_000) << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
