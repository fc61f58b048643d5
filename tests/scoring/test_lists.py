"""Lists of paths as people write them, and folders of any depth."""

import os

import pytest

from inspection.errors import BadRequest, Conflict
from scoring import members as m
from scoring.plan import held, make
from tests.scoring.sources import got


@pytest.mark.timeout(20)
def test_pipes_and_folders_of_a_list_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    paths = [f"{tmp_path}/pipe", f"{tmp_path}/folder", f"file://{tmp_path}/folder", f"{tmp_path}/{'x' * 300}"]
    (tmp_path / "x.txt").write_text("\n".join(paths))
    assert list(got(tmp_path / "x.txt").values()) == ["not_a_file"] * 3 + ["missing"]


def test_a_list_of_windows_with_a_mark_of_its_encoding(tmp_path):
    (tmp_path / "주물.png").write_bytes(b"1")
    (tmp_path / "x.txt").write_text(f"{tmp_path}/주물.png\r\n", "utf-8-sig")
    assert got(tmp_path / "x.txt") == {f"{tmp_path}/주물.png": b"1"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_list_in_utf_16_is_refused_with_a_word(tmp_path, encoding):
    (tmp_path / "x.txt").write_text("주물/1.png\r\n", encoding)
    with pytest.raises(BadRequest, match="UTF-8") as caught:
        m.recognise(str(tmp_path / "x.txt"))
    assert caught.value.code == "no_source"


def test_a_list_given_from_another_folder_is_another_source(tmp_path, monkeypatch):
    (tmp_path / "x.txt").write_text("a.png\n")
    for where in (tmp_path, tmp_path.parent):
        monkeypatch.chdir(where)
        with held(tmp_path / "out"):
            if where == tmp_path:
                make([m.recognise(str(tmp_path / "x.txt"))], tmp_path / "out", tmp_path, "card")
                continue
            with pytest.raises(Conflict) as caught:
                make([m.recognise(str(tmp_path / "x.txt"))], tmp_path / "out", tmp_path, "card")
    assert caught.value.code == "other_run"


def test_a_folder_as_deep_as_a_path_is_long(tmp_path):
    deep = "d/" * 1100
    for depth in range(1101):
        (tmp_path / "x" / ("d/" * depth)).mkdir()
    (tmp_path / "x" / deep / "a.png").write_bytes(b"1")
    (tmp_path / "x" / "e.png").write_bytes(b"2")
    found = got(tmp_path / "x")
    os.rename(tmp_path / "x" / ("d/" * 600), tmp_path / "y")  # noqa: PTH104  else too deep to be tidied up
    assert found == {f"{deep}a.png": b"1", "e.png": b"2"}
