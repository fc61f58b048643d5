"""Parts are settled in the browser: by keyboard alone, by two people at once, and what was decided can be changed."""

import re

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from drawing.castings import draw
from tests.page.test_page import defect, opened


def begun(context: BrowserContext, address: str, name: str) -> Page:
    page = opened(context, address, "review")
    page.locator("#auditor").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(".settle img").first).to_be_visible()
    return page


def shown(page: Page) -> str:
    """Whose picture is on the screen: an event id."""
    return (page.locator(".settle img").first.get_attribute("src") or "").split("/")[2]


def held_by(address: str, name: str) -> str:
    return str(httpx.get(f"{address}/review", params={"auditor": name}).json()["inspection"]["event_id"])


def audits(address: str, event_id: str) -> list[tuple[str, str, str | None]]:
    told = httpx.get(f"{address}/inspections/{event_id}").json()["audits"]
    return [(one["auditor"], one["true_label"], one.get("defect_type")) for one in told]


def test_a_part_is_settled_by_keyboard_alone_and_the_decision_changed(english: BrowserContext, address: str) -> None:
    defect(address, "settle.png")
    page = begun(english, address, "Kim")
    settled = shown(page)
    page.keyboard.press("3")
    expect(page.locator(".notice")).to_contain_text("settle.png. You: defect, crack. Model: defect.")
    assert audits(address, settled) == [("Kim", "def_front", "crack")]
    page.keyboard.press("z")
    expect(page.get_by_text("Decide again")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator(".notice")).to_contain_text("You and the model differ.")
    assert audits(address, settled) == [("Kim", "def_front", "crack"), ("Kim", "ok_front", None)]


def test_what_is_typed_into_a_field_decides_nothing(english: BrowserContext, address: str) -> None:
    defect(address, "typed.png")
    page = begun(english, address, "Kim")
    settled = shown(page)
    page.get_by_label("Note").fill("")
    page.get_by_label("Note").press_sequentially("odd, 3 u d")
    assert audits(address, settled) == []
    page.get_by_role("button", name=re.compile("^Can't tell")).click()
    expect(page.locator(".notice")).to_contain_text("You: can't tell.")
    told = httpx.get(f"{address}/inspections/{settled}").json()["audits"]
    assert [(one["true_label"], one["note"]) for one in told] == [("unclear", "odd, 3 u d")]


def test_two_people_never_look_at_the_same_part(english: BrowserContext, korean: BrowserContext, address: str) -> None:
    for number in range(3):
        defect(address, f"{number}.png")
    kim, lee = begun(english, address, "Kim"), begun(korean, address, "Lee")
    assert shown(kim) != shown(lee)
    taken = shown(kim)
    httpx.post(f"{address}/review/{taken}/release", params={"auditor": "Kim"}).raise_for_status()
    while (
        held := httpx.get(f"{address}/review", params={"auditor": "Park"}).json()["inspection"]["event_id"]
    ) != taken:
        httpx.post(f"{address}/review/{held}/release", params={"auditor": "Park"}).raise_for_status()
    kim.keyboard.press("d")
    expect(kim.get_by_role("alert").filter(has_text="Somebody else is looking at this part")).to_be_visible()
    assert audits(address, taken) == []


def test_a_part_that_is_left_keeps_its_place_and_a_skipped_one_loses_it(english: BrowserContext, address: str) -> None:
    for number in range(2):
        defect(address, f"{number}.png")
    page = begun(english, address, "Kim")
    oldest = shown(page)
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_text("The last 24 hours")).to_be_visible()
    assert held_by(address, "Lee") == oldest
    httpx.post(f"{address}/review/{oldest}/release", params={"auditor": "Lee"}).raise_for_status()
    assert held_by(address, "Park") != oldest


def test_a_blind_part_shows_the_verdict_only_after_the_decision(english: BrowserContext, address: str) -> None:
    for number in range(200):  # each has a chance of one in ten to be settled twice, and then blindly
        files = {"file": (f"{number}.png", draw(7, "blow_hole").png(), "image/png")}
        httpx.post(f"{address}/predict", files=files).raise_for_status()
        if httpx.get(f"{address}/review", params={"auditor": "Kim"}).json()["blind"]:
            break
        decision = {"true_label": "def_front", "auditor": "Kim"}
        httpx.post(f"{address}/inspections/{held_by(address, 'Kim')}/audit", json=decision).raise_for_status()
    page = begun(english, address, "Kim")
    expect(page.get_by_text("Please decide by the picture alone.")).to_be_visible()
    expect(page.locator(".settle .verdict, .settle .score, .settle .heat")).to_have_count(0)
    settled = shown(page)
    page.keyboard.press("u")
    expect(page.locator(".notice")).to_contain_text("Model: defect.")
    told = httpx.get(f"{address}/inspections/{settled}").json()["audits"]
    assert [one["blind"] for one in told] == [True]
    page.keyboard.press("z")
    page.keyboard.press("d")
    expect(page.locator(".notice")).to_contain_text("You: defect.")
    told = httpx.get(f"{address}/inspections/{settled}").json()["audits"]
    assert [one["blind"] for one in told] == [True, False]  # the verdict had been seen by then
    assert held_by(address, "Lee") == settled
