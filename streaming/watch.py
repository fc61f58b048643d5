"""What an operator sees of a consumer: metrics and health, on a port only where one is named."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from streaming.consumer import Stored

SILENT = 120.0  # seconds without a look at Kafka after which the consumer counts as stuck


class Watch:
    """Counts what one consumer process does."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._files = self._counter("files", "Files stored.")
        self._rows = self._counter("rows", "Events stored.")
        self._repeats = self._counter("repeats", "Records dropped because they were seen before.")
        self._dead = self._counter("dead_letters", "Records that could not be read.")
        self._set_backs = self._counter("set_backs", "Times a partition began anew from the lake.")
        self._lag = self._gauge("lag", "Records on the topic and not yet stored.")
        self._age = self._gauge("unstored_seconds", "Age of the oldest record that was read and is not yet stored.")
        self._behind: dict[int, tuple[int, float]] = {}
        self._reasons: dict[int | str, str] = {}  # why a partition, or all of it, waits
        self._polled = time.monotonic()

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"casting_consumer_{name}", text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"casting_consumer_{name}", text, ["partition"], registry=self.registry)

    def polled(self) -> None:
        self._polled = time.monotonic()
        self._reasons.pop("kafka", None)

    def waits(self, part: int | str, reason: str) -> None:
        """Something that is away is waited for: that is no reason to call this process stuck."""
        self._polled = time.monotonic()
        self._reasons[part] = reason

    def stored(self, partition: int, file: Stored) -> None:
        self._reasons.pop(partition, None)
        self._files.inc()
        self._rows.inc(file.rows)
        self._repeats.inc(file.repeats)
        self._dead.inc(file.dead)

    def behind(self, partition: int, records: int, seconds: float) -> None:
        self._behind[partition] = (records, seconds)
        self._lag.labels(partition).set(records)
        self._age.labels(partition).set(seconds)

    def set_back(self, partition: int, reason: str | None) -> None:
        """A partition begins anew; ``reason`` says what it waits for, None that another owner was faster."""
        self._set_backs.inc()
        if reason is not None:
            self.waits(partition, reason)

    def handed_over(self, partition: int) -> None:
        self._behind.pop(partition, None)
        self._reasons.pop(partition, None)
        for gauge in (self._lag, self._age):
            gauge.remove_by_labels({"partition": str(partition)})

    @property
    def healthy(self) -> bool:
        return time.monotonic() - self._polled < SILENT

    def health(self) -> dict[str, object]:
        """``consuming``, ``waiting`` (healthy: for what is named) or ``stuck``; lag and age of each partition."""
        waiting = {str(part): reason for part, reason in list(self._reasons.items())}
        partitions = {
            str(partition): {"lag": records, "unstored_seconds": round(seconds, 1)}
            for partition, (records, seconds) in sorted(self._behind.copy().items())
        }
        status = "stuck" if not self.healthy else "waiting" if waiting else "consuming"
        return {"status": status, "waiting": waiting, "partitions": partitions}

    def serve(self, port: int, host: str = "") -> ThreadingHTTPServer:
        """Answer ``/metrics`` and ``/health`` in a thread until the returned server is shut down."""
        watch = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4", generate_latest(watch.registry))
                elif self.path == "/health":
                    body = json.dumps(watch.health()).encode()
                    self._answer(200 if watch.healthy else 503, "application/json", body)
                else:
                    self._answer(404, "text/plain", b"/metrics, /health\n")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet: the log is for what was stored."""

        server = ThreadingHTTPServer((host, port), Handler)
        threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
        return server
