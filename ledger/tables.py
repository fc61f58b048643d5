"""The tables, as the newest migration leaves them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)

metadata = MetaData()
#: SQLite numbers rows only in a column declared INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")
#: Instants are stored as RFC 3339 text in UTC with microseconds: sorts as time, the same on both databases.
_Instant = String

identity = Table("identity", metadata, Column("ledger_id", String, primary_key=True))

journals = Table(
    "journals",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # writer | statement
    Column("partition", Integer, nullable=False),
    Column("issued", BigInteger, nullable=False),
    # What a writer remembers of a journal that the database no longer confirms (a restore, a fail-over).
    Column("remembered", BigInteger, nullable=False, server_default="0"),
    Column("opened_at", _Instant, nullable=False),
    Column("closed_at", _Instant),
    # When a statement that names the closed journal's last number was acknowledged.
    Column("settled_at", _Instant),
)

events = Table(
    "events",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("journal", String, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("event_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("occurred_at", _Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # The outbox: dense position, when it was given, what carries the event, whether that acknowledged it.
    Column("position", BigInteger),
    Column("positioned_at", _Instant),
    Column("line_id", String),
    Column("sent", Boolean, nullable=False, server_default=text("false")),
    # What the history is searched by.
    Column("verdict", String),
    Column("prediction", String),
    Column("model_version", String),
    Column("p_defect", Double),
    Column("latency_ms", Double),
    Column("origin", String),
    Column("filename", String),
    Column("image_sha256", String),
    Column("part_id", String),
    Column("lot", String),
    Column("line", String),
    Column("camera", String),
    Column("shift", String),
    Column("operator", String),
    Column("inspection_id", String),
    Index("events_number", "journal", "number", unique=True),
    Index("events_event_id", "event_id", unique=True),
    Index("events_position", "position", unique=True),
    Index(
        "events_unpositioned", "id", sqlite_where=text("position IS NULL"), postgresql_where=text("position IS NULL")
    ),
    Index("events_unsent", "journal", "number", sqlite_where=text("NOT sent"), postgresql_where=text("NOT sent")),
    Index("events_occurred", "kind", "occurred_at"),
    Index("events_verdict", "verdict", "id"),
    Index("events_line", "line", "id"),
    Index("events_lot", "lot", "id"),
    Index("events_part", "part_id", "id"),
    Index(
        "events_settles",
        "inspection_id",
        sqlite_where=text("inspection_id IS NOT NULL"),
        postgresql_where=text("inspection_id IS NOT NULL"),
    ),
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
    Column("image_sha256", String, primary_key=True),
    Column("stored_at", _Instant, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("stored_at", _Instant, nullable=False, index=True),
    Column("body", LargeBinary),
)

# What people have to look at: how many decisions an inspection needs, how many it has, and who holds it until when.
reviews = Table(
    "reviews",
    metadata,
    Column("inspection_id", String, primary_key=True),
    Column("wanted", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("holder", String),
    Column("held_until", _Instant),
    Index(
        "reviews_waiting",
        "inspection_id",
        sqlite_where=text("done < wanted"),
        postgresql_where=text("done < wanted"),
    ),
)

alerts = Table(
    "alerts",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("acknowledged_by", String),
    Column("acknowledged_at", _Instant),
    Index(
        "alerts_open",
        "event_id",
        sqlite_where=text("acknowledged_by IS NULL"),
        postgresql_where=text("acknowledged_by IS NULL"),
    ),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),  # camera | inspector | admin
    Column("digest", String, nullable=False, unique=True),
    Column("created_at", _Instant, nullable=False),
    Column("revoked_at", _Instant),
)
