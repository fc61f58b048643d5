"""A relay or a consumer that kills or freezes itself at one exact step: ``python -m tests.chaos.crashing STEP``.

The code that runs is the product's; only the call at that step is wrapped. Steps: ``sent`` (relay: acknowledged by
Kafka, not yet marked); ``written`` (consumer: the temporary file is whole), ``renaming``, ``renamed``, ``committing``,
and ``asleep`` (it freezes before the rename, once, and goes on when it is thawed).
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def stop_at(owner: type, name: str, how: signal.Signals, before: bool) -> None:
    """Send ``how`` to this process before or after the first call of ``owner.name`` that does something."""
    work: Callable[..., Any] = getattr(owner, name)
    done = False

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal done
        first, done = not done, True
        if first and before:
            os.kill(os.getpid(), how)
        result = work(*arguments, **named)
        if first and not before:
            os.kill(os.getpid(), how)
        return result

    setattr(owner, name, wrapped)


def main(step: str) -> None:
    if step == "sent":
        from deployments.relay import relay
        from ledger.turn import Turn

        stop_at(Turn, "mark_sent", signal.SIGKILL, before=True)
        relay()
        return
    from aiokafka import AIOKafkaConsumer
    from hdfs import Client

    from streaming.cli import consume

    points = {
        "written": (Client, "write", signal.SIGKILL, False),
        "renaming": (Client, "rename", signal.SIGKILL, True),
        "renamed": (Client, "rename", signal.SIGKILL, False),
        "committing": (AIOKafkaConsumer, "commit", signal.SIGKILL, True),
        "asleep": (Client, "rename", signal.SIGSTOP, True),
    }
    stop_at(*points[step])
    consume()


if __name__ == "__main__":
    main(sys.argv[1])
