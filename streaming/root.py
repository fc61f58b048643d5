"""Where the lake lies, from what the settings call it."""

from pathlib import Path

from streaming.folder import Folder, LocalFolder


def open_folder(root: str, webhdfs: str, ca: Path | None = None, kerberos: bool = False) -> Folder:
    """The lake's root: ``hdfs://…/path`` through WebHDFS at ``webhdfs``, anything else is a local folder."""
    if not root.startswith("hdfs://"):
        return LocalFolder(Path(root))
    from streaming.webhdfs import connect  # who has a local lake needs no client of HDFS

    return connect(root, webhdfs, ca, kerberos)
