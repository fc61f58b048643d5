"""Sources that nobody made with care: what can't be had is a row that says so, and everything else is there."""

import gzip
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from inspection.bundle import champion
from inspection.errors import Conflict
from scoring import members as m
from scoring.judging import BYTES, batches
from scoring.members import Member
from scoring.places import shown
from scoring.plan import STREAM_PART, held, make, path_of, unchanged
from tests.scoring.sources import got, tarred


def test_an_encrypted_member_of_a_zip(tmp_path):
    place = tmp_path / "x.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("a.png", b"1")
    data = bytearray(place.read_bytes())
    for at in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):
        data[at] |= 1
    place.write_bytes(bytes(data))
    assert got(place) == {"a.png": "encrypted"}


def test_a_zip64_with_names_that_climb_out(tmp_path):
    place = tmp_path / "x.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in ("../../etc/passwd", "/absolute.png"):
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(b"1" * 10)
    assert got(place) == {"../../etc/passwd": b"1" * 10, "/absolute.png": b"1" * 10}
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_zip_that_says_it_is_small_and_inflates_to_a_giant(tmp_path):
    place = tmp_path / "x.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(m.MAX_BYTES + 10))
    data = bytearray(place.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 100)
    place.write_bytes(bytes(data))
    assert got(place) == {"a.png": "damaged_member"}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.txt", "x"])
def test_what_holds_nothing_gives_nothing(tmp_path, name):
    place = tmp_path / name
    if name == "x":
        place.mkdir()
    elif name == "x.zip":
        zipfile.ZipFile(place, "w").close()
    elif name == "x.txt":
        place.touch()
    else:
        tarred(place, "w:gz" if name.endswith("gz") else "w", ())
    assert got(place) == {}


def test_links_and_devices_of_a_tar_are_said(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert got(tmp_path / "x.tar") == dict.fromkeys(("link", "hard", "pipe"), "not_a_file")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("keep", [-2000, 1400, 2048])
def test_an_archive_that_breaks_off_gives_what_is_whole_and_a_row_for_the_rest(tmp_path, packed, keep):
    plain = tarred(tmp_path / "x.tar", names=("a", "b"))
    data = plain.read_bytes()[: 3 * 1024 + keep if keep < 0 else keep + 512]
    place = tmp_path / ("x.tar.gz" if packed else "x.tar")
    place.write_bytes(gzip.compress(data) if packed else data)
    found = got(place)
    assert found.pop(place.name) == "broken_archive"
    assert found.get("b") in (None, "damaged_member")
    assert keep < 0 or found["a"] == b"a" * 700


def test_a_gzip_that_breaks_off(tmp_path):
    place = tarred(tmp_path / "x.tgz", "w:gz")
    place.write_bytes(place.read_bytes()[:-20])
    assert got(place)["x.tgz"] == "broken_archive"


def test_gzips_one_behind_another_are_one(tmp_path):
    data = tarred(tmp_path / "x.tar").read_bytes()
    (tmp_path / "y.tar.gz").write_bytes(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))
    assert got(tmp_path / "y.tar.gz") == got(tmp_path / "x.tar")


def test_an_archive_is_what_it_begins_with_whatever_it_is_called(tmp_path):
    assert m.recognise(str(tarred(tmp_path / "x.zip"))).kind != "stream"
    assert m.recognise(str(tarred(tmp_path / "x.tar", "w:gz"))).kind == "stream"
    assert list(got(tmp_path / "x.tar")) == ["a", "b", "c"]


def test_names_that_are_not_utf_8_are_read_and_shown(tmp_path):
    name = b"\xc1\xd6.png"
    (tmp_path / "x").mkdir()
    (Path(os.fsdecode(bytes(tmp_path / "x") + b"/" + name))).write_bytes(b"1")
    ((path, content),) = got(tmp_path / "x").items()
    assert (content, shown(path)) == (b"1", r"\xc1\xd6.png")
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(path))
    assert shown(next(iter(got(tmp_path / "x.tar")))) == r"\xc1\xd6.png"


def test_a_folder_with_links_in_a_ring_a_dead_link_and_a_pipe(tmp_path):
    root = tmp_path / "x"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.png").write_bytes(b"1")
    (root / "sub/up").symlink_to(root)
    (root / "dead").symlink_to(root / "gone")
    (root / "ring").symlink_to(root / "ring")
    os.mkfifo(root / "pipe")
    assert got(root) == {"dead": "missing", "ring": "missing", "pipe": "not_a_file", "sub/a.png": b"1"}


def test_relative_paths_of_a_list_start_where_the_command_was_given(tmp_path, monkeypatch):
    (tmp_path / "a b.png").write_bytes(b"1")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/x.txt").write_text("a b.png\r\n\r\ngone.png\n")
    monkeypatch.chdir(tmp_path)
    source = m.recognise(str(tmp_path / "lists/x.txt"))
    monkeypatch.chdir("/")  # as a worker elsewhere
    first, second = m.members(source)
    assert (first.path, m.Reader(source).read(first)) == ("a b.png", b"1")
    with pytest.raises(m.Unreadable, match="missing"):
        m.Reader(source).read(second)


def test_large_pictures_don_t_pile_up():
    large = ((Member(str(number)), bytes(BYTES // 2)) for number in range(5))
    assert [len(some) for some in batches(large, 8)] == [2, 2, 1]
    assert [len(some) for some in batches(iter([(Member(""), b"1")] * 20), 8)] == [8, 8, 4]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures/deep"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"1")
    return tmp_path / "pictures"


def planned(pictures, out, force=False):
    with held(out):
        return make([m.recognise(str(pictures))], out, champion(Path("models")), "card", force)


@pytest.mark.parametrize("change", [b"22", b"2"])
def test_a_file_changed_deep_in_a_folder_is_another_source(pictures, tmp_path, change):
    plan = planned(pictures, tmp_path / "out")
    path_of(plan.out, plan.parts[0].name).touch()
    assert planned(pictures, plan.out).open_parts() == []
    time.sleep(0.01)
    (pictures / "deep/1.png").write_bytes(change)
    with pytest.raises(Conflict) as caught:
        planned(pictures, plan.out)
    assert caught.value.code == "other_run"
    assert len(planned(pictures, plan.out, force=True).open_parts()) == 1
    assert list((plan.out / "results").iterdir()) == []


def test_an_archive_that_changes_while_it_is_judged_is_noticed(tmp_path):
    place = tarred(tmp_path / "x.tar")
    plan = planned(place, tmp_path / "out")
    unchanged(plan)
    tarred(place, names="abcd" * (STREAM_PART // 64))
    with pytest.raises(Conflict) as caught:
        unchanged(plan)
    assert caught.value.code == "source_changed"
