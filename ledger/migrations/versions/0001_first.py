"""The first schema."""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("acknowledged_by", TEXT, nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("alerts_acknowledged", "alerts", ["acknowledged_at"], **partial("acknowledged_at IS NOT NULL"))
    op.create_index("alerts_open", "alerts", ["event_id"], **partial("acknowledged_by IS NULL"))
    op.create_table(
        "answers",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_answers_stored_at"), "answers", ["stored_at"])
    op.create_table(
        "events",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("journal", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", TEXT, nullable=True),
        sa.Column("prediction", TEXT, nullable=True),
        sa.Column("model_version", TEXT, nullable=True),
        sa.Column("p_defect", sa.Double(), nullable=True),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("origin", TEXT, nullable=True),
        sa.Column("filename", TEXT, nullable=True),
        sa.Column("image_sha256", TEXT, nullable=True),
        sa.Column("part_id", TEXT, nullable=True),
        sa.Column("lot", TEXT, nullable=True),
        sa.Column("line", TEXT, nullable=True),
        sa.Column("camera", TEXT, nullable=True),
        sa.Column("shift", TEXT, nullable=True),
        sa.Column("operator", TEXT, nullable=True),
        sa.Column("inspection_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_event_id", "events", ["event_id"], unique=True)
    op.create_index(
        "events_filename", "events", ["filename", "occurred_at", "id", "verdict"], **partial("filename IS NOT NULL")
    )
    op.create_index(
        "events_history",
        "events",
        [
            "occurred_at",
            "id",
            "verdict",
            "prediction",
            "model_version",
            "p_defect",
            "origin",
            "line",
            "camera",
            "shift",
            "operator",
            "latency_ms",
        ],
        **partial("verdict IS NOT NULL"),
    )
    op.create_index("events_lot", "events", ["lot", "occurred_at", "id", "verdict"], **partial("lot IS NOT NULL"))
    op.create_index("events_number", "events", ["journal", "number"], unique=True)
    op.create_index(
        "events_part_id", "events", ["part_id", "occurred_at", "id", "verdict"], **partial("part_id IS NOT NULL")
    )
    op.create_index("events_settles", "events", ["inspection_id"], **partial("inspection_id IS NOT NULL"))
    op.create_table(
        "identity",
        sa.Column("ledger_id", TEXT, nullable=False),
        sa.Column("probed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id"),
    )
    op.create_table(
        "journals",
        sa.Column("key", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("remembered", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "keys",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "lines",
        sa.Column("key", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "pictures",
        sa.Column("image_sha256", TEXT, nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("image_sha256"),
    )
    op.create_index(op.f("ix_pictures_stored_at"), "pictures", ["stored_at"])
    op.create_table(
        "positions",
        sa.Column("position", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("journal", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("positioned_at", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("positions_first_unsent", "positions", ["line", "journal", "number"], **partial("NOT sent"))
    op.create_index("positions_unsent", "positions", ["line", "position"], **partial("NOT sent"))
    op.create_table(
        "relay",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.Column("partitions", sa.Integer(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "reviews",
        sa.Column("inspection_id", TEXT, nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("settled_by", TEXT, nullable=True),
        sa.Column("holder", TEXT, nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("inspection_id"),
    )
    op.create_index("reviews_held", "reviews", ["holder"], **partial("holder IS NOT NULL"))
    op.create_index(
        "reviews_waiting", "reviews", ["queued_at", "inspection_id", "settled_by"], **partial("queued_at IS NOT NULL")
    )
    op.create_table(
        "routes",
        sa.Column("journal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("positioned", sa.BigInteger(), nullable=False),
        sa.Column("stated_in", sa.BigInteger(), nullable=True),
        sa.Column("stated_as", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("journal", "line"),
    )
    identity = sa.table("identity", sa.column("ledger_id"), sa.column("probed_at"))
    op.execute(identity.insert().values(ledger_id=uuid.uuid4().hex, probed_at=0))
    op.execute("INSERT INTO relay (id, next_position, partitions, turn) VALUES (1, 0, 1, 0)")
    if op.get_bind().dialect.name == "postgresql":
        # Pictures are compressed already.
        op.execute("ALTER TABLE pictures ALTER COLUMN data SET STORAGE EXTERNAL")
