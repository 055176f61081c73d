"""The day at the desk on a tablet: somebody is away with seven bookings, and one button settles them all."""

import re
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import System, look, visit, watch, with_passkey

TABLET = {"width": 1024, "height": 768}
SEVEN = 7


def signed_in(page: Page, system: System) -> None:
    with_passkey(page)
    page.goto(system.link("ritsu@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/")


def booked_with(browser: Browser, system: System, on: str, staff: str) -> None:
    """Seven customers of one day, each having asked for her."""
    with visit(browser) as context:
        page = context.new_page()
        for number in range(SEVEN):
            walk.choose_service(page, system.origin, "カット")
            there = page.url.split("?", maxsplit=1)[0]
            page.goto(f"{there}?staff={staff}&from={on}&day={on}")
            page.locator("button[name=at]:visible").first.click()
            walk.fill(page)
            page.locator("input[name=mail]").fill(f"kyaku{number}@example.jp")
            walk.confirm(page)


def test_seven_bookings_of_who_is_away_are_settled(
    system: System, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    tomorrow = (datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(days=1)).date()
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        signed_in(page, system)
        page.goto(f"{system.origin}/console/away?date={tomorrow}")
        faults = look(page, "away-who")
        staff = re.search(r"staff=(\d+)", page.locator("main .actions a").first.get_attribute("href") or "")
        assert staff is not None
        booked_with(browser, system, f"{tomorrow}", staff[1])
        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        complaints = watch(page)
        page.goto(f"{system.origin}/console/day?date={tomorrow}")
        begun, clicks = time.monotonic(), 0
        page.locator(".lane-head a").first.click()
        clicks += 1
        expect(page.locator(".away > li")).to_have_count(SEVEN)
        faults += look(page, "away")
        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        for line in page.locator(".away select").all():
            # Keys alone: the next choice is the same time with somebody else.
            line.focus()
            line.press("ArrowDown")
        page.get_by_role("button", name="まとめて実行する").press("Enter")
        clicks += 1
        expect(page.get_by_role("status").locator("li")).to_have_count(SEVEN)
        taken = time.monotonic() - begun
        expect(page.locator(".away > li")).to_have_count(0)
        faults += look(page, "away-done")
        other = context.new_page()
        page.goto(f"{system.origin}/console/")
        other.goto(f"{system.origin}/console/")
        page.bring_to_front()
        page.get_by_role("button", name="本日のオンライン予約を停止する").click()
        expect(page.get_by_text("本日のオンライン予約は停止中です。")).to_be_visible()
        other.bring_to_front()
        expect(other.get_by_text("本日のオンライン予約は停止中です。")).to_be_visible(timeout=2500)
        page.bring_to_front()
        faults += look(page, "today-stopped")
        page.get_by_role("button", name="オンライン予約を再開する").click()
        expect(page.get_by_text("本日のオンライン予約は停止中です。")).to_have_count(0)
    with capsys.disabled():
        sys.stdout.write(f"\nseven bookings of who is away: {clicks} clicks, {taken:.1f} s\n")
    assert clicks == 2
    assert complaints == []
    assert faults == []
