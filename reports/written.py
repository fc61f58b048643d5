"""The report's tables as Parquet, for whoever wants to go on computing with them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_GROUPS = ("day", "hour", "line", "camera", "shift", "lot", "model_version")


def parquet_tables(report: Mapping[str, Any]) -> dict[str, bytes]:
    """File name to bytes: one table a grouping, the charts' points, the lots."""
    quality = report["quality"]
    tables = {f"by_{name}": quality[f"by_{name}"] for name in _GROUPS}
    tables["chart_points"] = [{"line": c["line"], **point} for c in quality["charts"] for point in c["points"]]
    tables["lots"] = quality["lots"]["lots"]
    tables["reconciliation"] = report["reconciliation"]["by_day"]
    return {f"{name}.parquet": _parquet(rows) for name, rows in tables.items() if rows}


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    return bytes(sink.getvalue())
