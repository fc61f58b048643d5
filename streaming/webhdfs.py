"""The lake in HDFS, through WebHDFS: its rename is atomic and refuses a name that is taken.

Knows no events. DataNodes must sync on close (``dfs.datanode.synconclose``) for a file to survive a power cut.
"""

import getpass
import os
import time
import uuid
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from hdfs import Client, HdfsError, InsecureClient

from inspection.errors import NotFound
from streaming.files import Name
from streaming.folder import TEMPORARY
from streaming.record import Fenced

TIMEOUT = (5.0, 30.0)  # seconds to connect, and between two answers


class WebHdfsFolder:
    """A folder of HDFS as the lake's root. Everything that fails otherwise than by a taken name is an OSError."""

    def __init__(self, client: Client, root: str) -> None:
        self._client = client
        self._root = root.rstrip("/")

    def names(self) -> Iterable[Name]:
        found = []
        for folder, status in self._list(self._root):
            if status["type"] == "DIRECTORY" and folder.startswith("date="):
                for file, _ in self._list(f"{self._root}/{folder}"):
                    name = Name.parse(folder, file)
                    if name is not None:
                        found.append(name)
        return found

    def open(self, name: Name) -> Any:
        with _network(), self._client.read(f"{self._root}/{name.path}") as reader:
            return BytesIO(reader.read())

    def put(self, data: bytes) -> str:
        temporary = uuid.uuid4().hex
        with _network():
            self._client.write(f"{self._root}/{TEMPORARY}/{temporary}", data)
        return temporary

    def publish(self, temporary: str, name: Name) -> None:
        """A refusal may also mean that an earlier try, which seemed to time out, came through: all is ``Fenced``."""
        with _network():
            self._client.makedirs(f"{self._root}/{name.folder}")
            try:
                self._client.rename(f"{self._root}/{TEMPORARY}/{temporary}", f"{self._root}/{name.path}")
            except HdfsError as error:
                if error.exception is None:  # the NameNode answered, and the answer was no
                    raise Fenced(name.path) from error
                raise

    def discard(self, temporary: str) -> None:
        with _network():
            self._client.delete(f"{self._root}/{TEMPORARY}/{temporary}")

    def tidy(self, seconds: float) -> None:
        until = (time.time() - seconds) * 1000
        for temporary, status in self._list(f"{self._root}/{TEMPORARY}"):
            if status["modificationTime"] < until:
                self.discard(temporary)

    def _list(self, path: str) -> list[tuple[str, dict[str, Any]]]:
        with _network():
            try:
                return list(self._client.list(path, status=True))
            except HdfsError as error:
                if error.exception == "FileNotFoundException":
                    return []
                raise


class _network:  # noqa: N801 (a statement, not a thing)
    """Errors of the library and of the network as OSError: unclear, look again."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (HdfsError, requests.RequestException)) and not isinstance(error, OSError):
            raise OSError(f"HDFS: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error


class _Session(requests.Session):
    """Believes ``ca`` also where the environment names other authorities: requests lets ``REQUESTS_CA_BUNDLE`` win."""

    def __init__(self, ca: Path | None) -> None:
        super().__init__()
        self._ca = str(ca) if ca else None

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        return super().merge_environment_settings(url, proxies, stream, self._ca or verify, cert)


def connect(root: str, webhdfs: str, ca: Path | None = None, kerberos: bool = False) -> WebHdfsFolder:
    """``root`` is ``hdfs://…/path``, reached through WebHDFS at ``webhdfs``.

    ``webhdfs`` may name both NameNodes of a pair, parted by ``;``: the active one is found.

    Raises:
        NotFound: ``no_kerberos``: tickets are asked for, and requests-kerberos isn't installed.
    """
    session = _Session(ca)
    if kerberos:
        try:
            from hdfs.ext.kerberos import KerberosClient
        except ModuleNotFoundError as error:  # compiled where it is needed, so that it is in no lock
            message = "CASTING_WEBHDFS_KERBEROS needs requests-kerberos; docs/settings.md says how to install it."
            raise NotFound("no_kerberos", message) from error
        client = KerberosClient(webhdfs, timeout=TIMEOUT, session=session)
    else:
        user = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
        client = InsecureClient(webhdfs, user=user, timeout=TIMEOUT, session=session)
    return WebHdfsFolder(client, urlsplit(root).path)
