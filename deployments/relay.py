"""``casting relay``: the relay as a process of its own, beside a service whose relay is another's or away."""

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger import Ledger
    from streaming.kafka import Kafka


def relay() -> None:
    """Carry what the ledger holds to Kafka until told to stop; waits while another relay works."""
    from deployments.settings import Settings
    from ledger import Ledger
    from streaming.settings import Settings as Streaming

    kafka = Streaming().broker
    if kafka is None:
        print("casting: CASTING_KAFKA is not set; without it `casting serve` fills the lake itself.", file=sys.stderr)
        sys.exit(2)
    ledger = Ledger.open(Settings().ledger_url)
    try:
        sys.exit(_run(ledger, kafka))
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
