"""The ledger as one thing: opened once a process, it hands out what each part of the product needs."""

import uuid

from sqlalchemy import Engine, insert, select

from ledger.database import connect, insert_new, writing
from ledger.keys import Keys
from ledger.outbox import Outbox
from ledger.recorder import Recorder
from ledger.records import Records
from ledger.tables import identity, relay


class Ledger:
    """A database with the newest schema. ``outbox`` is also the ``Positioned`` of ``inspection.outbox``."""

    def __init__(self, engine: Engine, ledger_id: str) -> None:
        self._engine = engine
        self.id = ledger_id
        self.records = Records(engine)
        self.outbox = Outbox(engine, ledger_id)
        self.keys = Keys(engine)

    @classmethod
    def open(cls, url: str) -> "Ledger":
        """Open, and create or migrate where needed; safe when several processes do it at once.

        Raises:
            Unavailable: ``ledger_unavailable``.
        """
        engine = connect(url)
        with writing(engine) as connection:
            connection.execute(insert_new(connection, relay).values(id=1, next_position=0, partitions=1, turn=0))
            ledger_id = connection.scalar(select(identity.c.ledger_id))
            if ledger_id is None:
                ledger_id = uuid.uuid4().hex
                connection.execute(insert(identity).values(ledger_id=ledger_id))
        return cls(engine, ledger_id)

    def recorder(self) -> Recorder:
        """A writer with a journal of its own; one a process is enough."""
        return Recorder(self._engine)

    def close(self) -> None:
        self._engine.dispose()
