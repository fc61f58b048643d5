"""Idempotency keys: same pictures, same key, same answer, also when both arrive at once at two writers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from inspection.errors import Conflict, Unavailable
from inspection.record import Entry, IdempotencyKey, Receipt
from ledger.database import insert_new, unavailable
from ledger.instants import ago, present
from ledger.tables import answers

KEY_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who may number under each key of one commit, and what earlier commits answered: fingerprint and body."""

    winners: Mapping[str, Entry]
    stored: Mapping[str, tuple[str, bytes]]

    def wins(self, entry: Entry) -> bool:
        return entry.key is None or self.winners.get(entry.key.key) is entry

    def replay(self, key: IdempotencyKey, made: Mapping[int, Receipt]) -> Receipt | Conflict | Unavailable:
        """The answer of a call that did not win its key: an earlier commit's, or its twin's in this commit.

        Unavailable where the key was forgotten (after its day) between the claim and the look: a repeat wins it.
        """
        winner = self.winners.get(key.key)
        if winner is not None and winner.key is not None:
            fingerprint, body = winner.key.fingerprint, made[id(winner)].body
        elif key.key in self.stored:
            fingerprint, body = self.stored[key.key]
        else:
            return unavailable(LookupError("this Idempotency-Key was forgotten a moment ago; send it again"))
        return Receipt(body, (), replayed=True) if fingerprint == key.fingerprint else mismatch()


def mismatch() -> Conflict:
    return Conflict("idempotency_mismatch", "This Idempotency-Key was used with other content; take a new one.")


def claim(connection: Connection, entries: Sequence[Entry]) -> Claims:
    """Claim the keys of ``entries`` in sorted order; on PostgreSQL this waits for another writer's commit."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.key:
            first.setdefault(entry.key.key, entry)
    if not first:
        return Claims({}, {})
    since = ago(KEY_LIFE)
    connection.execute(delete(answers).where(answers.c.key.in_(sorted(first)), answers.c.stored_at < since))
    at = present()
    rows = [
        {"key": key.key, "fingerprint": key.fingerprint, "stored_at": at}
        for _, entry in sorted(first.items())
        if (key := entry.key)
    ]
    won = set(connection.scalars(insert_new(connection, answers).returning(answers.c.key), rows))
    lost = [key for key in first if key not in won]
    return Claims({key: first[key] for key in won}, _stored(connection, lost, since) if lost else {})


def keep(connection: Connection, bodies: Mapping[str, bytes]) -> None:
    """Store what the winners answered, by key."""
    if bodies:
        rows = [{"claimed": key, "body": body} for key, body in bodies.items()]
        connection.execute(update(answers).where(answers.c.key == bindparam("claimed")), rows)


def find(connection: Connection, key: IdempotencyKey) -> bytes | None:
    """The stored body for ``key``, None when there is none; raises Conflict when it was for other content."""
    found = _stored(connection, [key.key], ago(KEY_LIFE)).get(key.key)
    if found is None:
        return None
    if found[0] != key.fingerprint:
        raise mismatch()
    return found[1]


def forget_old(connection: Connection, limit: int) -> int:
    """Delete at most ``limit`` keys older than a day; returns how many."""
    old = (
        select(answers.c.key).where(answers.c.stored_at < ago(KEY_LIFE)).limit(limit).with_for_update(skip_locked=True)
    )
    return connection.execute(delete(answers).where(answers.c.key.in_(old))).rowcount


def _stored(connection: Connection, keys: Sequence[str], since: int) -> dict[str, tuple[str, bytes]]:
    # A committed key has its body: both are written in one transaction.
    found = select(answers.c.key, answers.c.fingerprint, answers.c.body).where(
        answers.c.key.in_(keys), answers.c.body.is_not(None), answers.c.stored_at >= since
    )
    return {row.key: (row.fingerprint, row.body) for row in connection.execute(found)}
