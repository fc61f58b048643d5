"""Tars whose headers say what can't be: they end there, at once, with one row for the rest."""

import gzip
import io
import tarfile

import pyarrow as pa
import pytest

from scoring import members as m
from tests.scoring.sources import got, tarred


def header(size, kind=tarfile.REGTYPE):
    """One header, right but for its size."""
    info = tarfile.TarInfo("huge")
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def behind(content):
    """A tar with an ordinary member, and then this."""
    info = tarfile.TarInfo("a")
    info.size = 700
    return info.tobuf() + (b"a" * 700).ljust(1024, b"\0") + content


def pax(kind, **records):
    """Records of pax before an ordinary member and the end."""
    info = tarfile.TarInfo("b")
    info.pax_headers = records
    made = info.create_pax_header(info.get_info(), "utf-8")
    if kind == tarfile.XGLTYPE:
        made = tarfile.TarInfo.create_pax_global_header(records) + made[-tarfile.BLOCKSIZE :]
    return made + bytes(1024)


HOSTILE = {
    "near 2^63": header(2**63 - 513),
    "2^61": header(2**61),
    "2^80": header(2**80),
    "negative": header(-1536),
    "2^63 of pax": header(2**63 + 1, tarfile.XHDTYPE),
    "a terabyte of a name": header(2**40, tarfile.GNUTYPE_LONGNAME),
    "a negative name": header(-512, tarfile.GNUTYPE_LONGNAME),
    "a negative size by pax": pax(tarfile.XHDTYPE, size="-1536"),
    "a negative size by global pax": pax(tarfile.XGLTYPE, size="-1536"),
    "a record of no length": header(512, tarfile.XHDTYPE) + b"0 size=1\n".ljust(512, b"\0") + header(0),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_size_that_can_t_be_ends_the_archive(tmp_path, content, packed):
    place = tmp_path / ("x.tgz" if packed else "x.tar")
    data = behind(content)
    place.write_bytes(gzip.compress(data) if packed else data)
    found = got(place)
    assert found.pop("a") == b"a" * 700
    assert found.pop(place.name) == "broken_archive"
    assert set(found.values()) <= {"too_large"}


@pytest.mark.timeout(20)
def test_a_sparse_map_that_never_ends(tmp_path):
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "b", "GNU.sparse.realsize": "9"}
    data = behind(pax(tarfile.XHDTYPE, **sparse)[:-1024] + b"9999\n".ljust(512, b"1"))
    (tmp_path / "x.tar").write_bytes(data)
    assert got(tmp_path / "x.tar")["x.tar"] == "broken_archive"


def test_long_names_and_pax_records_of_the_usual_size_are_read(tmp_path):
    name = "d/" * 200 + "é.png"
    for style in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "x.tar", "w", format=style) as archive:
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"123"))
        assert got(tmp_path / "x.tar") == {name: b"123"}


def test_a_zstd_that_begins_with_a_frame_to_be_skipped(tmp_path):
    plain = tarred(tmp_path / "x.tar").read_bytes()
    place = tmp_path / "x.tar.zst"
    place.write_bytes(b"\x5e\x2a\x4d\x18\x02\0\0\0no" + pa.compress(plain, "zstd", asbytes=True))
    assert m.recognise(str(place)).kind == "stream"
    assert got(place) == got(tmp_path / "x.tar")
