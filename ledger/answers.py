"""Idempotency keys: same pictures, same key, same answer, also when both arrive at once at two writers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select

from inspection.errors import Conflict, Unavailable
from inspection.events import now, timestamp
from inspection.record import Entry, IdempotencyKey, Receipt
from ledger.database import insert_new
from ledger.tables import answers

KEY_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who may number under each key of one commit, and what earlier commits answered."""

    winners: Mapping[str, Entry]
    stored: Mapping[str, tuple[str, bytes | None]]

    def wins(self, entry: Entry) -> bool:
        return entry.key is not None and self.winners.get(entry.key.key) is entry

    def replay(self, entry: Entry, made: Mapping[int, Receipt]) -> Receipt | Conflict | Unavailable:
        """The answer of a call that did not win its key: an earlier commit's, or its twin's in this commit."""
        assert entry.key is not None  # noqa: S101  only keyed entries can lose
        winner = self.winners.get(entry.key.key)
        if winner is not None and winner.key is not None:
            fingerprint, body = winner.key.fingerprint, made[id(winner)].body
        else:
            fingerprint, found = self.stored[entry.key.key]
            if found is None:
                return Unavailable("ledger_unavailable", "The first call with this key is still being recorded.")
            body = found
        return Receipt(body, (), replayed=True) if fingerprint == entry.key.fingerprint else mismatch()


def mismatch() -> Conflict:
    return Conflict("idempotency_mismatch", "This Idempotency-Key was used with other content; take a new one.")


def claim(connection: Connection, entries: Sequence[Entry]) -> Claims:
    """Claim the keys of ``entries`` in sorted order; on PostgreSQL this waits for another writer's commit."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.key:
            first.setdefault(entry.key.key, entry)
    winners: dict[str, Entry] = {}
    statement = insert_new(connection, answers)
    for key, entry in sorted(first.items()):
        assert entry.key is not None  # noqa: S101  put there above
        row = {"key": key, "fingerprint": entry.key.fingerprint, "stored_at": now()}
        if connection.execute(statement.values(row)).rowcount == 1:
            winners[key] = entry
    lost = [key for key in first if key not in winners]
    return Claims(winners, _stored(connection, lost) if lost else {})


def find(connection: Connection, key: IdempotencyKey) -> bytes | None:
    """The stored body for ``key``, None when there is none; raises Conflict when it was for other content."""
    fingerprint, body = _stored(connection, [key.key]).get(key.key, (key.fingerprint, None))
    if fingerprint != key.fingerprint:
        raise mismatch()
    return body


def forget_old(connection: Connection) -> int:
    """Delete keys older than a day; returns how many."""
    before = timestamp(datetime.now(UTC) - KEY_LIFE)
    return connection.execute(delete(answers).where(answers.c.stored_at < before)).rowcount


def _stored(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, bytes | None]]:
    rows = connection.execute(
        select(answers.c.key, answers.c.fingerprint, answers.c.body).where(answers.c.key.in_(keys))
    )
    return {row.key: (row.fingerprint, row.body) for row in rows}
