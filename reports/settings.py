"""Settings of ``casting report``: environment variables ``CASTING_…``, or the same names in ``.env``."""

from pydantic import Field

from inspection.settings import Shared


class Settings(Shared):
    """Read once, in a process's entry point."""

    timezone: str = Field(
        "UTC", description="IANA zone that rules days, hours and shifts in reports; the page goes by the browser's."
    )
