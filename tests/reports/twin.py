"""A plain twin of what Spark counts, in pandas: slow, short, and written from the definitions."""

import zlib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq

from inspection.events import FIELDS


def rows(root: Path) -> pd.DataFrame:
    """Everything in the lake, each (journal, number) once."""
    parts = [pq.ParquetFile(path).read().to_pandas() for path in sorted(root.glob("date=*/*.parquet"))]
    whole = pd.concat([part for part in parts if len(part)]) if any(len(p) for p in parts) else _nothing()
    return whole.drop_duplicates(["journal", "number"]).reset_index(drop=True)


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name, _ in FIELDS})


def parts(everything: pd.DataFrame) -> pd.DataFrame:
    """The first inspection of each named part, and every inspection of unnamed ones."""
    found = everything[everything["kind"] == "inspection"].copy()
    if not len(found):
        return found
    found["tie"] = [zlib.crc32(event.encode()) & 0x3FF for event in found["event_id"]]
    ordered = found.sort_values(["occurred_at", "tie"], kind="stable")
    named = ordered["part_id"].notna()
    return pd.concat([ordered[named].drop_duplicates("part_id"), ordered[~named]])


def by(everything: pd.DataFrame, name: str, zone: ZoneInfo) -> dict[Any, dict[str, int]]:
    """Parts by ``name`` (or local ``day``, ``hour``) and verdict."""
    found = parts(everything)
    if not len(found):
        return {}
    local = pd.to_datetime(found["occurred_at"], utc=True).dt.tz_convert(str(zone))
    keys = {"day": local.dt.strftime("%Y-%m-%d"), "hour": local.dt.strftime("%H")}.get(name)
    keyed = found[name].where(found[name].notna(), None) if keys is None else keys
    counts: dict[Any, dict[str, int]] = {}
    for key, verdict in zip(keyed, found["verdict"], strict=True):
        entry = counts.setdefault(None if pd.isna(key) else key, {"parts": 0})
        entry["parts"] += 1
        entry[verdict] = entry.get(verdict, 0) + 1
    return counts
