"""A writer process to be killed: records from several threads and says what was answered, one line each.

Run as ``python -m tests.ledger.writing URL KEYS``: prints ``journal number event_id`` after the answer, never before.
"""

import sys
import threading
from itertools import count

from inspection.errors import InspectorError
from ledger import Ledger
from tests.ledger.drafts import entry, inspected

THREADS = 8


def main(url: str, keys: str) -> None:
    recorder = Ledger.open(url).recorder(second_look=0.1)
    door = threading.Lock()
    places = count()

    def record() -> None:
        while True:
            place = next(places)
            made = entry(*(inspected() for _ in range(place % 3 + 1)), key=f"{keys}{place}")
            try:
                receipt = recorder.submit(made).result()
            except InspectorError:
                continue
            with door:
                for event in receipt.events:
                    print(event.journal, event.number, event.event_id, flush=True)

    for _ in range(THREADS):
        threading.Thread(target=record).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
