"""Several dates at once, on a phone: the report, what she ticks, the booking, and an end to what is left."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import walk
from tests.browser.system import System, look, visit, watch


@pytest.mark.parametrize("english", [False, True])
def test_she_books_several_dates_and_cancels_what_is_left(
    system: System, browser: Browser, english: bool
) -> None:
    lang, faults = "en" if english else "ja", []
    with visit(browser, english=english, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        walk.choose_service(page, system.origin, "Court, 1 hour" if english else "コート1時間", "court")
        page.goto(f"{page.url}?from={datetime.now(UTC).date() + timedelta(days=4)}")
        walk.choose_time(page, 1)
        page.locator("a[href*='/dates?']").click()
        expect(page.locator("input[name=date]:checked")).to_have_count(4)
        # The fourth is not open yet, so far ahead.
        page.locator("#every").select_option("2")
        page.locator("form[method=get] button").click()
        expect(page.locator("input[name=date]:checked")).to_have_count(2)
        faults += look(page, f"series-report-{lang}")
        page.locator("#every").select_option("1")
        page.locator("form[method=get] button").click()
        page.locator("input[name=date]").last.press("Space")
        page.locator("button[value=hold]").click()
        faults += look(page, f"series-who-{lang}")
        walk.fill(page)
        page.locator("button[value=final]").click()
        expect(page.locator("button[value=book]")).to_be_visible()
        faults += look(page, f"series-final-{lang}")
        page.locator("button[value=book]").click()
        expect(page).to_have_url(re.compile(r"/b/"))
        faults += look(page, f"series-done-{lang}")
        page.locator("#series details summary").click()
        page.locator("#series form button").click()
        expect(page.locator("#series .state[data-status=cancelled]")).to_have_count(3)
        faults += look(page, f"series-cancelled-{lang}")
    assert complaints == []
    assert faults == []


def test_dates_of_a_class_are_ticked_without_javascript(system: System, browser: Browser) -> None:
    with visit(browser, scripts=False) as context:
        page = context.new_page()
        walk.choose_service(page, system.origin, "朝のフローヨガ", "yoga")
        page.get_by_role("link", name="複数の日をまとめて選ぶ").click()
        boxes = page.locator("input[name=date]")
        boxes.nth(1).check()
        boxes.nth(3).check()
        page.locator("button[value=hold]").click()
        walk.fill(page)
        walk.confirm(page)
        expect(page.locator("#series li")).to_have_count(2)
