"""What Spark counts: a few small tables out of many events, each by one column-pruned pass over the files given.

Every table carries the file's ``date`` folder, so that a closed day's part can be kept and used again. Knows nothing
of statistics, and nothing of languages or pages.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspection.events import FIELDS
from reports.lake import LakeFile

_TYPES = {
    "string": "STRING",
    "int": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "strings": "ARRAY<STRING>",
    "json": "STRING",
}
_SCHEMA = ", ".join(f"`{name}` {_TYPES[kind]}" for name, kind in FIELDS) + ", `date` STRING"
#: By what inspections are counted, beside time and folder.
DIMENSIONS = ("line", "camera", "shift", "lot", "model_version", "verdict", "prediction")
#: Time slots of the counts, seconds: quarters of an hour fit every time zone's offset.
SLOT = 900
#: Bins of the drift histograms: value = bin / scale for p_defect and brightness, 2**(bin / 8) for sharpness.
P_BINS, BRIGHTNESS_BINS, SHARPNESS_STEP = 200, 256, 8
_ORDER_BITS = 10


def events(spark: Any, root: str, files: Sequence[LakeFile], dedupe: bool = False) -> Any:
    """The rows of ``files``, with ``stored_in``, topic+partition of the file; ``dedupe`` keeps one of each number."""
    from pyspark.sql import functions as sql

    if not files:
        return spark.createDataFrame([], f"{_SCHEMA}, stored_in STRING")
    reader = spark.read.schema(_SCHEMA).option("basePath", root)
    stream = sql.regexp_extract(sql.col("_metadata.file_name"), r"^(.+\+\d+)\+\d+\.parquet$", 1)
    rows = reader.parquet(*(literal(file.path) for file in files)).withColumn("stored_in", stream)
    return rows.dropDuplicates(["journal", "number"]) if dedupe else rows


def literal(path: str) -> str:
    """``path`` for Spark's reader, which takes some characters for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def copied(spark: Any, folder: str, day: str) -> Any:
    """The same out of a compacted copy of ``day``."""
    from pyspark.sql import functions as sql

    schema = _SCHEMA.rpartition(", ")[0] + ", stored_in STRING"
    return spark.read.schema(schema).parquet(literal(folder)).withColumn("date", sql.lit(day))


def numbers(rows: Any) -> Any:
    """Per folder, journal and block of 64 numbers: ``bits`` that are there, ``n`` rows."""
    from pyspark.sql import functions as sql

    number = sql.col("number")
    return rows.groupBy("date", "journal", sql.shiftright(number, 6).alias("block")).agg(
        sql.bit_or(sql.expr("shiftleft(1L, cast(number & 63 as int))")).alias("bits"), sql.count("*").alias("n")
    )


def doubled(rows: Any, numbers_table: Any, most: int) -> Any:
    """The first ``most`` numbers with more than one row; only blocks with too many rows are looked at."""
    from pyspark.sql import functions as sql

    blocks = numbers_table.groupBy("journal", "block").agg(sql.bit_or("bits").alias("bits"), sql.sum("n").alias("n"))
    suspects = sql.broadcast(blocks.where("n > bit_count(bits)").select("journal", "block").limit(most))
    found = rows.select("journal", "number", sql.shiftright("number", 6).alias("block"))
    found = found.join(suspects, ["journal", "block"], "left_semi").groupBy("journal", "number").count()
    return found.where("count > 1").select("journal", "number").orderBy("journal", "number").limit(most)


def statements(rows: Any) -> Any:
    """Per folder, stream of the file, journal and partition named: the greatest count, since when it was said."""
    from pyspark.sql import functions as sql

    counts = sql.from_json("journals", "map<string,struct<partition:int,issued:bigint>>")
    when, issued = sql.unix_micros("occurred_at"), sql.col("said.issued")
    said = rows.where("kind = 'statement'").select(
        "date", "stored_in", when.alias("at"), sql.explode(counts).alias("journal", "said")
    )
    return said.groupBy("date", "stored_in", "journal", sql.col("said.partition").alias("named")).agg(
        sql.max(issued).alias("issued"), sql.min_by("at", sql.struct(-issued, sql.col("at"))).alias("since")
    )


def heard(rows: Any) -> Any:
    """When statements were said, by folder and stream of the file."""
    from pyspark.sql import functions as sql

    said = rows.where("kind = 'statement'")
    return said.select("date", "stored_in", sql.unix_micros("occurred_at").alias("at")).distinct()


def _slot() -> Any:
    from pyspark.sql import functions as sql

    return sql.floor(sql.unix_micros("occurred_at") / (SLOT * 1_000_000)).alias("slot")


def _cell() -> Any:
    """One number for a cell: 64 bits of its folder-independent coordinates."""
    from pyspark.sql import functions as sql

    slot = sql.floor(sql.unix_micros("occurred_at") / (SLOT * 1_000_000))
    return sql.xxhash64(slot, *(sql.coalesce(sql.col(name), sql.lit("\0")) for name in DIMENSIONS))


def cells(rows: Any) -> Any:
    """Inspections by slot and dimensions: ``n`` of them, ``alone`` without a part's name."""
    from pyspark.sql import functions as sql

    return (
        _inspections(rows)
        .groupBy("date", _slot(), *DIMENSIONS, _cell().alias("cell"))
        .agg(sql.count("*").alias("n"), sql.count(sql.when(sql.col("part_id").isNull(), 1)).alias("alone"))
    )


def parts(rows: Any) -> Any:
    """One row for each inspection of a named part: when, and in which cell. No aggregation: nothing is moved yet.

    ``order`` sorts by time; of two at the same microsecond the one with the smaller CRC-32 of its id (10 bits).
    Times further than 285 years from 2020 are all alike.
    """
    from pyspark.sql import functions as sql

    tie = sql.crc32(sql.col("event_id").cast("binary")).bitwiseAND((1 << _ORDER_BITS) - 1)
    far = sql.lit((1 << 63 - _ORDER_BITS) - 1)
    time = sql.greatest(-far, sql.least(far, sql.unix_micros("occurred_at") - EPOCH))
    order = sql.shiftleft(time, _ORDER_BITS) + tie
    return (
        _inspections(rows)
        .where(sql.col("part_id").isNotNull())
        .select("date", sql.xxhash64("part_id").alias("part"), order.alias("order"), _cell().alias("cell"))
    )


#: Micro-seconds of 2020-01-01: times are kept from there, so that 10 bits of tie-break fit behind them.
EPOCH = 1_577_836_800_000_000


def first_inspections(parts_table: Any) -> Any:
    """Over all folders: how many parts were first seen in each cell."""
    from pyspark.sql import functions as sql

    firsts = parts_table.groupBy("part").agg(sql.min_by("cell", "order").alias("cell"))
    return firsts.groupBy("cell").agg(sql.count("*").alias("firsts"))


def histograms(rows: Any) -> Any:
    """Per hour and camera: counts in fine bins of p_defect, brightness and sharpness; null and NaN are left out."""
    from pyspark.sql import functions as sql

    def number(name: str, low: float, high: float) -> Any:
        column = sql.col(name)  # Spark takes NaN for the greatest number
        known = column.isNotNull() & ~sql.isnan(column)  # and passes over null in least and greatest
        return sql.when(known, sql.least(sql.greatest(column, sql.lit(low)), sql.lit(high)))

    sharp = sql.floor(sql.log2(number("sharpness", 2.0**-8, 2.0**24)) * SHARPNESS_STEP)
    bins = _inspections(rows).select(
        "date",
        sql.floor(sql.unix_micros("occurred_at") / (SLOT * 1_000_000) / 4).alias("hour"),
        "camera",
        sql.least(sql.floor(number("p_defect", 0.0, 1.0) * P_BINS), sql.lit(P_BINS - 1)).cast("int").alias("p_defect"),
        sql.floor(number("brightness", 0.0, BRIGHTNESS_BINS - 1.0)).cast("int").alias("brightness"),
        sharp.cast("int").alias("sharpness"),
    )
    each = "stack(3, 'p_defect', p_defect, 'brightness', brightness, 'sharpness', sharpness) as (measure, bin)"
    longer = bins.selectExpr("date", "hour", "camera", each).where("bin IS NOT NULL")
    return longer.groupBy("date", "hour", "camera", "measure", "bin").agg(sql.count("*").alias("n"))


def chosen(rows: Any) -> Any:
    """Inspections that were chosen for re-inspection, one row each."""
    from pyspark.sql import functions as sql

    return (
        _inspections(rows)
        .where(sql.col("audit_probability") > 0)
        .select(
            "date",
            "event_id",
            sql.unix_micros("occurred_at").alias("at"),
            "line",
            "lot",
            "model_version",
            "verdict",
            "prediction",
            "p_defect",
            "audit_probability",
        )
    )


def audits(rows: Any) -> Any:
    """People's decisions, one row each."""
    from pyspark.sql import functions as sql

    return rows.where("kind = 'audit'").select(
        "date",
        "event_id",
        sql.unix_micros("occurred_at").alias("at"),
        "inspection_id",
        "true_label",
        "auditor",
        "defect_type",
        "blind",
    )


def _inspections(rows: Any) -> Any:
    return rows.where("kind = 'inspection'")


#: Every table: how it is made of the lake's rows, and its columns.
TABLES: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "numbers": (numbers, "date STRING, journal STRING, block BIGINT, bits BIGINT, n BIGINT"),
    "statements": (
        statements,
        "date STRING, stored_in STRING, journal STRING, named INT, issued BIGINT, since BIGINT",
    ),
    "heard": (heard, "date STRING, stored_in STRING, at BIGINT"),
    "cells": (
        cells,
        "date STRING, slot BIGINT, line STRING, camera STRING, shift STRING, lot STRING, model_version STRING, "
        "verdict STRING, prediction STRING, cell BIGINT, n BIGINT, alone BIGINT",
    ),
    "parts": (parts, "date STRING, part BIGINT, `order` BIGINT, cell BIGINT"),
    "histograms": (
        histograms,
        "date STRING, hour BIGINT, camera STRING, measure STRING, bin INT, n BIGINT",
    ),
    "chosen": (
        chosen,
        "date STRING, event_id STRING, at BIGINT, line STRING, lot STRING, model_version STRING, verdict STRING, "
        "prediction STRING, p_defect DOUBLE, audit_probability DOUBLE",
    ),
    "audits": (
        audits,
        "date STRING, event_id STRING, at BIGINT, inspection_id STRING, true_label STRING, auditor STRING, "
        "defect_type STRING, blind BOOLEAN",
    ),
}
