"""One contract for every place where the lake may lie."""

import errno
import os
from datetime import date
from pathlib import Path

import pytest

from streaming.files import Name
from streaming.folder import Folder, LocalFolder, MemoryFolder
from streaming.record import Fenced

NAME = Name(date(2026, 5, 4), "prediction_results", 3, 17)


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    return LocalFolder(tmp_path / "lake") if request.param == "local" else MemoryFolder()


def test_an_empty_folder_has_no_names(folder: Folder) -> None:
    assert list(folder.names()) == []


def test_what_was_published_is_listed_and_read(folder: Folder) -> None:
    folder.publish(folder.put(b"content"), NAME)
    assert list(folder.names()) == [NAME]
    with folder.open(NAME) as file:
        assert file.read() == b"content"


def test_the_second_to_want_a_name_is_fenced_and_changes_nothing(folder: Folder) -> None:
    folder.publish(folder.put(b"first"), NAME)
    second = folder.put(b"second")
    with pytest.raises(Fenced):
        folder.publish(second, NAME)
    folder.discard(second)
    with folder.open(NAME) as file:
        assert file.read() == b"first"


def test_temporary_files_are_never_listed(folder: Folder) -> None:
    temporary = folder.put(b"content")
    assert list(folder.names()) == []
    folder.discard(temporary)
    folder.discard(temporary)


def test_only_old_temporary_files_are_tidied_away(folder: Folder) -> None:
    temporary = folder.put(b"content")
    folder.tidy(3600)
    folder.publish(temporary, NAME)
    left = folder.put(b"left behind")
    folder.tidy(-3600)
    with pytest.raises((OSError, KeyError, Fenced)):
        folder.publish(left, Name(date(2026, 5, 4), "prediction_results", 3, 18))
    assert list(folder.names()) == [NAME]


def test_a_name_survives_its_path_and_other_files_are_no_names() -> None:
    assert NAME.path == "date=2026-05-04/prediction_results+3+00000000000000000017.parquet"
    assert Name.parse(*NAME.path.split("/")) == NAME
    for day, file in (
        ("_tmp", NAME.path.split("/")[1]),
        ("date=2026-13-04", NAME.path.split("/")[1]),
        (NAME.folder, "part-0.parquet"),
        (NAME.folder, "prediction_results+3+17.parquet"),
    ):
        assert Name.parse(day, file) is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    lake = LocalFolder(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            lake.put(b"x" * 1000)
    assert list((tmp_path / "_tmp").iterdir()) == []
