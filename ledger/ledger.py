"""The ledger as one thing: opened once a process, it hands out what each part of the product needs."""

import uuid
from collections.abc import Iterator

from alembic.util import CommandError
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import Unavailable
from ledger.database import connect, unavailable, writing
from ledger.keys import Keys
from ledger.outbox import Outbox
from ledger.recorder import Recorder
from ledger.records import Records
from ledger.schema import migrate
from ledger.settled import Settled, settled
from ledger.tables import identity


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
            Unavailable: ``ledger_unavailable``; ``ledger_newer``, its schema is not known here.
        """
        engine = connect(url)
        try:
            migrate(engine)
            with engine.connect() as connection:
                ledger_id = connection.execute(select(identity.c.ledger_id)).scalar_one()
        except CommandError as error:
            engine.dispose()
            raise Unavailable("ledger_newer", f"A newer version of this software made the ledger: {error}") from error
        except (SQLAlchemyError, OSError) as error:
            engine.dispose()
            raise unavailable(error) from error
        return cls(engine, ledger_id)

    def renew(self) -> str:
        """Give the ledger a new id, after it was restored from a backup; returns it.

        Positions given since the backup may lie in the lake already and would be given again to other events. Under
        the new id the embedded lake goes on in files of its own. To be called while nothing else has the ledger open.
        """
        self.id = uuid.uuid4().hex
        with writing(self._engine) as connection:
            connection.execute(update(identity).values(ledger_id=self.id))
        self.outbox = Outbox(self._engine, self.id)
        return self.id

    def recorder(self, second_look: float) -> Recorder:
        """A writer with a journal of its own; one a process is enough.

        ``second_look`` (0 to 1) of the parts that are queued for review go to a second inspector too.
        """
        return Recorder(self._engine, second_look)

    def settled(self) -> Iterator[Settled]:
        """Labelled pictures for the next training; see ``ledger.settled``."""
        return settled(self._engine)

    def close(self) -> None:
        self._engine.dispose()
