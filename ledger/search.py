"""Searching the history: newest first, page by page, fast at millions of rows.

Every search first finds row ids from an index alone, then reads the payloads of one page. A filter that has an index
of its own uses it; all others scan ``events_history``, which holds every inspection in a narrow row. The beginning of
a text is looked for among the newest rows before its ranges of the indexes are: one that fits all ids fits these, too.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, tuple_, union

from inspection.errors import BadRequest
from inspection.events import from_json
from inspection.record import Page, Search
from ledger.instants import micros
from ledger.numbering import MAX_SEARCHED
from ledger.tables import events, is_inspection

MAX_PAGE = 500
_EQUAL = (
    *("verdict", "prediction", "model_version", "part_id", "lot", "line", "camera", "shift", "operator"),
    "origin",
)
_NEWEST_FIRST = (events.c.occurred_at.desc(), events.c.id.desc())
_PREFIXED = (events.c.event_id, events.c.part_id, events.c.lot, events.c.filename)
#: Behind every text with the same beginning, in the order of code points.
_LAST = "\U0010ffff"
#: Rows in which the beginning of a text is looked for first: a few milliseconds.
_RECENT = 1_000


def find(connection: Connection, search: Search, cursor: str | None, limit: int) -> Page:
    """One page. Raises BadRequest (``bad_cursor``)."""
    limit = max(1, min(limit, MAX_PAGE))
    rows = _read(connection, _recent(search, cursor, limit + 1)) if search.text else []
    if len(rows) <= limit:
        rows = _read(connection, _places(search, cursor, limit + 1))
    items = tuple(from_json(row.payload) for row in rows[:limit])
    return Page(items, _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _read(connection: Connection, places: Select[Any]) -> Sequence[Any]:
    place = places.subquery()
    query = select(events.c.occurred_at, events.c.id, events.c.payload).join(place, place.c.id == events.c.id)
    return connection.execute(query.order_by(*_NEWEST_FIRST)).all()


def _recent(search: Search, cursor: str | None, limit: int) -> Select[Any]:
    newest = _after(select(events.c.id).where(is_inspection), cursor).order_by(*_NEWEST_FIRST).limit(_RECENT).subquery()
    found = select(events.c.occurred_at, events.c.id).join(newest, newest.c.id == events.c.id)
    begins = or_(*(_begins(column, search) for column in _PREFIXED))
    return found.where(*_conditions(search), begins).order_by(*_NEWEST_FIRST).limit(limit)


def _places(search: Search, cursor: str | None, limit: int) -> Select[Any]:
    base = _after(select(events.c.occurred_at, events.c.id).where(*_conditions(search)), cursor)
    if not search.text:
        return base.order_by(*_NEWEST_FIRST).limit(limit)
    # One range of an index for each column that may begin so; together they hold the page.
    found = union(
        *(
            select(base.where(_begins(column, search)).order_by(*_NEWEST_FIRST).limit(limit).subquery())
            for column in _PREFIXED
        )
    ).subquery()
    return select(found).order_by(found.c.occurred_at.desc(), found.c.id.desc()).limit(limit)


def _begins(column: ColumnElement[str], search: Search) -> ColumnElement[bool]:
    text = (search.text or "")[:MAX_SEARCHED]
    return and_(column >= text, column < text + _LAST)


def _after(query: Select[Any], cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    return query.where(tuple_(events.c.occurred_at, events.c.id) < tuple_(*_parsed(cursor)))


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [is_inspection]
    found += [events.c[name] == value for name in _EQUAL if (value := getattr(search, name)) is not None]
    if search.since is not None:
        found.append(events.c.occurred_at >= micros(search.since))
    if search.until is not None:
        found.append(events.c.occurred_at < micros(search.until))
    if search.min_p is not None:
        found.append(events.c.p_defect >= search.min_p)
    if search.max_p is not None:
        found.append(events.c.p_defect <= search.max_p)
    return found


def _cursor(row: Any) -> str:
    return f"{row.occurred_at}-{row.id}"


def _parsed(cursor: str) -> tuple[int, int]:
    occurred_at, _, row_id = cursor.partition("-")
    if not all(re.fullmatch("[0-9]{1,18}", number) for number in (occurred_at, row_id)):
        raise BadRequest("bad_cursor", "This is no cursor that a search returned.")
    return int(occurred_at), int(row_id)
