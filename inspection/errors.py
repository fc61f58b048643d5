"""Every error that a user may meet: one class a kind, one code a cause.

The codes are part of the HTTP contract; which status each class gets is decided in ``app``.
"""


class InspectorError(Exception):
    """Base of all expected errors: ``code`` for machines, ``message`` for people, ``retryable`` for both."""

    retryable = False

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class BadRequest(InspectorError):
    """The call itself is malformed or exceeds a stated limit."""


class BadPicture(InspectorError):
    """The bytes are no picture that can be inspected; nothing was numbered."""


class Denied(InspectorError):
    """No key, a wrong key, or a key without the needed role."""


class NotFound(InspectorError):
    """There is no such thing, or no longer."""


class Conflict(InspectorError):
    """The call contradicts what is already recorded, or what somebody else holds."""


class Unavailable(InspectorError):
    """The system can't do it now; the same call may succeed after ``retry_after`` seconds."""

    retryable = True

    def __init__(self, code: str, message: str, retry_after: float = 1.0) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after
