"""Sources on a real HDFS, by WebHDFS."""

import tarfile
import zipfile

import pytest
from hdfs import InsecureClient

from inspection.errors import BadRequest
from scoring import members as m
from tests.services.conftest import hdfs  # noqa: F401

FILES = {"a/one.png": b"1" * 10, "b/two.png": b"2" * 700_000}


@pytest.fixture
def place(hdfs, tmp_path, monkeypatch):  # noqa: F811
    """A folder there with the files, an archive of each kind and a list."""
    monkeypatch.setenv("CASTING_WEBHDFS", hdfs.web)
    monkeypatch.setenv("HADOOP_USER_NAME", "casting")
    client = InsecureClient(hdfs.web, user="casting", root="/")
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        client.write(f"/sources/folder/{name}", content, overwrite=True)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in FILES:
            zipped.write(tmp_path / name, name)
    for packed, mode in (("x.tar", "w"), ("x.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / packed, mode) as archive:
            for name in FILES:
                archive.add(tmp_path / name, name)
    (tmp_path / "x.txt").write_text("".join(f"{hdfs.root}/sources/folder/{name}\n" for name in FILES))
    for name in ("x.zip", "x.tar", "x.tar.gz", "x.txt"):
        client.upload(f"/sources/{name}", str(tmp_path / name), overwrite=True)
    return f"{hdfs.root}/sources"


def test_every_kind_of_source_on_hdfs(place):
    for name in ("folder", "x.zip", "x.tar", "x.tar.gz", "x.txt"):
        source = m.recognise(f"{place}/{name}")
        if source.kind == "stream":
            found = {member.path: held for member, held in m.streamed(source)}
        else:
            reader = m.Reader(source)
            found = {member.path: reader.read(member) for member in m.members(source)}
            reader.close()
        if name == "x.txt":
            found = {path.removeprefix(f"{place}/folder/"): held for path, held in found.items()}
        assert found == FILES, name
        assert source.kind == "folder" or not m.identity(source).endswith("-1"), "its time of change is not known"
    assert all(member.changed > 0 for member in m.members(m.recognise(f"{place}/folder")))


@pytest.mark.parametrize("away", ["hdfs://127.0.0.1:1/gone.zip", "nothing://here"])
def test_what_can_t_be_reached_is_said(away, monkeypatch):
    monkeypatch.setenv("CASTING_WEBHDFS", "http://127.0.0.1:1")
    with pytest.raises(BadRequest) as caught:
        m.recognise(away)
    assert caught.value.code == "no_source"
