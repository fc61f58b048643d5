"""The tables, as the newest migration leaves them; a test compares the two.

Rows of ``events`` are written once and never changed: what moves (positions, what was sent, what is settled) lies in
narrow tables beside it. Instants are microseconds since 1970 (``ledger.instants``).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    literal_column,
    text,
)

metadata = MetaData()
#: SQLite numbers rows only in a column declared INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")
#: Sorted by code point on both databases, so that prefixes are ranges of an index.
_Text = String().with_variant(String(collation="C"), "postgresql")


def _partial(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


identity = Table(
    "identity",
    metadata,
    Column("ledger_id", _Text, primary_key=True),
    Column("probed_at", BigInteger, nullable=False),  # written by the health check, which must really write
)

journals = Table(
    "journals",
    metadata,
    Column("key", _RowId, primary_key=True, autoincrement=True),  # short, for the other tables
    Column("id", _Text, nullable=False, unique=True),
    Column("kind", _Text, nullable=False),  # writer | statement
    Column("partition", Integer, nullable=False),
    Column("issued", BigInteger, nullable=False),
    # What a writer remembers of a journal that the database no longer confirms (a restore, a fail-over).
    Column("remembered", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
)

events = Table(
    "events",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("journal", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event_id", _Text, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # What the history is searched by.
    Column("verdict", _Text),
    Column("prediction", _Text),
    Column("model_version", _Text),
    Column("p_defect", Double),
    Column("latency_ms", Double),
    Column("origin", _Text),
    Column("filename", _Text),
    Column("image_sha256", _Text),
    Column("part_id", _Text),
    Column("lot", _Text),
    Column("line", _Text),
    Column("camera", _Text),
    Column("shift", _Text),
    Column("operator", _Text),
    Column("inspection_id", _Text),
    Index("events_number", "journal", "number", unique=True),
    Index("events_event_id", "event_id", unique=True),
    # The whole history in narrow rows by time: any filter that has no index of its own reads only this.
    Index(
        "events_history",
        *("occurred_at", "id", "verdict", "prediction", "model_version", "p_defect", "origin"),
        *("line", "camera", "shift", "operator", "latency_ms"),
        **_partial("verdict IS NOT NULL"),
    ),
    Index("events_part_id", "part_id", "occurred_at", "id", "verdict", **_partial("part_id IS NOT NULL")),
    Index("events_lot", "lot", "occurred_at", "id", "verdict", **_partial("lot IS NOT NULL")),
    Index("events_filename", "filename", "occurred_at", "id", "verdict", **_partial("filename IS NOT NULL")),
    Index("events_settles", "inspection_id", **_partial("inspection_id IS NOT NULL")),
)

# What carries events: embedded, or a topic of a Kafka cluster. ``stored``: the first position of an embedded line that
# its lake does not have yet (null: none that it has).
lines = Table(
    "lines",
    metadata,
    Column("key", _RowId, primary_key=True, autoincrement=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("stored", BigInteger),
)

# The outbox: an event's dense position, when it was given, the line that carries it, whether that acknowledged it.
positions = Table(
    "positions",
    metadata,
    Column("position", _RowId, primary_key=True, autoincrement=False),
    Column("journal", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("positioned_at", BigInteger, nullable=False),
    Column("sent", Boolean, nullable=False),
    Index("positions_unsent", "line", "position", **_partial("NOT sent")),
    Index("positions_first_unsent", "line", "journal", "number", **_partial("NOT sent")),
)

# How far a journal got on a line; a closed one also: the statement that named its last number, and since when the
# line has that statement.
routes = Table(
    "routes",
    metadata,
    Column("journal", BigInteger, primary_key=True, autoincrement=False),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("positioned", BigInteger, nullable=False),
    Column("stated_in", BigInteger),
    Column("stated_as", BigInteger),
    Column("settled_at", BigInteger),
)

# One row: the next position, how many partitions the topic has, and whose turn at the relay it is.
relay = Table(
    "relay",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("next_position", BigInteger, nullable=False),
    Column("partitions", Integer, nullable=False),
    Column("turn", BigInteger, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("image_sha256", _Text, primary_key=True),
    Column("stored_at", BigInteger, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("key", _Text, primary_key=True),
    Column("fingerprint", _Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary),
)

# What people have to look at: how many decisions an inspection needs and has, by whom the first was made, who holds it
# until when. ``queued_at`` is its place in the queue: who skips it sends it to the end, and what is settled has none.
reviews = Table(
    "reviews",
    metadata,
    Column("inspection_id", _Text, primary_key=True),
    Column("queued_at", BigInteger),
    Column("wanted", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("settled_by", _Text),
    Column("holder", _Text),
    Column("held_until", BigInteger),
    Index("reviews_waiting", "queued_at", "inspection_id", "settled_by", **_partial("queued_at IS NOT NULL")),
    Index("reviews_held", "holder", **_partial("holder IS NOT NULL")),
)

alerts = Table(
    "alerts",
    metadata,
    Column("event_id", _Text, primary_key=True),
    Column("acknowledged_by", _Text),
    Column("acknowledged_at", BigInteger),
    Index("alerts_open", "event_id", **_partial("acknowledged_by IS NULL")),
    Index("alerts_acknowledged", "acknowledged_at", **_partial("acknowledged_at IS NOT NULL")),
)

keys = Table(
    "keys",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("name", _Text, nullable=False),
    Column("role", _Text, nullable=False),  # camera | inspector | admin
    Column("digest", _Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

# Conditions of partial indexes, written out and not bound: only so do the databases see that an index holds the rows.
# Inspections and nothing else have a verdict. (SQLite would read the row for a column that the index lacks.)
is_inspection: ColumnElement[bool] = literal_column("events.verdict IS NOT NULL")
is_unsent: ColumnElement[bool] = literal_column("NOT positions.sent")
