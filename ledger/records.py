"""Reading the ledger back: history, details, pictures, today's figures; and deleting what is too old."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, select, update

from inspection.errors import NotFound, Unavailable
from inspection.events import Event, from_json
from inspection.record import Page, Search, Summary
from ledger import answers, pictures
from ledger.alerts import Alerts
from ledger.database import reading, writing
from ledger.instants import present
from ledger.reviews import Reviews
from ledger.search import MAX_PAGE, find
from ledger.summary import summarise
from ledger.tables import events, identity

#: Rows deleted in one transaction: what records meanwhile waits for no longer than that takes.
BITE = 50


class Records(Reviews, Alerts):
    """Implements ``inspection.record.Records``; queue and alerts come from the two classes that it is made of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(self, search: Search, cursor: str | None = None, limit: int = 50) -> Page:
        """One page, newest first. Raises BadRequest (``bad_cursor``)."""
        with reading(self._engine) as connection:
            return find(connection, search, cursor, limit)

    def stream(self, search: Search) -> Iterator[Event]:
        """All that matches, newest first. Holds no connection between two pages, so that no reader blocks others."""
        cursor: str | None = None
        while True:
            page = self.search(search, cursor, MAX_PAGE)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def inspection(self, event_id: str) -> Event:
        """Raises NotFound (``no_such_inspection``)."""
        query = select(events.c.payload).where(events.c.event_id == event_id, events.c.kind == "inspection")
        with reading(self._engine) as connection:
            payload = connection.scalar(query)
        if payload is None:
            raise NotFound("no_such_inspection", "There is no inspection with this id.")
        return from_json(payload)

    def audits(self, inspection_id: str) -> Sequence[Event]:
        """Oldest first."""
        query = select(events.c.payload).where(events.c.inspection_id == inspection_id).order_by(events.c.id)
        with reading(self._engine) as connection:
            return [from_json(payload) for payload in connection.scalars(query)]

    def picture(self, event_id: str) -> bytes:
        """Raises NotFound (``no_picture``)."""
        with reading(self._engine) as connection:
            data = pictures.find(connection, event_id)
        if data is None:
            raise NotFound("no_picture", "The picture of this inspection was not kept, or its time is over.")
        return data

    def has_picture(self, event_id: str) -> bool:
        """Whether the picture is still kept."""
        with reading(self._engine) as connection:
            return pictures.holds(connection, event_id)

    def summary(self, since: datetime) -> Summary:
        """See ``ledger.summary``."""
        with reading(self._engine) as connection:
            return summarise(connection, since)

    def writable(self) -> bool:
        """Whether something can be written and committed now: a full disk shows only so."""
        try:
            with writing(self._engine) as connection:
                connection.execute(update(identity).values(probed_at=present()))
        except Unavailable:
            return False
        return True

    def tidy(self, keep_pictures: timedelta) -> tuple[int, int]:
        """Delete pictures older than ``keep_pictures`` and keys older than a day; returns how many of each.

        In small transactions, so that recording never waits long.
        """
        gone = [0, 0]
        for place, limit in ((0, BITE), (1, 20 * BITE)):
            taken = limit
            while taken == limit:
                with writing(self._engine) as connection:
                    if place == 0:
                        taken = pictures.forget_old(connection, keep_pictures, limit)
                    else:
                        taken = answers.forget_old(connection, limit)
                gone[place] += taken
        return gone[0], gone[1]
