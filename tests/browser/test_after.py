"""What follows a booking, in a browser: another time, running late; each page in each screen."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import walk
from tests.browser.system import System, look, visit, watch


def booked(
    context: BrowserContext, system: System, service: str, shop: str = "salon", *, days: int = 3
) -> Page:
    """A page of a booking that was just made, so many days ahead at least."""
    page = context.new_page()
    walk.choose_service(page, system.origin, service, shop)
    if days:
        first = datetime.now(UTC).date() + timedelta(days=days)
        page.goto(f"{page.url}?from={first}")
    walk.choose_time(page)
    walk.fill(page)
    walk.confirm(page)
    page.goto(page.url.split("?", maxsplit=1)[0])
    return page


def test_the_weeks_turn_in_place_and_her_choice_is_kept(system: System, browser: Browser) -> None:
    with visit(browser) as context:
        page = booked(context, system, "カット")
        complaints = watch(page)
        page.get_by_role("link", name="日時を変更する").click()
        page.evaluate("window.same = true")
        before = page.locator(".week .num").first.inner_text()
        page.get_by_role("link", name="次の日程").click()
        expect(page.locator(".week .num").first).not_to_have_text(before)
        assert page.evaluate("window.same") is True
        assert "/move?" in page.url
        page.locator("button[name=at]:visible").first.click()
        page.get_by_role("button", name="この日時に変更する").click()
        expect(page).to_have_url(re.compile(r"/b/[^/]+\?moved$"))
        assert complaints == []


def test_a_stay_and_the_door_have_no_fault(system: System, browser: Browser) -> None:
    faults = []
    with visit(browser, bypass_csp=True) as context:
        page = booked(context, system, "コテージ宿泊", "cottage", days=20)
        page.goto(f"{page.url}/move")
        faults += look(page, "after-move-stay")
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator("button[name=at]:visible").nth(2).click()
        expect(page.locator("button[value=move]")).to_be_visible()
        faults += look(page, "after-sure-stay")
        page.goto(f"{system.origin}/salon/account")
        faults += look(page, "after-door")
    assert faults == []
