"""``casting relay``: the relay as a process of its own, beside a service whose relay is another's or away."""

import re
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ledger import Ledger
    from streaming.kafka import Kafka


_RANGE = re.compile(r"(?P<journal>[^:]+):(?P<first>\d+)-(?P<last>\d+)")
BATCH = 5_000  # numbers sent again at a time


def relay(
    resend: Annotated[
        list[str] | None,
        typer.Option(help="JOURNAL:FROM-TO, as `casting verify` names what is missing: send these again and end."),
    ] = None,
) -> None:
    """Carry what the ledger holds to Kafka until told to stop; waits while another relay works."""
    from deployments.settings import Settings
    from ledger import Ledger

    settings = Settings()
    kafka = settings.broker
    if kafka is None:
        print("casting: CASTING_KAFKA is not set; without it `casting serve` fills the lake itself.", file=sys.stderr)
        sys.exit(2)
    ranges = [_parsed(text) for text in resend or ()]
    ledger = Ledger.open(settings.ledger_url)
    try:
        sys.exit(_again(ledger, kafka, ranges) if ranges else _run(ledger, kafka))
    finally:
        ledger.close()


def _run(ledger: "Ledger", kafka: "Kafka") -> int:
    from streaming.kafka import UnfitTopic
    from streaming.kafka_relay import KafkaRelay
    from streaming.sending import KafkaSender

    working = KafkaRelay(ledger.outbox, lambda: KafkaSender(kafka))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: working.stop())
    try:
        working.run()
    except UnfitTopic as error:
        print(f"casting relay: {error}", file=sys.stderr)
        return 1
    return 0


def _parsed(text: str) -> tuple[str, int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text} is not JOURNAL:FROM-TO", param_hint="--resend")
    return match["journal"], int(match["first"]), int(match["last"])


def _again(ledger: "Ledger", kafka: "Kafka", ranges: Sequence[tuple[str, int, int]]) -> int:
    """Repair a loss. Nothing is marked: what is on the topic already, the consumer drops."""
    from streaming.kafka import Away, UnfitTopic
    from streaming.sending import KafkaSender

    short = 0
    try:
        with closing(KafkaSender(kafka)) as sender:
            for journal, first, last in ranges:
                sent = 0
                for begin in range(first, last + 1, BATCH):
                    found = ledger.outbox.numbered(journal, begin, min(last, begin + BATCH - 1))
                    # A topic that was made anew may have fewer partitions than the one that carried the journal.
                    events = [replace(event, partition=event.partition % sender.topic.partitions) for event in found]
                    outcome = sender.send(events).result()
                    sent += len(outcome.positions)
                    if outcome.error is not None:
                        raise Away(outcome.error)
                print(f"{journal}: {sent} of {last + 1 - first} sent again")
                short += last + 1 - first - sent
    except (Away, UnfitTopic) as error:
        print(f"casting relay: {error}", file=sys.stderr)
        return 1
    if short:
        print(f"casting relay: the ledger does not hold {short} of them", file=sys.stderr)
    return 3 if short else 0
