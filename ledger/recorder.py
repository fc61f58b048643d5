"""One writer process: whatever calls are in flight share one commit, each all or none.

A thread drains the queue; while it commits, the next calls gather. A call's key is claimed before it takes numbers,
in the same transaction, so that a retry finds either nothing or the answer.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, bindparam, update
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import InspectorError, Unavailable
from inspection.events import now
from inspection.record import Entry, IdempotencyKey, Receipt
from ledger.answers import claim, find
from ledger.database import insert_new, unavailable, writing
from ledger.numbering import Journal, LostJournal, close_journal, open_journal, store
from ledger.reviews import follow_up
from ledger.tables import answers, pictures

MAX_COMMIT = 512  # calls a commit
JOURNAL_LIFE = timedelta(days=30)

_log = structlog.get_logger(__name__)
_Waiting = tuple[Entry, "Future[Receipt]"]
_Outcome = Receipt | InspectorError


class Recorder:
    """Numbers and stores; implements ``inspection.record.Recorder``. Close it to leave its journal cleanly."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue()
        self._journal: Journal | None = None
        self._left: list[tuple[Journal, bool]] = []  # journals to close: (journal, lost)
        self._opened = datetime.now(UTC)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-recorder", daemon=True)
        self._thread.start()

    def submit(self, entry: Entry) -> "Future[Receipt]":
        """See ``inspection.record.Recorder.submit``."""
        done: Future[Receipt] = Future()
        if self._closed:
            done.set_exception(Unavailable("stopping", "The service is stopping; send this again."))
        else:
            self._waiting.put((entry, done))
        return done

    def answer(self, key: IdempotencyKey) -> bytes | None:
        """See ``inspection.record.Recorder.answer``."""
        try:
            with self._engine.connect() as connection:
                return find(connection, key)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Commit what waits, close the journal, stop."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            stop = False
            while len(batch) < MAX_COMMIT and not stop:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                else:
                    batch.append(following)
            self._settle(batch)
            if stop:
                break
        self._leave()

    def _settle(self, batch: list[_Waiting]) -> None:
        """Commit and answer. A future is done only after the commit; an unclear commit costs the journal."""
        try:
            outcomes = self._commit([entry for entry, _ in batch])
        except LostJournal:
            self._abandon(lost=True)
            outcomes = self._once_more([entry for entry, _ in batch])
        except Exception as error:
            outcomes = self._failed(error, len(batch))
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            if not done.set_running_or_notify_cancel():
                continue
            if isinstance(outcome, Receipt):
                done.set_result(outcome)
            else:
                done.set_exception(outcome)

    def _once_more(self, entries: Sequence[Entry]) -> list[_Outcome]:
        try:
            return self._commit(entries)
        except Exception as error:
            return self._failed(error, len(entries))

    def _failed(self, error: Exception, count: int) -> list[_Outcome]:
        self._abandon(lost=False)
        _log.error("ledger_commit_failed", error=type(error).__name__, calls=count)
        return [unavailable(error)] * count

    def _abandon(self, lost: bool) -> None:
        """Never number in this journal again; it is closed with the next commit that succeeds."""
        if self._journal is not None:
            self._left.append((self._journal, lost))
            self._journal = None

    def _commit(self, entries: Sequence[Entry]) -> list[_Outcome]:
        with writing(self._engine) as connection:
            for left, lost in self._left:
                close_journal(connection, left, lost)
            journal = self._current(connection)
            stored = claim(connection, entries)
            winners = [entry for entry in entries if entry.key is None or stored.wins(entry)]
            journal, receipts = _store(connection, journal, winners)
        self._journal = journal
        self._left.clear()
        made = {id(entry): receipt for entry, receipt in zip(winners, receipts, strict=True)}
        return [made.get(id(entry)) or stored.replay(entry, made) for entry in entries]

    def _current(self, connection: Connection) -> Journal:
        if self._journal is not None and datetime.now(UTC) - self._opened > JOURNAL_LIFE:
            close_journal(connection, self._journal)
            self._journal = None
        if self._journal is None:
            self._opened = datetime.now(UTC)
            return open_journal(connection)
        return self._journal

    def _leave(self) -> None:
        self._abandon(lost=False)
        try:
            with writing(self._engine) as connection:
                for left, lost in self._left:
                    close_journal(connection, left, lost)
        except SQLAlchemyError as error:
            _log.warning("journal_left_open", error=type(error).__name__)


def _store(connection: Connection, journal: Journal, entries: Sequence[Entry]) -> tuple[Journal, list[Receipt]]:
    drafts = [draft for entry in entries for draft in entry.drafts]
    journal, numbered = store(connection, journal, [draft.event for draft in drafts])
    _keep_pictures(connection, {d.event.image_sha256 or "": d.picture for d in drafts if d.picture is not None})
    follow_up(connection, numbered)
    receipts: list[Receipt] = []
    bodies: list[dict[str, Any]] = []
    at = 0
    for entry in entries:
        own = tuple(numbered[at : at + len(entry.drafts)])
        at += len(own)
        receipts.append(Receipt(entry.render(own), own))
        if entry.key:
            bodies.append({"claimed": entry.key.key, "body": receipts[-1].body})
    if bodies:
        connection.execute(update(answers).where(answers.c.key == bindparam("claimed")), bodies)
    return journal, receipts


def _keep_pictures(connection: Connection, kept: dict[str, bytes]) -> None:
    if kept:
        rows = [{"image_sha256": sha, "stored_at": now(), "data": data} for sha, data in sorted(kept.items())]
        connection.execute(insert_new(connection, pictures), rows)
