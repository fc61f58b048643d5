"""Zips as others make them: names in any encoding, directories that say nonsense."""

import zipfile

import pytest

from inspection.errors import BadRequest
from scoring import members as m
from scoring.places import shown
from tests.scoring.sources import got, tarred

UTF_8 = 0x800


def named(path, name, flags=0):
    """A zip whose second of three members has this name, in bytes, and these flags."""
    with zipfile.ZipFile(path, "w") as archive:
        for one in ("a.png", "x" * len(name), "c.png"):
            archive.writestr(one, b"1")
    data = bytearray(path.read_bytes().replace(b"x" * len(name), name))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = data.index(mark, data.index(mark) + 1) + at
        data[start : start + 2] = flags.to_bytes(2, "little")
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("flags", [0, UTF_8])
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("주물/불량.png".encode("cp949"), "주물/불량.png"),
        ("주물/불량.png".encode(), "주물/불량.png"),
        (b"\xff\xfe.png", r"\xff\xfe.png"),
    ],
)
def test_names_are_shown_whatever_they_are_written_in_and_the_flag_says(tmp_path, name, seen, flags):
    found = got(named(tmp_path / "x.zip", name, flags))
    assert [shown(path) for path in found] == ["a.png", seen, "c.png"]
    assert set(found.values()) == {b"1"}


def test_a_name_ends_at_its_first_nul(tmp_path):
    assert list(got(named(tmp_path / "x.zip", b"b.png\0.txt"))) == ["a.png", "b.png", "c.png"]


def test_a_zip64_with_a_prefix_and_a_comment(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    with (tmp_path / "x.zip").open("wb") as file:
        file.write(b"a program that unpacks itself")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.comment = b"PK, a comment"
            for name in "ab":
                archive.writestr(name, name * 700)
    assert b"PK\6\6" in (tmp_path / "x.zip").read_bytes()
    assert got(tmp_path / "x.zip") == {"a": b"a" * 700, "b": b"b" * 700}


def test_a_member_that_lies_nowhere_fails_alone(tmp_path):
    place = named(tmp_path / "x.zip", b"b.png")
    data = bytearray(place.read_bytes())
    at = data.index(b"b.png", data.index(b"PK\1\2")) - 4
    data[at : at + 4] = (0xFFFF_FFF0).to_bytes(4, "little")
    place.write_bytes(bytes(data))
    assert got(place) == {"a.png": b"1", "b.png": "damaged_member", "c.png": b"1"}


@pytest.mark.parametrize("keep", [30, -60, -23])
def test_a_zip_that_lacks_some_of_its_directory_is_refused(tmp_path, keep):
    place = named(tmp_path / "x.zip", b"b.png")
    data = place.read_bytes()
    place.write_bytes(data[:keep] if keep > 0 else data[:keep] + data[-22:])
    with pytest.raises(BadRequest) as caught:
        got(place)
    assert caught.value.code == "bad_archive"


def test_what_begins_with_pk_is_no_zip_for_that(tmp_path):
    (tmp_path / "PK-1.png").write_bytes(b"1")
    (tmp_path / "x.txt").write_text(f"PK-1.png\n{tmp_path}/PK-1.png\n")
    assert m.recognise(str(tmp_path / "x.txt")).kind == "list"
    assert list(got(tarred(tmp_path / "x.tar", names=("PK\3\4", "b")))) == ["PK\3\4", "b"]
    assert list(got(tarred(tmp_path / "y", names=("PK-1.png", "b")))) == ["PK-1.png", "b"]
