"""A file system that fails is no fault of a member: it is tried again, and then the part stays open."""

import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from inspection.bundle import champion
from inspection.errors import Unavailable
from scoring import members as m
from scoring import places, steady
from scoring.actors import UNREAD, PartDecode, PartJudge
from scoring.plan import Plan, ended, held, make
from scoring.score import _follow
from scoring.steady import Steady

CONTENT = bytes(range(256)) * 200


class Failing:
    """A file whose reads fail, as ``fails`` says, one after another."""

    def __init__(self, path, fails):
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115
        self._fails = fails
        self.seek, self.close = self._file.seek, self._file.close

    def readinto(self, buffer):
        if error := next(self._fails, None):
            raise error
        return self._file.readinto(buffer)


def sources(folder):
    """One of each kind that has a member of this content."""
    (folder / "x").mkdir()
    (folder / "x/a").write_bytes(CONTENT)
    (folder / "x.txt").write_text(f"{folder}/x/a\n")
    with zipfile.ZipFile(folder / "x.zip", "w") as zipped:
        zipped.write(folder / "x/a", "a")
    for name, mode in (("x.tar", "w"), ("x.tgz", "w:gz")):
        with tarfile.open(folder / name, mode) as archive:
            archive.add(folder / "x/a", "a")
    return [folder / "x", *(folder / f"x.{kind}" for kind in ("txt", "zip", "tar", "tgz"))]


def test_a_file_is_read_on_from_where_it_was_when_its_file_system_came_back(tmp_path, monkeypatch):
    monkeypatch.setattr(steady, "PAUSES", (0.0, 0.0))
    (tmp_path / "a").write_bytes(CONTENT)
    fails = iter([None, ConnectionError("gone"), PermissionError("expired"), None, RuntimeError("standby")])
    file = Steady("a", lambda: Failing(tmp_path / "a", fails))
    assert b"".join(iter(lambda: file.read(1000), b"")) == CONTENT
    file.close()


@pytest.mark.parametrize("kind", range(5))
def test_a_lost_connection_is_no_verdict_on_a_member(tmp_path, monkeypatch, kind):
    place = str(sources(tmp_path)[kind])
    source = m.recognise(place)
    listed = [] if source.kind == "stream" else list(m.members(source))
    monkeypatch.setattr(steady, "PAUSES", (0.0,))
    monkeypatch.setattr(places, "_open", lambda place, path: Failing(Path(place, path), iter([ConnectionError()] * 9)))
    with pytest.raises(Unavailable) as caught:
        list(m.streamed(source)) if source.kind == "stream" else m.Reader(source).read(listed[0])
    assert caught.value.code == "source_unreachable"


def test_an_archive_that_a_worker_does_not_see_is_no_verdict_on_its_members(tmp_path):
    for place in sources(tmp_path)[2:]:
        source = m.recognise(str(place))
        listed = [] if source.kind == "stream" else list(m.members(source))
        place.unlink()
        with pytest.raises(Unavailable):
            list(m.streamed(source)) if source.kind == "stream" else m.Reader(source).read(listed[0])


def test_a_connection_lost_when_a_file_is_opened_is_not_that_it_is_missing(monkeypatch):
    class Away:
        def open_input_file(self, path):
            raise FileNotFoundError(path)  # as PyArrow does for a file system of fsspec

        def get_file_info(self, path):
            raise ConnectionError(path)

    monkeypatch.setattr(steady, "PAUSES", ())
    monkeypatch.setattr(places, "_remote", lambda _: (Away(), "/a"))
    with pytest.raises(Unavailable):
        places.opened("hdfs://nn/a")


@pytest.mark.parametrize("name", ["x", "x.tgz"])
def test_a_part_that_can_t_be_read_stays_open(tmp_path, monkeypatch, name):
    sources(tmp_path)
    out = tmp_path / "out"
    with held(out):
        plan = make([m.recognise(str(tmp_path / name))], out, tmp_path, "card")
    (part,) = plan.parts
    monkeypatch.setattr(steady, "PAUSES", ())
    monkeypatch.setattr(places, "_open", lambda place, path: Failing(Path(place, path), iter([ConnectionError()] * 9)))
    told = PartJudge(str(out), str(champion(Path("models"))), 1)._one(part)
    assert "can't be read now" in told[UNREAD]
    ((decoded,),) = (batch["item"] for batch in PartDecode(str(out))({"item": [part]}))
    assert isinstance(decoded.members, Unavailable)
    assert (list((out / "results").iterdir()), ended(out, part.name).exists()) == ([], False)
    assert plan.open_parts() == [part]


def test_a_scoring_stops_at_a_part_that_was_left_open():
    done = SimpleNamespace(iter_rows=lambda: iter([{"members": 0, "failed": 0, "defects": 0, "node": "", UNREAD: "x"}]))
    with pytest.raises(Unavailable, match="same command") as caught:
        _follow(done, Plan(Path(), Path(), (), 0), [], 0.0, None)
    assert caught.value.code == "source_unreachable"
