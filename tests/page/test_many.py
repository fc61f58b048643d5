"""Five hundred pictures at once: sent in parallel, tried again while the service is full, one failed one alone."""

from pathlib import Path

import httpx
from playwright.sync_api import BrowserContext, Route, expect

from drawing.castings import KINDS, draw

COUNT = 500
DIFFERENT = 25

_WATCH = """
window.longest = 0;
new PerformanceObserver((seen) => { for (const task of seen.getEntries()) longest = Math.max(longest, task.duration); })
  .observe({ entryTypes: ["longtask"] });
"""


def _pictures(folder: Path) -> list[str]:
    drawn = [draw(seed, KINDS[seed % len(KINDS)]).jpeg() for seed in range(DIFFERENT)]
    paths = [folder / f"part-{number:03}.jpg" for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(drawn[number % DIFFERENT])
    return [str(path) for path in paths]


def test_five_hundred_files_and_a_service_that_is_full_now_and_then(
    english: BrowserContext, address: str, tmp_path: Path
) -> None:
    seen: set[str] = set()

    def sometimes_full(route: Route) -> None:
        """Every fiftieth picture is refused once as a full service does, the hundred-and-first for good."""
        key = route.request.headers["idempotency-key"]
        first = key not in seen
        seen.add(key)
        if first and len(seen) == 101:
            route.fulfill(
                status=418, json={"error": {"code": "teapot", "message": "Not this one.", "retryable": False}}
            )
        elif first and len(seen) % 50 == 0:
            error = {"code": "queue_full", "message": "Full.", "retryable": True}
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": error})
        else:
            route.continue_()

    english.add_init_script(_WATCH)
    page = english.new_page()
    page.route("**/predict", sometimes_full)
    page.goto(address)
    page.locator("input#files").set_input_files(_pictures(tmp_path))
    expect(page.get_by_text(f"{COUNT} of {COUNT} inspected")).to_be_visible(timeout=180_000)
    failed = page.locator("li.card.failed")
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("Not this one. (teapot)")
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_have_count(0)
    expect(page.locator("li.card .verdict")).to_have_count(COUNT)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) == COUNT + 1
    stored = httpx.get(f"{address}/summary").json()
    assert sum(stored["verdicts"].values()) == COUNT
    print(f"longest task of the page's thread: {page.evaluate('longest'):.0f} ms")
