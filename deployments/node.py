"""One Ray node with the Serve application on it: the process that ``casting serve`` supervises.

Exits 0 after a clean stop by SIGTERM or SIGINT, and non-zero as soon as a part that can't be restarted in place (the
raylet, the control store) is gone.
"""

import math
import os
import signal
import sys
import threading

import psutil
import ray
from ray import serve
from ray._private import services
from ray.serve.config import HTTPOptions

from deployments.inspection import compose
from deployments.settings import Settings
from deployments.starting import StuckStarts

LOOK = 1.0  # seconds between looks at Ray's own processes
OBJECT_STORE = 150 * 1024 * 1024
VITAL = ("gcs_server", "raylet")


def main() -> int:
    """Start, say so on standard output, wait for the end."""
    stopping = threading.Event()
    settings = Settings()
    _stay_on_loopback()
    ray.init(
        address="local",
        include_dashboard=False,
        object_store_memory=OBJECT_STORE,
        num_cpus=max(2, os.cpu_count() or 2, math.ceil(settings.logical_cpus)),
        _node_ip_address="127.0.0.1",
        logging_level="warning",
        log_to_driver=True,
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # not earlier: Ray installs handlers of its own
        signal.signal(number, lambda *_: stopping.set())  # not later: the first answer comes before "ready"
    serve.start(http_options=HTTPOptions(host=settings.host, port=settings.port))
    serve.run(compose(settings), name="casting", blocking=False)
    print("ready", flush=True)
    vital = [child for child in psutil.Process().children() if child.name() in VITAL]
    starts = StuckStarts(psutil.Process())
    while not stopping.wait(LOOK):
        starts.look()
        gone = [child.name() for child in vital if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE]
        if gone:
            print(f"gone: {', '.join(gone)}", file=sys.stderr, flush=True)
            os._exit(1)  # nothing can be shut down in order any more; the supervisor sweeps up
    serve.shutdown()
    ray.shutdown()
    return 0


def _stay_on_loopback() -> None:
    """Let the node be 127.0.0.1, as it is told to be.

    Ray replaces a loopback address by the machine's outer one, and its agents' plain HTTP ports are then open to the
    network. This node is a cluster of one: nobody outside has to reach it.
    """
    services.resolve_ip_for_localhost = lambda host: host


if __name__ == "__main__":
    sys.exit(main())
