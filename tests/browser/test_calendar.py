"""The calendar on a tablet: a booking is carried by mouse, finger and keys alone; time is blocked."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, look, running, visit, watch, with_passkey

TABLET = {"width": 1024, "height": 768}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon of this file's own: Mei joins here, and the days are empty."""
    folder = tmp_path_factory.mktemp("calendar")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


@pytest.fixture(scope="module")
def desk(browser: Browser, system: System) -> Iterator[BrowserContext]:
    """Mei of the salon, and one customer of tomorrow."""
    with visit(browser) as context:
        page = context.new_page()
        walk.choose_service(page, system.origin, "カット")
        there = page.url.split("?", maxsplit=1)[0]
        page.goto(f"{there}?from={day()}&day={day()}")
        slots = page.locator("button[name=at]:visible")
        slots.nth(20).click()
        walk.fill(page)
        walk.confirm(page)
    context = visit(browser, bypass_csp=True)
    page = context.new_page()
    with_passkey(page)
    page.goto(system.link("mei@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/")
    yield context
    context.close()


def day() -> str:
    return f"{datetime.now(UTC).astimezone(ZoneInfo('Asia/Tokyo')) + timedelta(days=1):%Y-%m-%d}"


@pytest.fixture
def page(desk: BrowserContext, system: System) -> Iterator[Page]:
    opened = desk.new_page()
    opened.set_viewport_size(TABLET)  # type: ignore[arg-type]
    complaints = watch(opened)
    opened.goto(f"{system.origin}/console/day?date={day()}")
    yield opened
    assert complaints == []
    opened.close()


def block(page: Page) -> Locator:
    return page.locator(".block[data-moves]").first


def starts(page: Page) -> int:
    return int(block(page).get_attribute("data-since") or "")


def middle(one: Locator) -> tuple[float, float]:
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_is_dragged_to_another_time_and_put_back(page: Page) -> None:
    before = starts(page)
    x, y = middle(block(page))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=4)
    page.mouse.move(x, y + 78, steps=8)
    expect(page.locator(".ghost")).to_be_visible()
    page.mouse.up()
    page.wait_for_url(re.compile(r"/move\?date=.*time="))
    expect(page.get_by_role("heading", name=re.compile("に移動しますか？"))).to_be_visible()
    assert look(page, "calendar-dropped") == []
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    page.get_by_role("button", name="移動する").click()
    page.wait_for_url(re.compile("/console/day.*moved="))
    expect(page.locator(".done")).to_contain_text("に変更しました。")
    assert starts(page) == before + 60
    assert look(page, "calendar-moved") == []
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    page.get_by_role("button", name="取り消して元に戻す").click()
    expect(page.locator(".done")).to_have_count(0)
    assert starts(page) == before


def test_it_is_carried_by_keys_alone(page: Page) -> None:
    before, line = starts(page), page.locator("#carry")
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.block[data-moves]')"):
            break
    page.keyboard.press("m")
    expect(line).to_contain_text("移動中です。")
    page.keyboard.press("ArrowDown")
    expect(line).to_contain_text(re.compile(r"\d+:\d\d–\d+:\d\d, "))
    page.keyboard.press("Escape")
    expect(line).to_have_text("元のままにしました。")
    expect(page.locator(".ghost")).to_have_count(0)
    page.keyboard.press("m")
    for _press in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/move\?date=.*time="))
    for _press in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.next')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/console/day.*moved="))
    assert starts(page) == before + 60
    page.locator(".done button").press("Enter")
    expect(page.locator(".done")).to_have_count(0)
    assert starts(page) == before


def test_what_has_not_begun_says_that_it_cannot_be_longer(page: Page) -> None:
    block(page).focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#carry")).to_contain_text("延長できません。")


def test_a_finger_that_rests_carries_it_and_one_that_slides_scrolls(page: Page) -> None:
    x, y = middle(block(page))
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", x, y)
    finger("touchMove", x, y - 40)
    finger("touchMove", x, y - 80)
    finger("touchEnd")
    expect(page.locator(".ghost")).to_have_count(0)
    x, y = middle(block(page))
    finger("touchStart", x, y)
    expect(page.locator(".ghost")).to_be_visible()
    for number in range(1, 7):
        finger("touchMove", x, y + number * 13)
    finger("touchEnd")
    page.wait_for_url(re.compile(r"/move\?date=.*time="))


def test_an_empty_place_is_blocked_by_dragging_and_opened_again(page: Page) -> None:
    lane = page.locator("[data-lane]").last
    field = lane.locator(".field-of-time")
    field.locator(".spot").nth(3).scroll_into_view_if_needed()
    x, y = middle(field.locator(".spot").nth(3))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 40, steps=6)
    page.mouse.up()
    page.wait_for_url(re.compile(r"/console/block\?resource="))
    assert look(page, "calendar-block") == []
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    page.get_by_role("button", name="この時間をブロックする").click()
    page.wait_for_url(re.compile("/console/day.*blocked="))
    expect(page.locator(".blocked")).to_have_count(1)
    page.locator(".blocked").click()
    page.wait_for_url(re.compile("/console/blocks/"))
    assert look(page, "calendar-block-one") == []
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    page.get_by_role("button", name="この時間をもう一度受け付ける").click()
    expect(page.locator(".blocked")).to_have_count(0)
    page.get_by_role("button", name="取り消して元に戻す").click()
    expect(page.locator(".blocked")).to_have_count(1)
    page.locator(".blocked").click()
    page.get_by_role("button", name="この時間をもう一度受け付ける").click()
    expect(page.locator(".blocked")).to_have_count(0)


def test_each_view_is_without_a_fault(page: Page, system: System) -> None:
    faults: list[str] = []
    for name in ("day", "calendar/week", "calendar/month", "calendar/list"):
        page.goto(f"{system.origin}/console/{name}?date={day()}")
        faults += look(page, f"calendar-{name.rpartition('/')[2]}")
    assert faults == []


def test_without_scripts_everything_is_a_link(desk: BrowserContext, browser: Browser, system: System) -> None:
    with browser.new_context(
        storage_state=desk.storage_state(), java_script_enabled=False, locale="ja-JP"
    ) as context:
        page = context.new_page()
        page.goto(f"{system.origin}/console/day?date={day()}")
        page.get_by_role("link", name="週", exact=True).click()
        page.locator("#of").select_option(index=1)
        page.get_by_role("button", name="表示").click()
        expect(page.locator(".weekgrid .lane-head a")).to_have_count(7)
        page.get_by_role("link", name="日", exact=True).click()
        page.get_by_role("link", name="時間をブロックする").click()
        expect(page.get_by_role("button", name="この時間をブロックする")).to_be_visible()
