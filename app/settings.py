"""Settings of ``casting predict``, the client. What the service is given stands in ``app.ports``."""

from pydantic import Field

from inspection.settings import Shared


class ClientSettings(Shared):
    """Read once, in a process's entry point."""

    key: str | None = Field(None, description="API key that `casting predict` sends, where the service asks for one.")
