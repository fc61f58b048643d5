"""``make screenshots``: every view in light, dark and phone size into docs/screenshots, with drawn castings only.

A test module by another name, so that it is run on purpose: ``pytest tests/page/screenshots.py``. The phone speaks
Korean: it needs a font for it (Debian: fonts-noto-cjk).
"""

import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from drawing.castings import KINDS, draw
from inspection.events import Event, timestamp, uuid7
from inspection.record import Draft, Entry
from ledger import Ledger
from tests.page.test_page import until
from tests.serving import LocalJudge, running

PLACE = Path(__file__).parents[2] / "docs" / "screenshots"
SIZES = {"light": (1280, 860), "dark": (1280, 860), "phone": (390, 844)}
VIEWS = ("inspect", "live", "wall", "review", "history", "today", "inspection")


def _day_before(ledger: Ledger) -> None:
    """A day's inspections without pictures, for history and charts; their alerts are acknowledged."""
    chance = random.Random(3)
    begin = datetime.now(UTC) - timedelta(hours=24)
    recorder = ledger.recorder(second_look=0.1)
    events = []
    for minute in range(0, 24 * 60 - 20, 2):
        line = chance.choice("AAB")
        bad = chance.random() < (0.02 if line == "A" else 0.06)
        doubtful = chance.random() < 0.015
        event = Event(
            kind="inspection",
            event_id=uuid7(),
            occurred_at=timestamp(begin + timedelta(minutes=minute)),
            request_id=uuid7(),
            origin="api",
            filename=f"cast-{minute:04}.jpeg",
            model_version="2026.11",
            prediction="def_front" if bad else "ok_front",
            verdict="defect" if bad else "review" if doubtful else "ok",
            reasons=(),
            p_defect=chance.uniform(0.9, 1) if bad else chance.uniform(0.2, 0.6) if doubtful else chance.random() ** 6,
            latency_ms=chance.uniform(12, 40),
            part_id=f"P{2000 + minute}",
            lot=f"L-{minute // 240}",
            line=line,
            shift=("night", "day", "late")[minute // 480],
        )
        events.append(event)
    recorder.submit(Entry(tuple(Draft(event) for event in events), lambda _: b"")).result()
    recorder.close()
    ledger.records.acknowledge([event.event_id for event in events if event.verdict == "defect"], "Lee")


def _parts(address: str, folder: Path) -> tuple[list[str], str]:
    """Ten drawn parts, inspected now; their files and the last defect's id."""
    paths = []
    last = ""
    for seed in range(10):
        path = folder / f"part-{seed:02}.png"
        path.write_bytes(draw(100 + seed, KINDS[seed % 5] if seed in (3, 7, 9) else "ok").png())
        paths.append(str(path))
        files = {"file": (path.name, path.read_bytes(), "image/png")}
        data = {"lot": f"L-{seed // 4}", "line": "AB"[seed % 2], "shift": "day", "part_id": f"P{1000 + seed}"}
        event = httpx.post(f"{address}/predict", files=files, data=data).raise_for_status().json()
        last = event["event_id"] if event["verdict"] == "defect" else last
    return paths, last


def _act(page: Page, view: str, paths: list[str]) -> None:
    if view == "inspect":
        for field, value in (("lot", "L-12"), ("line", "A"), ("shift", "day"), ("operator", "Kim")):
            page.locator(f".part [name={field}]").fill(value)
        page.locator("#files").set_input_files(paths)
        until(page, f"document.querySelectorAll('li.card .verdict').length === {len(paths)}")
        page.locator("#grid-heat").fill("70")
    if view == "review":
        page.locator("#auditor").fill("Kim")
        page.keyboard.press("Enter")


@pytest.mark.parametrize("name", SIZES)
def test_screenshots(browser: Browser, judge: LocalJudge, name: str, tmp_path: Path) -> None:
    assert subprocess.run(["fc-list", ":lang=ko"], capture_output=True).stdout, "a Korean font is needed"
    width, height = SIZES[name]
    with running(tmp_path, judge) as service:
        _day_before(service.ledger)
        paths, last = _parts(service.address, tmp_path)
        context = browser.new_context(
            locale="ko-KR" if name == "phone" else "en-GB",
            color_scheme="dark" if name == "dark" else "light",
            viewport={"width": width, "height": height},
        )
        page = context.new_page()
        PLACE.mkdir(parents=True, exist_ok=True)
        for view in VIEWS:
            page.goto(f"{service.address}/#{view}" + (f"/{last}" if view == "inspection" else ""))
            until(page, "document.querySelector('#connection').dataset.state === 'open'")
            _act(page, view, paths)
            page.mouse.move(0, 0)
            page.wait_for_timeout(1500)
            page.screenshot(path=PLACE / f"{view}-{name}.png")
        context.close()
