"""The consumer as a process: signals, log, metrics; ends with an exit status."""

import asyncio
import signal
import sys

import structlog

from inspection.events import Event
from streaming.kafka import Kafka, UnfitTopic
from streaming.owned import Limits
from streaming.record import Loss
from streaming.root import open_folder
from streaming.service import ConsumerService
from streaming.settings import Settings
from streaming.watch import Watch

_log = structlog.get_logger(__name__)


def run(settings: Settings, kafka: Kafka) -> int:
    """Consume until SIGTERM or SIGINT: 0 after a clean stop, 1 when the topic can't be carried on, with the reason."""
    watch = Watch()
    server = watch.serve(settings.metrics_port) if settings.metrics_port else None
    service = ConsumerService(
        kafka,
        lambda: open_folder(settings.lake_root, settings.webhdfs, settings.webhdfs_ca, settings.webhdfs_kerberos),
        Limits(settings.flush_seconds, settings.flush_records, settings.flush_mib << 20),
        watch,
        _say if settings.log_events else None,
    )
    try:
        asyncio.run(_until_told(service))
    except (Loss, UnfitTopic) as error:
        print(f"casting consume: {error}", file=sys.stderr)
        return 1
    finally:
        if server is not None:
            server.shutdown()
    return 0


async def _until_told(service: ConsumerService) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.run(stop)
    _log.info("consumer_stopped")


def _say(event: Event) -> None:
    _log.info("event", id=event.event_id, kind=event.kind, prediction=event.prediction, p_defect=event.p_defect)
