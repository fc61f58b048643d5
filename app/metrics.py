"""Prometheus metrics, each defined once. Where ``PROMETHEUS_MULTIPROC_DIR`` is set they sum over all processes of the
node, dead ones included, so that a restart loses no count."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from app.access import Reader
from app.backlog import RecentBacklog
from inspection.events import Event
from inspection.outbox import Backlog

router = APIRouter(tags=["health"])
MAX_NAMES = 100  # lines, cameras: what callers write must not grow the metrics without bound
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("casting_requests_total", "Calls of /predict by status.", ["status"])
INSPECTIONS = Counter("casting_inspections_total", "Recorded inspections.", ["verdict", "line", "camera", "model"])
REJECTED = Counter("casting_rejected_total", "Pictures that could not be judged, by reason.", ["reason"])
DECODE = Histogram("casting_decode_seconds", "From bytes to the network's input, s.", buckets=_SECONDS)
QUEUE = Histogram("casting_queue_seconds", "From received to the start of its batch, s.", buckets=_SECONDS)
INFERENCE = Histogram("casting_inference_seconds", "One batch in the network, s.", buckets=_SECONDS)
JUDGE = Histogram(
    "casting_judge_seconds", "One batch decoded and judged, the way there and back included, s.", buckets=_SECONDS
)
BATCH = Histogram("casting_batch_pictures", "Pictures a batch.", buckets=(1, 2, 4, 8, 12, 16, 24, 32, 64))
COMMIT = Histogram("casting_commit_seconds", "From judged to durable, s.", buckets=_SECONDS)
LISTENERS = Gauge("casting_live_clients", "Pages that listen to the live feed.", multiprocess_mode="livesum")

_names: dict[str, set[str]] = {"line": set(), "camera": set()}


def count(events: tuple[Event, ...]) -> None:
    """Count what was recorded."""
    for event in events:
        line, camera = _bounded("line", event.line), _bounded("camera", event.camera)
        INSPECTIONS.labels(event.verdict, line, camera, event.model_version).inc()
        if event.verdict == "rejected":
            for reason in event.reasons or ():
                REJECTED.labels(reason).inc()


def forget_the_dead() -> None:
    """Take gauges of processes that were killed out of the sums."""
    for file in Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "/nonexistent")).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _bounded(kind: str, name: str | None) -> str:
    known = _names[kind]
    if name is None or name in known:
        return name or ""
    if len(known) >= MAX_NAMES:
        return "other"
    known.add(name)
    return name


class _Outbox(Collector):
    """What is committed and not yet acknowledged, as it is at the moment of the scrape."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("casting_outbox_events", "Events not yet acknowledged.", self._backlog.events)
        oldest = self._backlog.oldest
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("casting_outbox_age_seconds", "Age of the oldest of them, s.", max(0.0, age))


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(request: Request, _caller: Reader) -> Response:
    """Sums over all processes of this node."""
    recent: RecentBacklog = request.app.state.backlog
    backlog = await recent.read()
    return Response(await run_in_threadpool(_text, backlog), media_type=CONTENT_TYPE_LATEST)


def _text(backlog: Backlog) -> bytes:
    own = CollectorRegistry()
    own.register(_Outbox(backlog))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]
        return generate_latest(own)
    return generate_latest(REGISTRY) + generate_latest(own)
