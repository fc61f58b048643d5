"""What people do with the page, done by a browser."""

import csv
import json
import re
import time
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from drawing.castings import KINDS, draw
from inspection.unusable import BLOWN_OUT, BLURRED, CUT_OFF, NO_CASTING, TOO_DARK
from tests.serving import LocalJudge, running

LOCALES = Path(__file__).parents[2] / "app" / "page" / "locales"
VIEWS = ("inspect", "live", "wall", "review", "history", "today")


def opened(context: BrowserContext, address: str, view: str = "inspect") -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
    page.goto(f"{address}/#{view}")
    until(page, "document.querySelector('#connection').dataset.state === 'open'")
    return page


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Drawn castings as files, as a user would choose them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    paths = []
    for seed, kind in enumerate(KINDS):
        path = folder / f"{kind}-{seed}.png"
        path.write_bytes(draw(seed, kind).png())
        paths.append(str(path))
    return paths


def test_both_tables_have_the_same_keys_and_every_key_used_is_there() -> None:
    korean, english = (json.loads((LOCALES / f"{name}.json").read_text()) for name in ("ko", "en"))
    assert korean.keys() == english.keys()
    for key in english:
        assert set(_places(korean[key])) == set(_places(english[key])), key


def test_every_error_and_reason_is_said_in_both_languages() -> None:
    told = json.loads((LOCALES / "ko.json").read_text())
    raised = re.compile(
        r"(?:BadRequest|BadPicture|Denied|NotFound|Conflict|Unavailable|InspectorError|refuse\w*)\(\s*\"(\w+)\""
        r"|\"code\": \"(\w+)\""  # HAProxy's own answer is no exception
    )
    root = LOCALES.parents[2]
    folders = ("app", "inspection", "ledger", "deployments")
    sources = [path.read_text() for folder in folders for path in (root / folder).iterdir() if path.is_file()]
    codes = {"".join(found) for source in sources for found in raised.findall(source)}
    assert len(codes) > 20
    assert "starting" in codes
    unseen = {
        "turn_over",
        "bad_name",
        "bad_role",
        "no_such_key",
        "weak_secret",
        "already_running",
        "no_service",
    }  # told by the relay, by `casting keys`, `serve` and `predict`
    assert not {code for code in codes - unseen if f"error.{code}" not in told}
    for reason in (NO_CASTING, CUT_OFF, TOO_DARK, BLOWN_OUT, BLURRED, "doubtful_score"):
        assert f"reason.{reason}" in told


def _places(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]


def test_choosing_files_inspects_them_at_once_and_shows_every_verdict(
    english: BrowserContext, address: str, pictures: list[str]
) -> None:
    page = opened(english, address)
    page.locator("input[type=file]").first.set_input_files(pictures)
    expect(page.get_by_text(f"{len(pictures)} of {len(pictures)} inspected")).to_be_visible()
    stored = httpx.get(f"{address}/inspections").json()["items"]
    assert sorted(item["filename"] for item in stored) == sorted(Path(path).name for path in pictures)
    for item in stored:
        card = page.locator("li.card", has_text=item["filename"])
        expect(card).to_have_class(f"card {item['verdict']}")
        assert item["origin"] == "page"


def test_a_broken_file_says_why_and_its_neighbours_are_judged(
    english: BrowserContext, address: str, pictures: list[str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"this is no picture")
    page = opened(english, address)
    page.locator("input[type=file]").first.set_input_files([str(broken), pictures[0]])
    expect(page.locator("li.card.failed")).to_contain_text("This is no picture of a kind that can be inspected")
    expect(page.locator("li.card:not(.failed)").locator(".verdict")).to_be_visible()
    page.get_by_role("button", name="Failed 1").click()
    expect(page.locator("li.card:visible")).to_have_count(1)
    page.get_by_role("button", name="Failed 1").click()
    expect(page.locator("li.card:visible")).to_have_count(2)


def test_another_page_sees_an_inspection_at_once(english: BrowserContext, address: str) -> None:
    watching = opened(english, address, "live")
    httpx.post(f"{address}/predict", files={"file": ("here.png", draw(3, "ok").png(), "image/png")}).raise_for_status()
    expect(watching.locator("li.card", has_text="here.png")).to_be_visible(timeout=3_000)


def test_a_score_is_shown_between_the_models_thresholds(english: BrowserContext, address: str) -> None:
    files = {"file": ("here.png", draw(3, "ok").png(), "image/png")}
    told = httpx.post(f"{address}/predict", files=files).raise_for_status().json()
    assert httpx.get(f"{address}/model").json() == {key: told[key] for key in ("model_version", "thresholds")}
    page = opened(english, address, "live")  # the feed tells no thresholds: the page asks for them
    bounds = f"OK below {told['thresholds']['ok_below']:.2f}, defect from {told['thresholds']['defect_from']:.2f}"
    score = f"{told['p_defect']:.3f}, {bounds}"
    expect(page.get_by_role("meter", name="Defect score")).to_have_attribute("aria-valuetext", score)


def until(page: Page, expression: str) -> None:
    """Wait until the expression is true; ``wait_for_function`` needs eval, which the page's policy forbids."""
    end = time.monotonic() + 20
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def defect(address: str, name: str, **part: str) -> dict[str, str]:
    """Post drawn defects until the model calls one a defect."""
    for seed in range(40):
        files = {"file": (name, draw(seed, KINDS[1 + seed % 4]).png(), "image/png")}
        event: dict[str, str] = httpx.post(f"{address}/predict", files=files, data=part).json()
        if event["verdict"] == "defect":
            return event
    raise AssertionError("no drawn defect was called one")


def test_a_defect_alerts_every_page_until_somebody_acknowledges(english: BrowserContext, address: str) -> None:
    english.grant_permissions(["notifications"], origin=address)
    english.add_init_script(
        "window.seen = []; const Real = Notification;"
        "window.Notification = class extends Real { constructor(t, o) { super(t, o); window.seen.push(t); } }"
    )
    page = opened(english, address)
    event = defect(address, "bad.png")
    expect(page.locator(".alert-bar")).to_contain_text("bad.png")
    until(page, "window.seen.length > 0")
    page.reload()
    expect(page.locator(".alert-bar")).to_contain_text("bad.png")
    other = opened(english, address, "history")
    expect(other.locator(".alert-bar")).to_contain_text("bad.png")
    page.get_by_role("button", name=re.compile("^Acknowledge")).click()
    page.locator("#person").fill("Kim")  # asked for once, because it is kept who did
    page.keyboard.press("Enter")
    expect(page.locator(".alert-bar")).to_have_count(0)
    expect(other.locator(".alert-bar")).to_have_count(0, timeout=3_000)
    seen = httpx.get(f"{address}/alerts/acknowledged").json()["items"]
    assert {one["by"] for one in seen} == {"Kim"}
    assert event["event_id"] not in [item["event_id"] for item in httpx.get(f"{address}/alerts").json()["items"]]


def test_a_page_may_watch_one_line_only(english: BrowserContext, address: str) -> None:
    page = opened(english, address, "live")
    page.get_by_label("Line").fill("B")
    page.get_by_label("Line").press("Enter")
    defect(address, "elsewhere.png", line="A")
    defect(address, "mine.png", line="B")
    expect(page.locator("li.card", has_text="mine.png")).to_be_visible()
    expect(page.locator(".alert-bar")).to_contain_text("mine.png")
    page.reload()
    expect(page.locator(".alert-bar", has_text="mine.png")).to_be_visible()
    expect(page.get_by_text("elsewhere.png")).to_have_count(0)
    page.get_by_label("Line").fill("")
    page.get_by_label("Line").press("Enter")
    expect(page.locator("li.card", has_text="elsewhere.png")).to_be_visible()


def test_who_acknowledged_what_is_shown_to_everybody(english: BrowserContext, address: str) -> None:
    page = opened(english, address, "live")
    event = defect(address, "seen.png")
    expect(page.locator(".alert-bar", has_text="seen.png")).to_be_visible()
    httpx.post(f"{address}/alerts/{event['event_id']}/ack", json={"by": "Lee"}).raise_for_status()
    expect(page.locator(".alert-bar")).to_have_count(0, timeout=3_000)
    page.get_by_text("Acknowledged lately").click()
    expect(page.get_by_role("listitem").filter(has_text="seen.png").filter(has_text="by Lee")).to_be_visible()


def test_a_defect_can_be_heard(english: BrowserContext, address: str) -> None:
    english.add_init_script(
        "window.tones = 0; const Real = AudioContext; window.AudioContext = class extends Real {"
        "createOscillator() { window.tones += 1; return super.createOscillator(); } }"
    )
    page = opened(english, address, "live")
    button = page.get_by_role("button", name="Sound on a defect")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "window.tones === 1")
    defect(address, "loud.png")
    until(page, "window.tones === 2")


def test_without_permission_the_alert_still_stands_in_the_page(english: BrowserContext, address: str) -> None:
    english.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page = opened(english, address)
    defect(address, "quiet.png")
    expect(page.locator(".alert-bar")).to_contain_text("quiet.png")
    expect(page.locator("#announced")).to_contain_text("quiet.png")
    page.get_by_role("button", name="Alerts in the page").click()
    expect(page.get_by_text("The browser blocks desktop alerts")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Sound on a defect").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Alerts by sound")).to_be_visible()


def test_many_alerts_are_one_bar_with_a_list(english: BrowserContext, address: str) -> None:
    english.add_init_script("localStorage.setItem('casting.name', 'Kim')")
    for number in range(3):
        defect(address, f"{number}.png")
    page = opened(english, address)
    page.get_by_role("button", name="Show the list").click()
    rows = page.locator(".alert-list li")
    count = rows.count()
    assert count >= 3
    rows.first.get_by_role("button").click()
    expect(rows).to_have_count(count - 1)
    page.get_by_role("button", name="Acknowledge all").click()
    expect(page.locator(".alert-bar")).to_have_count(0)
    assert httpx.get(f"{address}/alerts").json()["items"] == []


def test_the_wall_shows_what_just_came_and_its_defects(english: BrowserContext, address: str) -> None:
    page = opened(english, address, "wall")
    expect(page.locator("header")).to_be_hidden()
    event = defect(address, "there.png", line="A", part_id="P7")
    expect(page.locator(".now")).to_contain_text("Part P7", timeout=3_000)
    expect(page.locator(".now .word")).to_have_text(re.compile("Defect"))
    expect(page.locator(".alert-bar")).to_contain_text("there.png")
    assert page.locator(".now img").get_attribute("src") == f"/inspections/{event['event_id']}/image"
    page.get_by_role("link", name="Leave").click()
    expect(page.locator("header")).to_be_visible()


def test_a_page_that_knew_another_ledger_hears_this_one(english: BrowserContext, address: str) -> None:
    english.add_init_script("sessionStorage.setItem('casting.position', '900000')")
    page = opened(english, address, "live")
    httpx.post(f"{address}/predict", files={"file": ("new.png", draw(3, "ok").png(), "image/png")}).raise_for_status()
    expect(page.locator("li.card", has_text="new.png")).to_be_visible(timeout=3_000)


def test_who_comes_back_is_not_told_of_what_others_acknowledged(english: BrowserContext, address: str) -> None:
    event = defect(address, "night.png")
    for one in httpx.get(f"{address}/alerts").json()["items"]:
        httpx.post(f"{address}/alerts/{one['event_id']}/ack", json={"by": "Lee"}).raise_for_status()
    english.add_init_script("sessionStorage.setItem('casting.position', '0')")
    page = english.new_page()
    page.clock.install(time=time.time() + 8 * 3600)
    page.goto(f"{address}/#live")
    expect(page.locator("li.card", has_text="night.png").first).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.locator(".alert-bar")).to_have_count(0)
    assert page.locator("#announced").text_content() == ""
    assert event["verdict"] == "defect"


def test_a_feed_without_a_sign_of_life_is_opened_anew(english: BrowserContext, address: str) -> None:
    page = english.new_page()
    page.clock.install()
    page.goto(f"{address}/#live")
    until(page, "document.querySelector('#connection').dataset.state === 'open'")
    with page.expect_request("**/events*"):
        page.clock.run_for(41_000)


def test_the_feed_goes_on_after_the_network_was_cut(english: BrowserContext, address: str) -> None:
    page = opened(english, address, "live")
    english.set_offline(True)
    httpx.post(f"{address}/predict", files={"file": ("away.png", draw(5, "ok").png(), "image/png")}).raise_for_status()
    english.set_offline(False)
    expect(page.locator("li.card", has_text="away.png")).to_be_visible()


def test_the_camera_takes_a_picture_and_it_is_inspected(english: BrowserContext, address: str) -> None:
    english.grant_permissions(["camera"], origin=address)
    page = opened(english, address)
    page.get_by_role("button", name="Use the camera").click()
    until(page, "document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name="Take a picture").click()
    expect(page.locator("li.card .verdict")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    expect(page.locator("li.card .verdict")).to_have_count(2)
    page.get_by_label("Take one every").fill("0.5")
    page.keyboard.press("Enter")
    expect(page.locator("li.card .verdict").nth(2)).to_be_visible()
    page.get_by_role("button", name="Turn the camera off").click()


def test_a_folder_is_inspected_and_the_heat_is_laid_over_the_results(
    english: BrowserContext, address: str, pictures: list[str]
) -> None:
    page = opened(english, address)
    (Path(pictures[0]).parent / "notes.txt").write_text("no picture")
    page.locator("#folder").set_input_files(Path(pictures[0]).parent)
    expect(page.get_by_text(f"{len(pictures)} of {len(pictures)} inspected")).to_be_visible()
    defects = page.locator("li.card.defect")
    expect(defects.locator("img.heat").first).to_be_hidden()
    page.locator("#grid-heat").fill("60")
    expect(defects.locator("img.heat").first).to_be_visible()
    until(page, "[...document.querySelectorAll('.card.defect img.heat')].some((image) => image.naturalWidth > 0)")


def test_history_keeps_what_was_asked_in_its_address(english: BrowserContext, address: str) -> None:
    for number, line in enumerate("AAB"):
        files = {"file": (f"{line}{number}.png", draw(number, "ok").png(), "image/png")}
        httpx.post(f"{address}/predict", files=files, data={"line": line}).raise_for_status()
    page = opened(english, address, "history")
    page.get_by_label("Line").fill("A")
    page.get_by_text("More filters").click()
    page.get_by_label("Score to").fill("1")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("2 found in")).to_be_visible()
    kept = page.url
    page = opened(english, address)
    page.goto(kept)
    expect(page.get_by_text("2 found in")).to_be_visible()
    expect(page.get_by_label("Line")).to_have_value("A")
    with page.expect_download() as download:
        page.get_by_role("link", name="as CSV").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as kept_rows:
        assert [row["line"] for row in csv.DictReader(kept_rows)] == ["A", "A"]
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("row", name="A 2")).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(english: BrowserContext, address: str, view: str, scheme: str) -> None:
    defect(address, "axe.png")
    page = opened(english, address, view)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.wait_for_timeout(300)
    results = Axe().run(page)
    assert not results.response["violations"], results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_results_a_decision_one_inspection_and_the_dialogs(
    english: BrowserContext, address: str, pictures: list[str], tmp_path: Path, scheme: str
) -> None:
    event = defect(address, "axe.png", line="A", lot="L1")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"this is no picture")
    page = opened(english, address)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def clean() -> None:
        page.wait_for_timeout(300)
        results = Axe().run(page)
        assert not results.response["violations"], results.generate_report()

    page.locator("#files").set_input_files([str(broken), *pictures])
    expect(page.locator("li.card .verdict")).to_have_count(len(pictures))
    clean()
    page.goto(f"{address}/#review")
    page.locator("#auditor").fill("Kim")
    page.keyboard.press("Enter")
    expect(page.locator(".settle img").first).to_be_visible()
    clean()
    page.goto(f"{address}/#inspection/{event['event_id']}")
    expect(page.get_by_text("What happened")).to_be_visible()
    clean()
    page.locator("#alerts-on").click()
    expect(page.locator("#alert-settings")).to_be_visible()
    clean()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Kim").click()
    clean()


def test_what_lies_beside_the_frame_is_inspected_and_a_cleared_list_stays_clear(
    english: BrowserContext, address: str
) -> None:
    page = opened(english, address)
    for how in ("drop", "paste"):
        page.evaluate(_GIVEN, [how, f"{how}.png"])
    expect(page.locator("li.card .verdict")).to_have_count(2)
    page.get_by_role("button", name="Clear the list").click()
    expect(page.locator("li.card")).to_have_count(0)
    page.evaluate(_GIVEN, ["paste", "again.png"])
    expect(page.locator("li.card .verdict")).to_have_count(1)
    names = [item["filename"] for item in httpx.get(f"{address}/inspections").json()["items"]]
    assert sorted(names) == ["again.png", "drop.png", "paste.png"]


_GIVEN = """async ([how, name]) => {
  const blob = await (await fetch("/samples/ok-1.png")).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], name, { type: "image/png" }));
  const event = how === "drop" ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
  document.querySelector("main").dispatchEvent(event);
}"""


def test_part_data_are_kept_over_a_reload_and_recorded(english: BrowserContext, address: str) -> None:
    page = opened(english, address)
    page.get_by_label("Lot").fill("L7")
    page.get_by_label("Line").fill("A")
    page.reload()
    expect(page.get_by_label("Lot")).to_have_value("L7")
    page.locator(".sample").first.click()
    expect(page.locator("li.card")).to_contain_text("Lot L7 · Line A")
    [stored] = httpx.get(f"{address}/inspections").json()["items"]
    assert (stored["lot"], stored["line"]) == ("L7", "A")


def test_korean_is_spoken_throughout(korean: BrowserContext, address: str, pictures: list[str]) -> None:
    page = opened(korean, address)
    expect(page.get_by_role("heading", name="사진 검사")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(pictures[:2])
    expect(page.get_by_text("2장 중 2장 검사 완료")).to_be_visible()
    english, spoken = (json.loads((LOCALES / f"{language}.json").read_text()) for language in ("en", "ko"))
    foreign = {text for key, text in english.items() if " " in text and text != spoken[key] and "{" not in text}
    for view in VIEWS:
        page.goto(f"{address}/#{view}")
        page.wait_for_timeout(300)
        shown = page.locator("body").inner_text()
        assert re.search("[가-힣]", shown)
        assert not foreign & set(shown.splitlines())
    page.goto(address)
    page.locator("#language").select_option("en")
    expect(page.get_by_role("heading", name="Inspect pictures")).to_be_visible()


def test_who_needs_a_key_signs_in_and_out_and_again_when_it_is_revoked(
    english: BrowserContext, tmp_path: Path, judge: LocalJudge
) -> None:
    with running(tmp_path, judge, open_access=False) as service:
        secret = service.ledger.keys.add("inspector", "Kim")
        page = english.new_page()
        page.goto(service.address)
        page.get_by_label("Key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not known")
        assert not Axe().run(page).response["violations"]
        page.get_by_label("Key").fill(secret)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Kim (inspector)")).to_be_visible()
        until(page, "document.querySelector('#connection').dataset.state === 'open'")
        page.reload()
        expect(page.get_by_text("Kim (inspector)")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Key").fill(secret)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Kim (inspector)")).to_be_visible()
        for key in service.ledger.keys.list():
            service.ledger.keys.revoke(key.id)
        page.evaluate("location.hash = '#today'")  # not a click: the live feed may have brought the dialog up already
        expect(page.get_by_label("Key")).to_be_visible()


def test_the_http_contract_is_described_offline(english: BrowserContext, address: str) -> None:
    page = english.new_page()
    page.on("request", lambda request: request.url.startswith(address) or pytest.fail(request.url))
    page.goto(f"{address}/docs")
    expect(page.get_by_role("heading", name="POST /predict")).to_be_visible()
    assert not Axe().run(page).response["violations"]
