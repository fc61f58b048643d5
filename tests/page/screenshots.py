"""``make screenshots``: every view in light, dark and phone size into docs/screenshots, with drawn castings only.

A test module by another name, so that it is run on purpose: ``pytest tests/page/screenshots.py``.
"""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from drawing.castings import KINDS, draw

PLACE = Path(__file__).parents[2] / "docs" / "screenshots"
SIZES = {"light": (1280, 860), "dark": (1280, 860), "phone": (390, 844)}
VIEWS = ("inspect", "live", "review", "history", "today", "inspection")


@pytest.mark.parametrize("name", SIZES)
def test_screenshots(browser: Browser, address: str, name: str, tmp_path: Path) -> None:
    paths = []
    for seed in range(10):
        path = tmp_path / f"part-{seed:02}.png"
        path.write_bytes(draw(100 + seed, KINDS[seed % 5] if seed % 2 else "ok").png())
        paths.append(str(path))
        files = {"file": (path.name, path.read_bytes(), "image/png")}
        data = {"lot": f"L-{seed // 4}", "line": "AB"[seed % 2], "shift": "day", "part_id": f"P{1000 + seed}"}
        event = httpx.post(f"{address}/predict", files=files, data=data).raise_for_status().json()
    width, height = SIZES[name]
    context = browser.new_context(
        locale="ko-KR" if name == "phone" else "en-GB",
        color_scheme="dark" if name == "dark" else "light",
        viewport={"width": width, "height": height},
    )
    page = context.new_page()
    PLACE.mkdir(parents=True, exist_ok=True)
    for view in VIEWS:
        page.goto(f"{address}/#{view}" + (f"/{event['event_id']}" if view == "inspection" else ""))
        expect(page.locator("#connection[data-state=open]")).to_be_visible()
        if view == "inspect":
            page.locator("input[type=file]").first.set_input_files(paths)
            expect(page.locator("li.card .verdict")).to_have_count(len(paths))
        if view == "review":
            page.locator("#auditor").fill("Kim")
            page.keyboard.press("Enter")
        page.wait_for_timeout(700)
        page.screenshot(path=PLACE / f"{view}-{name}.png")
    context.close()
