"""The waiting list from end to end: joined on a page, offered by the worker, told by mail, taken."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import journey
from tests.browser.journey import Way
from tests.browser.studio import Studio, offered
from tests.browser.system import System, look, visit, watch
from tests.servers import wait_for


@pytest.fixture(scope="module")
def studio(system: System) -> Studio:
    return Studio(system)


def test_it_is_offered_told_and_booked(system: System, studio: Studio, browser: Browser) -> None:
    link = offered(system, studio, 0, "jiro@example.jp")
    with visit(browser) as context:
        page = context.new_page()
        complaints = watch(page)
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("空きをお取りしています。")
        page.get_by_role("button", name="この内容で予約する").click()
        expect(page).to_have_url(re.compile(r"/b/.*\?new"))
        expect(page.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
        assert complaints == []
    wait_for(
        lambda: any("ご予約を承りました" in str(m["Subject"]) for m in system.mails("jiro@example.jp")), 40
    )


@pytest.mark.parametrize("english", [False, True])
def test_it_has_no_fault_in_any_state(
    system: System, studio: Studio, browser: Browser, english: bool
) -> None:
    mail = f"states{english}@example.jp".lower()
    link = offered(system, studio, 1 + english, mail)
    start, _ = studio.fill(3 + english)
    faults: list[str] = []
    with visit(browser, bypass_csp=True, english=english) as context:
        page = context.new_page()
        way = Way(system, page, shot=lambda name: faults.extend(look(page, name)))
        journey.wait(way, studio.service, start)
        page.locator("summary").click()
        faults += look(page, "waiting-waiting")
        page.locator("form[action$=leave] button").click()
        expect(page.locator("form[action$=leave]")).to_have_count(0)
        faults += look(page, "waiting-left")
        page.goto(link)
        faults += look(page, "waiting-offered")
        page.locator("form[action$=accept] button").click()
        page.wait_for_url("**/b/**")
        page.goto(link)
        faults += look(page, "waiting-booked")
    assert faults == []
