"""What people settled, as labelled pictures for the next training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from inspection.errors import NotFound
from inspection.events import Event
from ledger.database import reading
from ledger.records import Records
from ledger.tables import events

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """An inspection, the label on which all who looked at it agree (ok_front or def_front), its kept picture."""

    inspection: Event
    label: str
    picture: bytes


def settled(engine: Engine) -> Iterator[Settled]:
    """Every settled part whose picture is still kept, in the order of inspection, in bounded memory.

    Each person's last decision counts; a part on which two differ, or that somebody calls unclear, is left out.
    """
    records = Records(engine)
    for inspection_id in _audited(engine):
        label = agreed(records.audits(inspection_id))
        if label is None:
            continue
        try:
            yield Settled(records.inspection(inspection_id), label, records.picture(inspection_id))
        except NotFound:  # the picture's time is over
            continue


def agreed(audits: Sequence[Event]) -> str | None:
    """The label of the last decisions of all auditors (oldest audit first), None where they differ or can't tell."""
    last = {audit.auditor: audit.true_label for audit in audits}
    labels = set(last.values())
    return labels.pop() if len(labels) == 1 and "unclear" not in labels else None


def _audited(engine: Engine) -> Iterator[str]:
    after = ""
    while True:
        query = select(events.c.inspection_id).where(events.c.inspection_id > after).distinct()
        with reading(engine) as connection:
            found = list(connection.scalars(query.order_by(events.c.inspection_id).limit(_PAGE)))
        yield from found
        if len(found) < _PAGE:
            return
        after = found[-1]
