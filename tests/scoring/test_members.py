"""Members of every kind of source, and why some can't be had."""

import io
import tarfile
import zipfile

import pyarrow as pa
import pytest

from inspection.errors import BadRequest
from scoring import members as m

FILES = {"a/one.png": b"1" * 10, "a/two.png": b"2" * 700, "b/three.png": b""}


def folder(path):
    for name, content in FILES.items():
        (path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "x" / name).write_bytes(content)
    return path / "x"


def zipped(path):
    with zipfile.ZipFile(path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path / "x.zip"


def tarred(path, name="x.tar", mode="w"):
    with tarfile.open(path / name, mode) as archive:
        directory = tarfile.TarInfo("a")
        directory.type = tarfile.DIRTYPE
        archive.addfile(directory)
        for one, content in FILES.items():
            info = tarfile.TarInfo(one)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path / name


def zstd(path):
    plain = tarred(path)
    (path / "x.tar.zst").write_bytes(pa.compress(plain.read_bytes(), "zstd", asbytes=True))
    return path / "x.tar.zst"


@pytest.mark.parametrize("make", [folder, zipped, tarred])
def test_listed_sources_give_every_member_and_its_bytes(tmp_path, make):
    source = m.recognise(str(make(tmp_path)))
    reader = m.Reader(source)
    assert {one.path: reader.read(one) for one in m.members(source)} == FILES
    reader.close()


def test_names_that_a_zip_has_twice_are_two_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", b"second")
    source = m.recognise(str(tmp_path / "x.zip"))
    reader = m.Reader(source)
    assert [reader.read(one) for one in m.members(source)] == [b"first", b"second"]
    reader.close()


def test_a_zip_behind_something_else_and_with_a_rare_compression(tmp_path):
    with (tmp_path / "x.zip").open("wb") as file:
        file.write(b"PK, a program that unpacks itself")
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.png", b"1" * 100, zipfile.ZIP_DEFLATED)
            archive.writestr("b.png", b"1" * 100, zipfile.ZIP_LZMA)
    source = m.recognise(str(tmp_path / "x.zip"))
    reader = m.Reader(source)
    first, second = m.members(source)
    assert reader.read(first) == b"1" * 100
    with pytest.raises(m.Unreadable, match="unknown_compression"):
        reader.read(second)
    reader.close()


@pytest.mark.parametrize("make", [lambda path: tarred(path, "x.tar.gz", "w:gz"), zstd])
def test_compressed_tars_are_read_through(tmp_path, make):
    source = m.recognise(str(make(tmp_path)))
    assert source.kind == "stream"
    assert {member.path: content for member, content in m.streamed(source)} == FILES


def test_a_list_of_paths_with_one_that_is_missing(tmp_path):
    place = folder(tmp_path)
    (tmp_path / "list.txt").write_text(f"{place}/a/one.png\n\n{place}/gone.png\n")
    source = m.recognise(str(tmp_path / "list.txt"))
    first, second = m.members(source)
    assert m.Reader(source).read(first) == FILES["a/one.png"]
    with pytest.raises(m.Unreadable, match="missing"):
        m.Reader(source).read(second)


def test_nested_archives_and_giants_are_refused():
    for member, code in ((m.Member("in.zip", 5), "nested_archive"), (m.Member("x.png", m.MAX_BYTES + 1), "too_large")):
        with pytest.raises(m.Unreadable, match=code):
            m.check(member)


def test_a_damaged_member_fails_alone(tmp_path):
    place = zipped(tmp_path)
    data = bytearray(place.read_bytes())
    at = data.index(b"a/two.png") + len(b"a/two.png")
    data[at] ^= 0xFF
    place.write_bytes(bytes(data))
    source = m.recognise(str(place))
    reader = m.Reader(source)
    got = {}
    for member in m.members(source):
        try:
            got[member.path] = reader.read(member)
        except m.Unreadable as error:
            got[member.path] = str(error)
    reader.close()
    assert got == {**FILES, "a/two.png": "damaged_member"}


def test_a_broken_directory_is_said_at_once(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped(tmp_path).read_bytes()[:-30])
    with pytest.raises(BadRequest) as caught:
        list(m.members(m.recognise(str(tmp_path / "x.zip"))))
    assert caught.value.code == "bad_archive"


@pytest.mark.parametrize("name", ["gone", "x.bin"])
def test_what_is_no_source_is_refused(tmp_path, name):
    (tmp_path / "x.bin").write_bytes(b"neither")
    with pytest.raises(BadRequest) as caught:
        m.recognise(str(tmp_path / name))
    assert caught.value.code == "no_source"
