"""Archives as users have them: nested, zipped or unpacked, with and without splits."""

import zipfile
from pathlib import Path

import pytest

from inspection.errors import BadRequest
from training.dataset import digest, for_test, for_training, listing, opened

NESTED = {
    "casting_data/casting_data/train/ok_front/a.jpeg": b"1",
    "casting_data/casting_data/train/def_front/b.jpeg": b"2",
    "casting_data/casting_data/test/ok_front/c.jpeg": b"3",
    "casting_data/casting_data/test/def_front/d.jpeg": b"4",
    "casting_512x512/casting_512x512/ok_front/e.jpeg": b"5",
    "casting_512x512/casting_512x512/def_front/f.jpeg": b"6",
    "__MACOSX/casting_data/train/ok_front/._a.jpeg": b"7",
    "casting_data/casting_data/train/ok_front/notes.txt": b"8",
}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("casting_data/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("form", [lambda path: put(path / "x", NESTED), lambda path: zipped(path / "x.zip", NESTED)])
def test_the_splits_stay_apart_in_a_folder_and_in_a_zip(tmp_path, form):
    with opened(form(tmp_path)) as source:
        found = listing(source)
        assert [one.path[-6] for one in for_training(found)] == ["b", "a"]
        assert [one.path[-6] for one in for_test(found)] == ["d", "c"]
        assert source.read(for_test(found)[0].path) == b"4"


def test_unsplit_folders_are_all_for_either(tmp_path):
    with opened(put(tmp_path, {"ok_front/a.png": b"1", "def_front/b.png": b"2"})) as source:
        found = listing(source)
    assert len(for_training(found)) == len(for_test(found)) == 2


def test_without_both_labels_it_says_so(tmp_path):
    with opened(put(tmp_path, {"ok_front/a.png": b"1"})) as source, pytest.raises(BadRequest) as caught:
        listing(source)
    assert caught.value.code == "no_labels"


def test_what_is_neither_folder_nor_zip_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"no zip")
    with pytest.raises(BadRequest) as caught, opened(tmp_path / "x"):
        pass
    assert caught.value.code == "no_data"


def test_the_digest_is_of_the_content_not_of_the_order():
    assert digest(iter([("ok", "1"), ("def", "2")])) == digest(iter([("def", "2"), ("ok", "1")]))
    assert digest(iter([("ok", "1")])) != digest(iter([("def", "1")]))
