"""Reports without Spark: small tables as Spark would count them, composed to a report."""

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from inspection.reconciliation import Account
from reports.daily import Day
from reports.period import Period
from reports.report import Counts, Wanted, compose
from reports.tables import DIMENSIONS, SLOT
from tests.reports.lakes import Plant, inspections

NOW = datetime(2026, 3, 9, tzinfo=UTC)
#: Slots of an hour and of a day: slot 0 is the first of 1970.
HOUR, DAY = 3600 // SLOT, 86400 // SLOT
NOTHING = pa.table({"cell": pa.array([], pa.int64()), "firsts": pa.array([], pa.int64())})
_AUDITS = ("at", "event_id", "inspection_id", "auditor", "true_label", "defect_type", "blind")


def cells(slots: Mapping[int, Mapping[str | None, int]], line: str = "<L&1>") -> pa.Table:
    """Slot to parts by verdict, all on one line."""
    rows = [
        {
            **{"slot": slot, "cell": zlib.crc32(f"{line} {slot} {i}".encode()), "n": n, "alone": n},
            **{"verdict": verdict, "line": line, "lot": "a"},
        }
        for slot, verdicts in slots.items()
        for i, (verdict, n) in enumerate(verdicts.items())
    ]
    text = [(name, pa.string()) for name in DIMENSIONS]
    numbers = [(name, pa.int64()) for name in ("slot", "cell", "n", "alone")]
    return pa.Table.from_pylist(rows, schema=pa.schema([*numbers, *text]))


def histograms(days: Mapping[int, tuple[int, int]], camera: str = "C1") -> pa.Table:
    """Day (0 is the first of 1970) to brightness and the pictures in each of ten bins from there."""
    rows = [
        {"hour": day * 24, "measure": "brightness", "bin": place + i, "n": n, "camera": camera}
        for day, (place, n) in days.items()
        for i in range(10)
    ]
    numbers = [(name, pa.int64()) for name in ("hour", "bin", "n")]
    return pa.Table.from_pylist(rows, schema=pa.schema([*numbers, ("measure", pa.string()), ("camera", pa.string())]))


def audits(*said: tuple[str, str, str], blind: bool = True) -> pa.Table:
    """Part, auditor and label, in the order of time."""
    rows = [
        {"at": i, "event_id": f"a{i}", "inspection_id": part, "auditor": who, "true_label": label, "blind": blind}
        for i, (part, who, label) in enumerate(said)
    ]
    kinds = {"at": pa.int64(), "blind": pa.bool_()}
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, kinds.get(name, pa.string())) for name in _AUDITS]))


def chosen(*drawn: tuple[str, str, str, float]) -> pa.Table:
    """Part, verdict, the model's answer and the probability with which it was drawn."""
    plant = inspections(Plant(), 0, 1, 1, "j", 0)
    names = ["event_id", "line", "lot", "model_version", "verdict", "prediction", "p_defect", "audit_probability"]
    schema = plant.select(names).schema.append(pa.field("at", pa.int64()))
    keys = ("event_id", "verdict", "prediction", "audit_probability")
    rows = [{**dict(zip(keys, part, strict=True)), "at": 0} for part in drawn]
    return pa.Table.from_pylist(rows, schema=schema)


_UNSAID = Account((), (), (), 0, 0, None, None, 0)
_LOST = (Day("1970-01-01", missing=1),)


def report(
    counted: pa.Table,
    now: datetime = NOW,
    account: Account = _UNSAID,
    days: tuple[Day, ...] = _LOST,
    *,
    frozen: Period | None = None,
    told: Mapping[str, pa.Table] | None = None,
    **wanted: Any,
) -> dict[str, Any]:
    """``told``: tables other than the cells, by their name in ``Counts``."""
    tables = {"histograms": histograms({}), "chosen": chosen(), "audits": audits(), **(told or {})}
    asked = Wanted("/lake", wanted.pop("zone", ZoneInfo("Asia/Seoul")), **wanted)
    return compose(Counts(account, days, counted, NOTHING, **tables), asked, frozen, now)


def says(made: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(finding["level"], finding["what"]) for finding in made["findings"]}
