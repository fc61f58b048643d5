"""Searching the history: newest first, page by page, fast at millions of rows.

Every search first finds row ids from an index alone, then reads the payloads of one page. A filter that has an index
of its own uses it; all others scan ``events_history``, which holds every inspection in a narrow row.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, tuple_, union

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


def find(connection: Connection, search: Search, cursor: str | None, limit: int) -> Page:
    """One page. Raises BadRequest (``bad_cursor``)."""
    limit = max(1, min(limit, MAX_PAGE))
    places = _places(search, cursor, limit + 1).subquery()
    query = (
        select(events.c.occurred_at, events.c.id, events.c.payload)
        .join(places, places.c.id == events.c.id)
        .order_by(*_NEWEST_FIRST)
    )
    rows = connection.execute(query).all()
    items = tuple(from_json(row.payload) for row in rows[:limit])
    return Page(items, _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _places(search: Search, cursor: str | None, limit: int) -> Select[Any]:
    base = select(events.c.occurred_at, events.c.id).where(*_conditions(search))
    if cursor is not None:
        base = base.where(tuple_(events.c.occurred_at, events.c.id) < tuple_(*_parsed(cursor)))
    if not search.text:
        return base.order_by(*_NEWEST_FIRST).limit(limit)
    # One range of an index for each column that may begin so; together they hold the page.
    text = search.text[:MAX_SEARCHED]
    found = union(
        *(
            select(base.where(column >= text, column < text + _LAST).order_by(*_NEWEST_FIRST).limit(limit).subquery())
            for column in _PREFIXED
        )
    ).subquery()
    return select(found).order_by(found.c.occurred_at.desc(), found.c.id.desc()).limit(limit)


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
    if len(cursor) > 40 or not (occurred_at.isdecimal() and row_id.isdecimal()):
        raise BadRequest("bad_cursor", "This is no cursor that a search returned.")
    return int(occurred_at), int(row_id)
