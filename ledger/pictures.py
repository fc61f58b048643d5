"""Kept pictures, by SHA-256 in the ledger's own database, so that every replica serves them; kept by age."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection, delete, select

from ledger.database import upsert
from ledger.instants import ago, present
from ledger.tables import events, pictures

_DAY = 86_400_000_000  # microseconds


def keep(connection: Connection, kept: Mapping[str, bytes]) -> None:
    """Store pictures by SHA-256; one that is there already is kept as long as if it were new."""
    if not kept:
        return
    at = present()
    # Sorted, so that two writers never wait for each other's rows in a circle.
    rows = [{"image_sha256": sha, "stored_at": at, "data": data} for sha, data in sorted(kept.items())]
    insert = upsert(connection, pictures)
    again = insert.on_conflict_do_update(
        index_elements=["image_sha256"],
        set_={"stored_at": insert.excluded.stored_at},
        where=pictures.c.stored_at < at - _DAY,  # rewriting a large row is worth it once a day
    )
    connection.execute(again, rows)


def find(connection: Connection, event_id: str) -> bytes | None:
    """The picture of an inspection, None when it was not kept or its time is over."""
    query = (
        select(pictures.c.data)
        .join(events, events.c.image_sha256 == pictures.c.image_sha256)
        .where(events.c.event_id == event_id)
    )
    data = connection.scalar(query)
    return None if data is None else bytes(data)


def holds(connection: Connection, event_id: str) -> bool:
    """Whether :func:`find` would find one, without reading it."""
    kept = select(pictures.c.stored_at).join(events, events.c.image_sha256 == pictures.c.image_sha256)
    return connection.scalar(kept.where(events.c.event_id == event_id)) is not None


def forget_old(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete at most ``limit`` pictures stored longer than ``age`` ago; returns how many."""
    old = select(pictures.c.image_sha256).where(pictures.c.stored_at < ago(age)).order_by(pictures.c.stored_at)
    chosen = old.limit(limit).with_for_update(skip_locked=True)
    return connection.execute(delete(pictures).where(pictures.c.image_sha256.in_(chosen))).rowcount
