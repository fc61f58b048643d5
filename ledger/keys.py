"""API keys: shown once, stored as digests, so that every replica sees a new or a revoked one at once."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Engine, select, update

from inspection.errors import BadRequest, NotFound
from inspection.events import timestamp, uuid7
from ledger.database import insert_new, reading, writing
from ledger.instants import moment, present
from ledger.tables import keys

Role = Literal["camera", "inspector", "admin"]
MAX_NAME = 128
MIN_SECRET = 32
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown: never its secret."""

    id: str
    name: str
    role: Role
    created_at: str
    revoked_at: str | None


class Keys:
    """Implements what the application and the command line need of keys."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, role: str, name: str, secret: str | None = None) -> str:
        """Make a key; its secret is returned now and never again.

        A ``secret`` made elsewhere (a Kubernetes Secret) may be given; one that is here already stays as it is.

        Raises:
            BadRequest: ``bad_role``, ``bad_name``, ``weak_secret`` (shorter than 32 characters).
        """
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise BadRequest("bad_name", f"A key's name is 1 to {MAX_NAME} printable characters.")
        if role not in ROLES:
            raise BadRequest("bad_role", f"A role is one of {', '.join(ROLES)}.")
        if secret is not None and len(secret) < MIN_SECRET:
            raise BadRequest("weak_secret", f"A key's secret has {MIN_SECRET} characters or more.")
        secret = secret or f"cast_{secrets.token_urlsafe(32)}"
        row = {"id": uuid7(), "name": name, "role": role, "digest": _digest(secret), "created_at": present()}
        with writing(self._engine) as connection:
            connection.execute(insert_new(connection, keys).values(row))
        return secret

    def list(self) -> list[Key]:
        """All keys, oldest first, revoked ones too."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(keys).order_by(keys.c.id))
            return [_key(row) for row in rows]

    def revoke(self, key_id: str) -> None:
        """Revoke for ever. Raises NotFound (``no_such_key``)."""
        with writing(self._engine) as connection:
            revoked = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=present())
            if connection.execute(revoked).rowcount != 1:
                raise NotFound("no_such_key", "There is no such key, or it is revoked already.")

    def check(self, secret: str) -> Key | None:
        """The key that ``secret`` belongs to, None when there is none or it was revoked."""
        query = select(keys).where(keys.c.digest == _digest(secret), keys.c.revoked_at.is_(None))
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return _key(row) if row else None


def _key(row: Any) -> Key:
    revoked_at = None if row.revoked_at is None else timestamp(moment(row.revoked_at))
    return Key(row.id, row.name, row.role, timestamp(moment(row.created_at)), revoked_at)


def _digest(secret: str) -> str:
    """SHA-256 is enough for a secret of 256 random bits; slow hashes are for passwords that people choose."""
    return hashlib.sha256(secret.encode()).hexdigest()
