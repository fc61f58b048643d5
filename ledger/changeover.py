"""What moves when a relay begins to work on a line. Part of a relay's turn.

Every event is carried by one line, as a rule the one on which it got its position. A line that is gone (a lost broker,
other settings) must not keep what it never acknowledged: that goes to the line that is there.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, literal, or_, select, update

from ledger.database import upsert
from ledger.instants import present
from ledger.tables import is_unsent, journals, lines, positions, relay, routes

_STATEMENTS = select(journals.c.key).where(journals.c.kind == "statement")


def take_over(connection: Connection, line: int, sent: bool, limit: int) -> bool:
    """Move up to ``limit`` events that another line did not acknowledge to ``line``; False when there are none.

    They keep their positions, and the lowest goes first: the consumer of an embedded line does not look back. It is not
    known of all that they did not arrive: one may lie on both lines afterwards. Statements are given up, since each
    speaks of its own line; their journal is named no more.
    """
    firsts: dict[int, int] = {}
    for other in connection.scalars(select(lines.c.key).where(lines.c.key != line)).all():
        first = connection.scalar(select(func.min(positions.c.position)).where(positions.c.line == other, is_unsent))
        if first is not None:
            firsts[first] = other
    if not firsts:
        return False
    first, *others = sorted(firsts)
    other = firsts[first]
    waiting = select(positions.c.position).where(positions.c.line == other, is_unsent)
    if others:
        waiting = waiting.where(positions.c.position < others[0])
    oldest = waiting.order_by(positions.c.position).limit(limit).subquery()
    _move(connection, other, line, connection.execute(select(func.max(oldest.c.position))).scalar_one(), sent)
    return True


def rearrange(connection: Connection, line: int, partitions: int, own: Sequence[int]) -> None:
    """Close journals that can't go on on ``line``, and give those that it has to carry a partition that it has.

    Journals of statements belong to one turn; ``own`` are this one's. One of a writer that another line carried would
    lie in two lakes, in neither without a gap: its writer finds it closed and opens another.
    """
    connection.execute(update(relay).values(partitions=partitions))
    beyond = journals.c.partition >= partitions
    on_another = select(routes.c.journal).where(routes.c.journal == journals.c.key, routes.c.line != line).exists()
    ended = or_(journals.c.kind == "statement", beyond, on_another) & journals.c.key.not_in(own)
    connection.execute(update(journals).where(journals.c.closed_at.is_(None), ended).values(closed_at=present()))
    route_lost(connection, line)
    here = select(routes.c.journal).where(routes.c.journal == journals.c.key, routes.c.line == line).exists()
    placed = select(func.max(routes.c.positioned)).where(routes.c.journal == journals.c.key).scalar_subquery()
    waits = journals.c.issued > func.coalesce(placed, 0)
    moved = update(journals).where(beyond, or_(here, waits))
    connection.execute(moved.values(partition=journals.c.partition % partitions))


def route_lost(connection: Connection, line: int) -> None:
    """A journal of which nothing is left but what its writer remembers is named on the line that works now."""
    anywhere = select(routes.c.journal).where(routes.c.journal == journals.c.key).exists()
    lost = select(journals.c.key, literal(line), literal(0)).where(journals.c.remembered > 0, ~anywhere)
    connection.execute(routes.insert().from_select(["journal", "line", "positioned"], lost))


def _move(connection: Connection, other: int, line: int, last: int, sent: bool) -> None:
    these = (positions.c.line == other, is_unsent, positions.c.position <= last)
    firsts = select(positions.c.journal, func.min(positions.c.number)).where(*these).group_by(positions.c.journal)
    stated = set(connection.scalars(_STATEMENTS.where(journals.c.key.in_(select(positions.c.journal).where(*these)))))
    for journal, first in connection.execute(firsts).all():
        route = (routes.c.journal == journal, routes.c.line == other)
        if journal in stated:
            connection.execute(update(routes).where(*route).values(settled_at=0))
            continue
        # All that the other line was to carry of the journal now counts as given to this one, so that it is given once,
        # also when this is cut off between two bites.
        up_to = connection.execute(select(routes.c.positioned).where(*route)).scalar_one()
        taken = upsert(connection, routes).values(journal=journal, line=line, positioned=up_to)
        taken = taken.on_conflict_do_update(
            index_elements=["journal", "line"], set_={"positioned": up_to}, where=routes.c.positioned < up_to
        )
        connection.execute(taken)
        connection.execute(update(routes).where(*route, routes.c.positioned >= first).values(positioned=first - 1))
    carries = positions.c.journal.not_in(_STATEMENTS)
    connection.execute(update(positions).where(*these, carries).values(line=line, sent=sent))
    connection.execute(update(positions).where(*these).values(sent=True))
