"""What changes while calls come in: replicas grow and shrink, a model takes over, a stalled replica is replaced."""

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.deployments.service import ROOT, Service, serving
from tests.deployments.test_line import PICTURES, Posting

NEXT = "2026.11-again"


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
        _until(lambda: len(_classifiers(service)) == 2)
    finally:
        posting.stop()
    _until(lambda: len(_classifiers(service)) == 1)
    assert not posting.failures


@pytest.mark.timeout(300)
def test_a_model_takes_over_under_load_and_no_call_fails(service: Service, models: Path) -> None:
    posting = Posting(service.url, clients=2)
    try:
        _until(lambda: len(posting.answered) > 10)
        (models / "aliases.json").write_text(json.dumps({"champion": NEXT}))
        _until(lambda: _version(service) == NEXT)
        before = len(posting.answered)
        _until(lambda: len(posting.answered) > before + 10)
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
        _until(lambda: len(posting.answered) > 3)
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


def _until(condition: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.3)
