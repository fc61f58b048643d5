"""Settings that several packages read: environment variables ``CASTING_…``, or the same names in ``.env``.

A package that reads more adds it in a ``settings`` module of its own. Each setting is declared once.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Shared(BaseSettings):
    """Read once, in a process's entry point. An empty variable is an unset one."""

    model_config = SettingsConfigDict(
        env_prefix="CASTING_", env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    data_dir: Path = Field(Path("var"), description="Everything that is written lies under this folder.")
    lake: str | None = Field(
        None, description="The lake's root: a folder or `hdfs://…/predictions`; unset: `lake` in the data folder."
    )
    webhdfs: str = Field("http://namenode:9870", description="Where WebHDFS answers, when the lake is in HDFS.")
    models: Path = Field(Path("models"), description="Model bundles, and `aliases.json` that names the champion.")

    @property
    def data(self) -> Path:
        return self.data_dir.absolute()

    @property
    def lake_root(self) -> str:
        return self.lake or str(self.data / "lake")
