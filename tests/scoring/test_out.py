"""DIR: a scoring writes, goes on with and empties what is its own, and touches nothing else."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspection.errors import BadRequest, Conflict
from scoring import members as m
from scoring import results
from scoring.judging import Row
from scoring.plan import CSV, REPORT, SUMMARY, apart, ended, held, make, path_of, published, unfinished
from scoring.results import gathered, write_part


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_bytes(b"1")
    return tmp_path / "pictures"


def planned(place, out, force=False):
    with held(out):
        return make([m.recognise(str(place))], out, Path("models"), "card", force)


def refused(act):
    with pytest.raises(BadRequest) as caught:
        act()
    return caught.value.code == "bad_out"


def test_starting_over_takes_away_what_is_ours_and_nothing_else(pictures, tmp_path):
    out = tmp_path / "out"
    name = planned(pictures, out).parts[0].name
    ours = [path_of(out, name), path_of(out, "001-stream-000000"), ended(out, "001-stream"), published(out, name)]
    ours += [unfinished(out, name), *(out / one for one in (CSV, SUMMARY, REPORT))]
    theirs = [out / "results/thesis.txt", out / "results/sub/x.parquet", out / "notes.txt", out / ".work/mine"]
    (out / "results/sub").mkdir()
    for path in (*ours, *theirs):
        path.touch()
    planned(pictures, out, force=True)
    assert [path for path in ours if path.exists()] == []
    assert [path for path in theirs if not path.exists()] == []


def test_starting_over_and_killed_in_between_is_not_gone_on_with(pictures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    name = planned(pictures, out).parts[0].name
    path_of(out, name).touch()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            planned(pictures, out, force=True)
    with pytest.raises(Conflict) as caught:
        planned(pictures, out)
    assert caught.value.code == "other_run"
    assert len(planned(pictures, out, force=True).open_parts()) == 1


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["results/thesis.txt", "results/x/y", CSV, SUMMARY, REPORT, "plan.json"])
def test_a_dir_that_is_not_of_a_scoring_is_refused_and_left_as_it_is(pictures, tmp_path, name, force):
    theirs = tmp_path / "out" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    before = sorted(tmp_path.rglob("*"))
    assert refused(lambda: planned(pictures, tmp_path / "out", force))
    assert (theirs.read_text(), sorted(tmp_path.rglob("*"))) == ("theirs", before)


@pytest.mark.parametrize("plan", ["[]", "{}", '{"model": 1}'])
def test_another_s_plan_is_refused(pictures, tmp_path, plan):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/plan.json").write_text(plan)
    assert refused(lambda: planned(pictures, tmp_path / "out", force=True))


def test_parquet_of_others_among_the_results_is_said_before_anything_is_judged(pictures, tmp_path):
    planned(pictures, tmp_path / "out")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "out/results/x.parquet")
    assert refused(lambda: planned(pictures, tmp_path / "out"))


@pytest.mark.parametrize("folder", ["results", ".work"])
def test_results_that_are_a_link_elsewhere_are_refused(pictures, tmp_path, folder):
    planned(pictures, tmp_path / "first")
    planned(pictures, tmp_path / "out")
    (tmp_path / "out" / folder).rename(tmp_path / "moved")
    (tmp_path / "out" / folder).symlink_to(tmp_path / "first" / folder)
    assert refused(lambda: planned(pictures, tmp_path / "out", force=True))


@pytest.mark.parametrize("place", ["results/z.txt", ".work/z.txt", "results"])
def test_a_source_where_results_are_kept_is_refused(tmp_path, place):
    (tmp_path / "out/results").mkdir(parents=True)
    (tmp_path / "out/.work").mkdir()
    if place.endswith("txt"):
        (tmp_path / "out" / place).touch()
    (tmp_path / "way").symlink_to(tmp_path / "out")
    assert refused(lambda: apart(tmp_path / "out", [m.recognise(str(tmp_path / "way" / place))]))


def test_results_among_the_pictures_are_refused(pictures):
    assert refused(lambda: apart(pictures / "scored", [m.recognise(str(pictures))]))


def test_results_among_the_pictures_by_way_of_a_link_are_refused(pictures, tmp_path):
    (tmp_path / "out").mkdir()
    (pictures / "way").symlink_to(tmp_path / "out")
    apart(tmp_path / "out", [m.recognise(str(pictures))])
    assert refused(lambda: planned(pictures, tmp_path / "out"))
    planned(pictures, tmp_path / "other")


def test_csv_and_summary_are_there_wholly_or_not_at_all(pictures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    name = planned(pictures, out).parts[0].name
    write_part(path_of(out, name), unfinished(out, name), [Row("x", "a.png", error="empty")], "card")
    gathered(out / "results", out)
    before = {one: (out / one).read_bytes() for one in (CSV, SUMMARY)}
    assert json.loads(before[SUMMARY])["members"] == 1

    def killed(*_):
        raise KeyboardInterrupt

    for step in ("add", "told"):
        with monkeypatch.context() as broken:
            broken.setattr(results.Counts, step, killed)
            with pytest.raises(KeyboardInterrupt):
                gathered(out / "results", out)
        assert {one: (out / one).read_bytes() for one in (CSV, SUMMARY)} == before


def test_two_scorings_into_one_folder_are_refused(tmp_path):
    with held(tmp_path / "out"), pytest.raises(Conflict) as caught, held(tmp_path / "out"):
        pass
    assert caught.value.code == "busy"


def test_a_place_that_can_t_be_written_is_said(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(BadRequest) as caught, held(tmp_path / "out"):
        pass
    assert caught.value.code == "bad_out"
