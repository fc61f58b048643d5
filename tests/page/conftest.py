"""The page in a real Chromium, against the real application under uvicorn: real ledger, relay and classifier."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from app.main import create_app
from app.ports import Services
from app.preparing import ThreadPreparer
from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.judgement import Judgement
from inspection.picture import MAX_PIXELS
from inspection.preprocessing import Sample
from ledger import Ledger
from streaming.relay import EmbeddedRelay

ROOT = Path(__file__).parents[2]


class LocalJudge:
    """The champion in this process."""

    def __init__(self) -> None:
        self._classifier = Classifier.load(champion(ROOT / "models"))

    async def judge(self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]) -> Sequence[Judgement]:
        return await asyncio.to_thread(self._classifier.judge, pixels, measures)

    async def heatmap(
        self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        return await asyncio.to_thread(self._classifier.heatmap, Sample(pixels, measures))

    async def model_version(self) -> str:
        return self._classifier.version


@pytest.fixture(scope="session")
def judge() -> LocalJudge:
    return LocalJudge()


@pytest.fixture
def address(tmp_path: Path, judge: LocalJudge) -> Iterator[str]:
    """A running service of its own for each test."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder()
    relay = EmbeddedRelay(ledger.outbox)
    carrying = threading.Thread(target=relay.run)
    carrying.start()
    services = Services(
        judge=judge,
        preparer=ThreadPreparer(2, MAX_PIXELS),
        recorder=recorder,
        records=ledger.records,
        outgoing=ledger.outbox,
        keys=ledger.keys,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services), host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    relay.stop()
    carrying.join()
    recorder.close()
    ledger.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; quiet, because it must not call home from a test."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def english(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def korean(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="ko-KR")
    context.set_default_timeout(20_000)
    yield context
    context.close()
