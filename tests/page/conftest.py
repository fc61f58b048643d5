"""The page in a real Chromium, against the real application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.serving import LocalJudge, running

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="session")
def judge() -> LocalJudge:
    return LocalJudge()


@pytest.fixture
def address(tmp_path: Path, judge: LocalJudge) -> Iterator[str]:
    """A running service of its own for each test."""
    with running(tmp_path, judge) as service:
        yield service.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; quiet, because it must not call home from a test.

    Playwright's synchronous API keeps a running event loop: it must end before other areas' tests need their own.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*QUIET, *CAMERA])
        yield chromium
        chromium.close()


def _speaking(browser: Browser, locale: str) -> Iterator[BrowserContext]:
    context = browser.new_context(locale=locale)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def english(browser: Browser) -> Iterator[BrowserContext]:
    yield from _speaking(browser, "en-GB")


@pytest.fixture
def korean(browser: Browser) -> Iterator[BrowserContext]:
    yield from _speaking(browser, "ko-KR")
