"""Where a replica's log goes."""

import sys

import structlog


def speak() -> None:
    """Log to the process's own standard error, which Ray shows where the service was started.

    In a replica Ray Serve puts a logger in the place of ``sys.stdout`` that drops what comes so; told to let it pass
    (``RAY_SERVE_LOG_TO_STDERR``), Serve itself fills the terminal. Written, not printed: ``print`` is replaced, too.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.__stderr__))
