"""Every page in both themes without a fault that axe can find; by keys alone; without JavaScript; light."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import walk
from tests.browser.system import (
    HEAVIEST,
    SCREENS,
    System,
    look_once,
    picture,
    visit,
    watch,
    weigh,
    with_passkey,
)

OPEN = [
    "/",
    "/salon/",
    "/salon/legal",
    "/salon/privacy",
    "/salon/embed/",
    "/salon/embed/book/1/",
    "/salon/embed/book/999/",
    "/yoga/",
    "/court/",
    "/cottage/",
    "/ledger",
    "/nobody/",
    "/console/sign-in",
    "/console/join",
    "/operations/join",
    "/operations/sign-in",
    "/b/x",
    "/w/x",
]


@pytest.fixture(scope="module")
def staff(browser: Browser, system: System) -> Iterator[BrowserContext]:
    """Aoi of the salon, with one customer today, who is running late."""
    with visit(browser) as customers:
        page = customers.new_page()
        walk.choose_service(page, system.origin, "カット")
        walk.choose_time(page)
        walk.fill(page)
        walk.confirm(page)
        page.goto(page.url.split("?", maxsplit=1)[0])
        page.locator("button[name=minutes]").first.click()
    context = visit(browser, bypass_csp=True)
    page = context.new_page()
    with_passkey(page)
    page.goto(system.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/")
    yield context
    context.close()


def _looks(context: BrowserContext, address: str, *, wide: bool, dark: bool) -> list[str]:
    page = context.new_page()
    page.goto(address)
    found = look_once(page, f"page{urlsplit(address).path.replace('/', '-')}", wide=wide, dark=dark)
    page.close()
    return found


@pytest.mark.parametrize(("wide", "dark"), SCREENS)
def test_it_has_no_fault_on_any_open_page(system: System, browser: Browser, wide: bool, dark: bool) -> None:
    with visit(browser, bypass_csp=True, english=wide) as context:
        found = {path: _looks(context, system.origin + path, wide=wide, dark=dark) for path in OPEN}
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize(("wide", "dark"), SCREENS)
def test_it_has_no_fault_in_the_console(
    system: System, staff: BrowserContext, wide: bool, dark: bool
) -> None:
    paths = [
        "/console/",
        "/console/day",
        "/console/day?date=2026-01-01",
        "/console/customers",
        "/console/attention",
        "/console/budget",
        "/console/lists",
        "/console/hours",
        "/console/embed",
        "/console/poster",
        "/console/poster/sheet",
        "/console/bookings/9",
        "/console/why",
        "/console/why?service=1&date=2026-01-01&time=12:00",
    ]
    page = staff.new_page()
    page.goto(f"{system.origin}/console/")
    one = page.locator(".arrivals a").first.get_attribute("href") or ""
    page.goto(system.origin + one)
    history = page.get_by_role("link", name="来店の記録").get_attribute("href") or ""
    page.close()
    found = {
        p: _looks(staff, system.origin + p, wide=wide, dark=dark)
        for p in [*paths, one, f"{one}/move", history]
    }
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_it_has_no_fault_on_the_operators_page(system: System, browser: Browser) -> None:
    link = re.search(r"http\S+", system.noren("operator", "invite").stdout)
    assert link is not None
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        with_passkey(page)
        page.goto(link[0])
        page.get_by_role("button", name="パスキーを作る").click()
        expect(page).to_have_url(f"{system.origin}/operations/")
        found = [_looks(context, page.url, wide=wide, dark=dark) for wide, dark in SCREENS]
    assert [faults for faults in found if faults] == []


def test_a_stay_is_booked_without_javascript(system: System, browser: Browser) -> None:
    with visit(browser, scripts=False, english=True) as context:
        page = context.new_page()
        walk.choose_service(page, system.origin, "Cottage", "cottage")
        page.get_by_label("How many nights?").select_option("3")
        page.get_by_role("button", name="Show").click()
        walk.choose_time(page)
        walk.fill(page)
        walk.confirm(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("You are booked.")
        expect(page.get_by_text("3 nights")).to_be_visible()


def test_the_poster_is_one_sheet_of_a4(system: System, staff: BrowserContext) -> None:
    page = staff.new_page()
    page.goto(f"{system.origin}/console/poster/sheet")
    expect(page.get_by_role("button", name="印刷")).to_be_visible()
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    [box] = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert [round(float(side) / 72 * 25.4) for side in box] == [210, 297]
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="印刷")).to_be_hidden()
    picture(page, "poster-in-print")
    page.close()


def test_the_desk_is_run_by_keys_alone(system: System, staff: BrowserContext) -> None:
    page = staff.new_page()
    page.goto(f"{system.origin}/console/day")
    _tab_to(page, "a[href^='/console/why']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/why**")
    _tab_to(page, "form.ask button")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_visible()
    page.goto(f"{system.origin}/console/")
    _tab_to(page, ".arrivals a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bookings/*")
    _tab_to(page, "a[href$='/move']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/move")
    _tab_to(page, ".slots-of-day button:not(:disabled)")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/bookings/[0-9]+$"))
    expect(page.locator(".story").last).to_contain_text("日時変更")
    page.close()


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until what is wanted has the focus, as somebody without a mouse does."""
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keys")


def test_it_turns_the_week_without_a_new_page_and_back_works(system: System, browser: Browser) -> None:
    with visit(browser) as context:
        page = context.new_page()
        complaints = watch(page)
        walk.choose_service(page, system.origin, "カット")
        page.evaluate("window.same = true")
        before = page.locator(".week .num").first.inner_text()
        page.get_by_role("link", name="次の日程").click()
        expect(page.locator(".week .num").first).not_to_have_text(before)
        assert page.evaluate("window.same") is True
        assert "from=" in page.url
        page.go_back()
        expect(page.locator(".week .num").first).to_have_text(before)
        assert complaints == []


@pytest.mark.parametrize("path", ["/salon/", "/salon/book/1/", "/salon/embed/book/1/", "/court/"])
def test_it_is_light(system: System, browser: Browser, path: str) -> None:
    with visit(browser) as context:
        weight = weigh(context.new_page(), system.origin + path)
    print(f"weight{path.replace('/', '_')} {weight:.0f} bytes {HEAVIEST}")  # noqa: T201 - a figure for the reader
    assert 5_000 < weight < HEAVIEST
