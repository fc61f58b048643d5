"""One commit: many calls, each all or none, numbered in this writer's journal. Knows no threads and no queue."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from inspection.errors import BadRequest, InspectorError
from inspection.record import Entry, Receipt
from ledger import answers, pictures
from ledger.database import transaction, unavailable
from ledger.numbering import Journal, LostJournal, close_journal, open_journal, store
from ledger.reviews import follow_up, refused

JOURNAL_LIFE = timedelta(days=30)
Outcome = Receipt | InspectorError

_log = structlog.get_logger(__name__)


class Writer:
    """Owns one journal at a time. Not thread-safe: one thread commits."""

    def __init__(self, engine: Engine, second_look: float) -> None:
        self._engine = engine
        self._second_look = second_look
        self._journal: Journal | None = None
        self._opened = datetime.now(UTC)
        self._left: list[Journal] = []  # to be closed with the next commit

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Record all ``entries`` in one transaction; one outcome each. Never raises for a database's failure.

        Any doubt about a commit costs the journal: its last numbers may or may not be there, so none follow them.
        """
        try:
            return self._transact(entries)
        except LostJournal:
            _log.warning("journal_lost", journal=self._journal.id if self._journal else None)
            self._abandon()
            return self.commit(entries)  # in a new journal, which can't be lost in the transaction that opens it
        except SQLAlchemyError as error:
            if not isinstance(error, DataError | IntegrityError):
                _log.error("ledger_commit_failed", error=type(error).__name__, calls=len(entries))
                self._abandon()
                return [unavailable(error)] * len(entries)
            return self._apart(entries, error)
        except Exception as error:
            return self._apart(entries, error)

    def _apart(self, entries: Sequence[Entry], error: Exception) -> list[Outcome]:
        """What some entry holds can't be stored. That was found before the commit began, so the journal is whole."""
        if len(entries) > 1:
            return [outcome for entry in entries for outcome in self.commit([entry])]
        _log.error("entry_not_recordable", error=type(error).__name__)
        return [BadRequest("not_recordable", "What was sent can't be recorded.")]

    def leave(self) -> None:
        """Close the journal, if the database lets us; one that is left open is closed by the relay in time."""
        self._abandon()
        if not self._left:
            return
        try:
            with transaction(self._engine) as connection:
                self._close_left(connection)
        except SQLAlchemyError as error:
            _log.warning("journal_left_open", error=type(error).__name__)

    def _abandon(self) -> None:
        if self._journal is not None:
            self._left.append(self._journal)
            self._journal = None

    def _close_left(self, connection: Connection) -> None:
        for journal in self._left:
            close_journal(connection, journal)

    def _transact(self, entries: Sequence[Entry]) -> list[Outcome]:
        if self._journal is not None and datetime.now(UTC) - self._opened > JOURNAL_LIFE:
            self._abandon()
        with transaction(self._engine) as connection:
            self._close_left(connection)
            journal = self._journal or open_journal(connection)
            refusals = refused(connection, entries)
            allowed = [entry for entry in entries if id(entry) not in refusals]
            claims = answers.claim(connection, allowed)
            journal, receipts = self._store(connection, journal, [entry for entry in allowed if claims.wins(entry)])
            # Before the commit: what fails behind it would be taken for something that was not recorded.
            outcomes: dict[int, Outcome] = {**refusals, **receipts}
            for entry in allowed:
                if id(entry) not in outcomes and entry.key is not None:
                    outcomes[id(entry)] = claims.replay(entry.key, receipts)
            made = [outcomes[id(entry)] for entry in entries]
        if self._journal is None:
            self._opened = datetime.now(UTC)
        self._journal = journal
        self._left.clear()
        return made

    def _store(
        self, connection: Connection, journal: Journal, entries: Sequence[Entry]
    ) -> tuple[Journal, dict[int, Receipt]]:
        drafts = [draft for entry in entries for draft in entry.drafts]
        journal, numbered = store(connection, journal, [draft.event for draft in drafts])
        pictures.keep(connection, {d.event.image_sha256 or "": d.picture for d in drafts if d.picture is not None})
        follow_up(connection, numbered, self._second_look)
        receipts: dict[int, Receipt] = {}
        bodies: dict[str, bytes] = {}
        after = iter(numbered)
        for entry in entries:
            own = tuple(next(after) for _ in entry.drafts)
            receipts[id(entry)] = Receipt(entry.render(own), own)
            if entry.key:
                bodies[entry.key.key] = receipts[id(entry)].body
        answers.keep(connection, bodies)
        return journal, receipts
