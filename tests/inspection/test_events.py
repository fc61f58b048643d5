"""The event contract: code and JSON Schema say the same, and what is written is read back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from inspection import events
from inspection.events import FIELDS, Event, Unreadable, from_json, to_dict, to_json

SCHEMA = json.loads((Path(events.__file__).parent / "event.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
TEXT = st.text(max_size=20)


def inspection(**changes: object) -> Event:
    given: dict[str, object] = {
        "kind": "inspection",
        "event_id": events.uuid7(),
        "occurred_at": events.now(),
        "journal": "j",
        "number": 1,
        "image_sha256": "0" * 64,
        "model_version": "m",
        "prediction": "ok_front",
        "verdict": "ok",
        "reasons": (),
        "p_defect": 0.01,
    }
    return Event(**{**given, **changes})  # type: ignore[arg-type]


def test_schema_and_code_name_the_same_fields() -> None:
    assert set(SCHEMA["properties"]) == {name for name, _ in FIELDS} - {"extra"}


@given(
    filename=st.none() | TEXT,
    number=st.integers(1, 2**63 - 1),
    p=st.floats(0, 1),
    reasons=st.lists(TEXT, max_size=3),
    extra=st.dictionaries(st.text(min_size=1, max_size=8).map(lambda s: "x_" + s), st.integers() | TEXT, max_size=3),
)
def test_what_is_written_is_valid_and_read_back(
    filename: str | None, number: int, p: float, reasons: list[str], extra: dict[str, object]
) -> None:
    event = inspection(filename=filename, number=number, p_defect=p, reasons=tuple(reasons), extra=extra)
    VALIDATOR.validate(json.loads(to_json(event)))
    assert from_json(to_json(event)) == event


def test_a_newer_minor_version_passes_with_its_unknown_fields() -> None:
    raw = {**to_dict(inspection()), "schema": "inspection/1.4", "alloy": {"si": 7}}
    assert from_json(json.dumps(raw).encode()).extra == {"alloy": {"si": 7}}


def nested(depth: int) -> list[object]:
    return [] if depth == 1 else [nested(depth - 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "inspection/2"},
        {"schema": "inspection/10"},
        {"kind": "song"},
        {"number": 0},
        {"number": "1"},
        {"number": True},
        {"number": 2**63},
        {"event_id": ""},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-01-01T00:00:00"},
        {"reasons": [1]},
        {"p_defect": "high"},
        {"journals": {"j": 3}},
        {"note": "half a pair: \ud800"},
        {"x_new": {"half a pair": "\udfff"}},
        {"p_defect": 10**400},
        {"p_defect": float("nan")},
        {"occurred_at": "0001-01-01T00:00:00+23:59"},
        {"journal": "j" * 129},
        {"journals": {"j": {"partition": 0, "issued": 1, "deep": nested(65)}}},
    ],
)
def test_what_is_no_event_is_unreadable(change: dict[str, object]) -> None:
    raw = {**to_dict(inspection()), **change}
    with pytest.raises(Unreadable):
        from_json(json.dumps(raw).encode())


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        from_json(data)


def test_deep_nesting_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        from_json(b"[" * 100_000)


@pytest.mark.parametrize("kept", [str(nested(65)), '{"a": 1e999}', "-1e999"])
def test_what_could_not_be_kept_as_json_is_unreadable(kept: str) -> None:
    raw = json.dumps(to_dict(inspection()))
    with pytest.raises(Unreadable):
        from_json(f'{raw[:-1]},"x_new":{kept}}}'.encode())
    assert from_json(f'{raw[:-1]},"x_new":{nested(60)}}}'.encode()).extra == {"x_new": nested(60)}


def test_uuids_sort_by_time_and_are_version_7() -> None:
    import uuid

    made = [uuid.UUID(events.uuid7()) for _ in range(100)]
    assert {u.version for u in made} == {7}
    assert len(set(made)) == 100
    assert [u.int >> 80 for u in made] == sorted(u.int >> 80 for u in made)
