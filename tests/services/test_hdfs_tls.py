"""The lake's contract over WebHDFS with TLS and a certificate that only ``CASTING_WEBHDFS_CA`` vouches for."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.folder import Folder
from streaming.root import open_folder
from tests.services.certificate import certificate
from tests.services.hadoop import Hdfs
from tests.streaming.test_folder import (  # noqa: F401  (collected here with this module's folder)
    test_the_second_to_want_a_name_is_fenced_and_changes_nothing,
    test_what_was_published_is_listed_and_read,
)

PUBLIC = ssl.get_default_verify_paths().openssl_cafile


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    folder = tmp_path_factory.mktemp("hdfs-tls")
    running = Hdfs(folder, certificate(folder))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a company that has authorities of its own: they don't stand above the setting."""
    monkeypatch.setenv("HADOOP_USER_NAME", "casting")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", PUBLIC)


@pytest.fixture
def folder(secure: Hdfs, tmp_path: Path) -> Folder:
    assert secure.certificate is not None
    return open_folder(f"{secure.root}/{tmp_path.name}", secure.web, secure.certificate.ca)


def test_a_namenode_that_nobody_vouches_for_is_not_spoken_to(secure: Hdfs) -> None:
    for ca in (None, Path(PUBLIC)):
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            open_folder(f"{secure.root}/predictions", secure.web, ca).names()
