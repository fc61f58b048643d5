"""The contract of tests/streaming/test_folder.py, over a real NameNode and DataNode."""

from pathlib import Path

import pytest

from streaming.folder import Folder
from streaming.root import open_folder
from tests.services.hadoop import Hdfs
from tests.streaming.test_folder import (  # noqa: F401  (collected here with this module's folder)
    test_an_empty_folder_has_no_names,
    test_only_old_temporary_files_are_tidied_away,
    test_temporary_files_are_never_listed,
    test_the_second_to_want_a_name_is_fenced_and_changes_nothing,
    test_what_was_published_is_listed_and_read,
)


@pytest.fixture
def folder(hdfs: Hdfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("HADOOP_USER_NAME", "casting")
    return open_folder(f"{hdfs.root}/{tmp_path.name}", hdfs.web)


def test_a_namenode_that_is_away_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADOOP_USER_NAME", "casting")
    away = open_folder("hdfs://127.0.0.1:1/predictions", "http://127.0.0.1:1")
    with pytest.raises(OSError, match="refused"):
        away.names()
