"""`casting train` on drawn castings: two workers, killed after an epoch, resumed; the bundle is what serving loads."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drawing.castings import KINDS, draw
from inspection.bundle import read_card
from inspection.classifier import Classifier
from inspection.picture import Picture
from inspection.preprocessing import PREPROCESSING, prepare

CASTING = Path(sys.executable).with_name("casting")
FIRST, ALL = "epoch 1/2  100%", "epoch 2/2  100%"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run that was killed after its first epoch and started again; what both starts printed."""
    folder = tmp_path_factory.mktemp("train")
    for seed in range(60):
        casting = draw(9000 + seed, "ok" if seed % 2 else KINDS[1 + seed // 2 % 4])
        (folder / "data" / casting.label).mkdir(parents=True, exist_ok=True)
        (folder / "data" / casting.label / f"{seed}.png").write_bytes(casting.png())
    killed = started(folder)
    log = folder / "log"
    wait_for(lambda: FIRST in log.read_text() and kept(folder / "work/runs"), killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = log.read_text()
    again = started(folder)
    again.wait(300)
    return folder, before, log.read_text()[len(before) :]


def started(folder):
    command = [
        CASTING,
        "train",
        "--data",
        "data",
        "--out",
        "models/one",
        "--work",
        "work",
        "--workers",
        "2",
        "--epochs",
        "2",
    ]
    with (folder / "log").open("a") as log:
        environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment)


def kept(runs):
    """Whether Ray Train has noted a checkpoint: the line that ends an epoch comes a little earlier."""
    notes = list(runs.rglob("checkpoint_manager_snapshot.json"))
    return bool(notes) and "checkpoint_dir_name" in notes[0].read_text()


def wait_for(done, process, seconds=400):
    until = time.monotonic() + seconds
    while not done():
        assert process.poll() is None, "training ended before its time"
        assert time.monotonic() < until, "nothing happened for too long"
        time.sleep(0.2)


@pytest.mark.timeout(900)
def test_a_killed_run_goes_on_from_its_last_epoch(trained):
    _, before, after = trained
    assert FIRST in before
    # Workers outlive a killed command by some seconds, in which a second epoch of so few pictures may end.
    assert f"Going on from {FIRST}" in after or f"Going on from {ALL}" in after
    assert ALL in after
    assert not [line for line in after.splitlines() if line.startswith(FIRST)]


def test_both_workers_hold_the_same_weights(trained):
    folder, _, _ = trained
    card = json.loads((folder / "models/one/card.json").read_text())
    assert card["training"]["workers_agree"] is True
    assert card["training"]["workers"] == 2
    assert [one["epoch"] for one in card["training"]["history"]] == [1, 2]
    ends = [json.loads(path.read_text()) for path in (folder / "work/runs").rglob("rank-*.json")]
    assert len(ends) == 2
    assert ends[0]["weights"] == ends[1]["weights"]


def test_the_bundle_is_what_serving_loads(trained):
    folder, _, _ = trained
    card = read_card(folder / "models/one")
    assert card.preprocessing == PREPROCESSING
    classifier = Classifier.load(folder / "models/one")
    pixels = draw(1, "crack").pixels
    sample = prepare(Picture(pixels, 300, 300))
    (judgement,) = classifier.judge(sample.pixels[np.newaxis], sample.measures[np.newaxis])
    assert judgement.model_version == "one"
    assert 0 <= judgement.p_defect <= 1
    assert classifier.heatmap(sample).shape == (300, 300)


def test_the_engine_says_what_keras_says(trained):
    folder, _, _ = trained
    parity = json.loads((folder / "models/one/card.json").read_text())["parity"]
    assert parity["pictures"] > 0
    assert parity["greatest_logit"] < 0.1  # the engine computes in bfloat16 where the processor can


def test_no_validated_picture_was_trained_on(trained):
    folder, _, _ = trained
    (members,) = (folder / "work/prepared").glob("*/members.json")
    sums = json.loads(members.read_text())["sha256"]
    (rows,) = (folder / "work/runs").rglob("split.npz")
    parts = np.load(rows)
    held, seen = (set((folder / f"models/one/{name}.txt").read_text().split()) for name in ("held", "seen"))
    assert held == {sums[row] for row in parts["held"]}
    assert not held & {sums[row] for row in parts["train"]}
    assert seen == {one for one in sums if one} - held
