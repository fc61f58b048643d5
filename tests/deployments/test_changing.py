"""What changes while calls come in: replicas grow and shrink, a model takes over, a stalled replica is replaced."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.deployments.service import ROOT, Service, serving
from tests.deployments.test_line import PICTURES, Posting
from tests.services.daemon import wait

NEXT = "2026.11-again"
PATIENCE = 180.0  # seconds


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The champion, and the same network under another version."""
    models = tmp_path_factory.mktemp("models") / "models"
    shutil.copytree(ROOT / "models", models)
    champion = json.loads((models / "aliases.json").read_text())["champion"]
    shutil.copytree(models / champion, models / NEXT)
    card = json.loads((models / NEXT / "card.json").read_text())
    (models / NEXT / "card.json").write_text(json.dumps({**card, "version": NEXT}))
    return models


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Service]:
    settings = {
        "CASTING_CLASSIFIER_MAX_REPLICAS": "2",
        "CASTING_SCALE_UP_SECONDS": "1",
        "CASTING_SCALE_DOWN_SECONDS": "2",
    }
    with serving(tmp_path_factory.mktemp("changing") / "var", CASTING_MODELS=str(models), **settings) as made:
        yield made


@pytest.mark.timeout(400)
def test_replicas_follow_what_waits(service: Service) -> None:
    assert len(_classifiers(service)) == 1
    posting = Posting(service.url, clients=12)
    try:
        wait(lambda: len(_classifiers(service)) == 2, "a second classifier", PATIENCE)
    finally:
        posting.stop()
    wait(lambda: len(_classifiers(service)) == 1, "the second classifier's end", PATIENCE)
    assert not posting.failures


@pytest.mark.timeout(300)
def test_a_model_takes_over_under_load_and_no_call_fails(service: Service, models: Path) -> None:
    posting = Posting(service.url, clients=2)
    try:
        wait(lambda: len(posting.answered) > 10, "an answer", PATIENCE)
        (models / "aliases.json").write_text(json.dumps({"champion": NEXT}))
        wait(lambda: _version(service) == NEXT, "the next model", PATIENCE)
        before = len(posting.answered)
        wait(lambda: len(posting.answered) > before + 10, "an answer", PATIENCE)
    finally:
        posting.stop()
    assert not posting.failures


@pytest.mark.timeout(400)
def test_a_stalled_classifier_is_replaced(service: Service) -> None:
    stalled = _classifiers(service)
    for process in stalled:
        process.send_signal(signal.SIGSTOP)
    posting = Posting(service.url, clients=1)
    try:
        wait(lambda: len(posting.answered) > 3, "an answer", PATIENCE)
    finally:
        posting.stop()
    assert {process.pid for process in _classifiers(service)} - {process.pid for process in stalled}


def _classifiers(service: Service) -> list[psutil.Process]:
    children = psutil.Process(service.process.pid).children(recursive=True)
    found = []
    for child in children:
        try:
            if "ServeReplica:casting:classifier" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def _version(service: Service) -> object:
    return service.client.post(f"{service.url}/predict", files={"file": ("a.png", PICTURES[0])}).json()["model_version"]
