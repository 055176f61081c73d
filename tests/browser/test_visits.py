"""Several services in one visit, in a browser: added and taken out by links, booked as one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import PICTURES, System, look, visit, watch


def add(page: Page, name: str) -> None:
    page.locator("#adding a").filter(has_text=name).first.click()
    expect(page.locator(".chosen .parts")).to_contain_text(name)


@pytest.mark.parametrize("english", [False, True] if PICTURES else [False])
def test_she_adds_and_takes_out_and_books_one_visit(system: System, browser: Browser, english: bool) -> None:
    lang, faults = ("en", list[str]()) if english else ("ja", list[str]())
    cut, colour, spa = ("Cut", "Colour", "Head spa") if english else ("カット", "カラー", "ヘッドスパ")
    with visit(browser, bypass_csp=True, english=english) as context:
        page = context.new_page()
        complaints = watch(page)
        walk.choose_service(page, system.origin, cut)
        page.goto(f"{page.url}?from={datetime.now(UTC).date() + timedelta(days=3)}")
        faults += look(page, f"visit-times-{lang}")
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate("window.same = true")
        page.locator("#adding summary").click()
        faults += look(page, f"visit-open-{lang}")
        page.set_viewport_size({"width": 390, "height": 844})
        add(page, spa)
        add(page, colour)
        expect(page.locator(".chosen a:focus")).to_have_count(1)
        assert page.evaluate("window.same") is True, "swapped in place"
        faults += look(page, f"visit-added-{lang}")
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator(".chosen .parts li").filter(has_text=spa).get_by_role("link").click()
        expect(page.locator(".chosen .parts li")).to_have_count(2)
        add(page, spa)
        page.go_back()
        expect(page.locator(".chosen .parts li")).to_have_count(2)
        page.go_forward()
        expect(page.locator(".chosen .parts li")).to_have_count(3)
        walk.choose_time(page, 3)
        faults += look(page, f"visit-who-{lang}")
        walk.fill(page)
        # What is asked of a part is asked of the visit.
        page.locator("input[name='answers.length']").first.check()
        page.locator("button[value=final]").click()
        expect(page.locator(".facts .parts li")).to_have_count(3)
        faults += look(page, f"visit-final-{lang}")
        page.locator("button[value=book]").click()
        expect(page).to_have_url(re.compile(r"/b/"))
        expect(page.locator(".facts .parts li")).to_have_text(
            [
                re.compile(f"^{each}.*¥?{yen}")
                for each, yen in ((cut, "5,500"), (spa, "1,100"), (colour, "8,800"))
            ]
        )
        expect(page.locator(".facts")).to_contain_text("15,400")
        faults += look(page, f"visit-own-{lang}")
        page.goto(page.url.split("?", maxsplit=1)[0] + "/move")
        faults += look(page, f"visit-move-{lang}")
        assert complaints == []
    assert faults == []


def test_it_needs_no_javascript(system: System, browser: Browser) -> None:
    with visit(browser, scripts=False, english=True) as context:
        page = context.new_page()
        walk.choose_service(page, system.origin, "Cut")
        page.locator("#adding summary").click()
        page.locator("#adding a").filter(has_text="Treatment").click()
        walk.choose_time(page)
        walk.fill(page)
        walk.confirm(page)
        expect(page.locator(".facts .parts li")).to_have_count(2)
