"""Reception books with a stopwatch in hand: clicks are counted, and each page is looked at."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, look, running, visit, watch, with_passkey

TABLET = {"width": 1024, "height": 768}


class Stopwatch:
    """Counts the clicks after the name, and the seconds."""

    def __init__(self) -> None:
        self.clicks, self.begun = 0, time.monotonic()

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def stop(self, what: str, most: int) -> None:
        print(f"{what}: {self.clicks} clicks, {time.monotonic() - self.begun:.1f} s")  # noqa: T201 - the stopwatch
        assert self.clicks <= most
        assert time.monotonic() - self.begun < 20


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("shop"))) as started:
        yield started


def _customer(salon: System, browser: Browser) -> None:
    """Somebody who has been here before."""
    with visit(browser) as context:
        page = context.new_page()
        walk.choose_service(page, salon.origin, "カット")
        walk.choose_time(page, 3)
        walk.fill(page)
        walk.confirm(page)
        salon.mail("hanako@example.jp")


def test_reception_books_with_few_clicks(salon: System, browser: Browser) -> None:
    _customer(salon, browser)
    faults: list[str] = []
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        with_passkey(page)
        page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
        page.get_by_role("button", name="パスキーを作る").click()
        page.wait_for_url(re.compile("/console/$"))

        def seen(name: str) -> None:
            faults.extend(look(page, name))
            page.set_viewport_size(TABLET)  # type: ignore[arg-type]

        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        _known(page, seen)
        _new(page, seen)
        _walk_in(page, seen)
        _time_goes_by(page, seen)
        page.get_by_role("link", name="電話連絡").click()
        seen("desk-calls")
        page.get_by_role("link", name="カレンダー").click()
        page.locator(".spot").first.hover()
        seen("desk-day")
        page.locator(".spot").first.click()
        expect(page).to_have_url(re.compile(r"/console/new\?date=.*time="))
        page.get_by_role("button", name="English").click()
        page.get_by_role("link", name="Walk-in now").click()
        seen("desk-walk-in-en")
        assert complaints == []
    assert faults == []


def _time_goes_by(page: Page, seen: Callable[[str], None]) -> None:
    """On an open screen the line of now moves, and who has not come is named, without a new page."""
    page.clock.install()
    page.get_by_role("link", name="カレンダー").click()
    line = page.locator(".daygrid .now").first
    at = "(one) => Number(one.dataset.h) * 60 + Number(one.dataset.m)"
    before = line.evaluate(at)
    page.clock.fast_forward("30:00")
    expect(line).to_have_attribute("data-m", str((before + 30) % 60))
    assert line.evaluate(at) == before + 30
    page.get_by_role("link", name="今日", exact=True).first.click()
    page.locator(".gaps summary").click()
    seen("desk-today")
    late = page.locator("[data-due]").first
    expect(late).to_be_hidden()
    page.clock.fast_forward("23:00:00")
    expect(late).to_have_text("未来店")
    expect(late).to_be_visible()


def _known(page: Page, seen: Callable[[str], None]) -> None:
    """By kana, with the keyboard, and then two clicks."""
    page.get_by_role("link", name="新しい予約").click()
    seen("desk-find")
    watched = Stopwatch()
    page.keyboard.type("やまだ")
    page.keyboard.press("Enter")
    expect(page.locator(".arrivals a:focus")).to_contain_text("山田 花子")
    watched.click(page.locator(".arrivals a").first)
    watched.click(page.locator("button[name=pick]:visible").first)
    expect(page.get_by_role("heading", name="予約しました。")).to_be_visible()
    watched.stop("known, by phone", 2)
    seen("desk-booked")
    page.get_by_role("button", name="取り消して元に戻す").click()
    expect(page.locator(".top .state")).to_have_attribute("data-status", "cancelled")
    page.go_back()
    page.go_back()
    seen("desk-known")


def _new(page: Page, seen: Callable[[str], None]) -> None:
    """Who is not known: her name and phone, a service, a time."""
    page.get_by_role("link", name="新しい予約").click()
    watched = Stopwatch()
    page.locator("#query").fill("新田 はじめ")
    page.keyboard.press("Enter")
    watched.click(page.get_by_role("button", name="新しいお客様"))
    expect(page.locator("#id_name")).to_have_value("新田 はじめ")
    page.locator("#id_phone").fill("03-1234-5678")
    page.locator("#service").select_option(index=1)
    watched.click(page.get_by_role("button", name="時間を表示"))
    seen("desk-new")
    watched.click(page.locator("button[name=pick]:visible").last)
    expect(page.get_by_role("heading", name="予約しました。")).to_be_visible()
    watched.stop("new, by phone", 3)
    page.get_by_role("link", name="別の方が来店").click()
    seen("desk-instead")


def _walk_in(page: Page, seen: Callable[[str], None]) -> None:
    """One tap; then the next visit, and what was paid."""
    page.get_by_role("link", name="新しい予約").click()
    page.get_by_role("link", name="いま来店した方").click()
    seen("desk-walk-in")
    watched = Stopwatch()
    watched.click(page.locator("button[name=pick]:visible").first)
    expect(page.locator(".top .state")).to_have_attribute("data-status", "checked_in")
    watched.stop("walk-in", 1)
    seen("desk-here")
    watched = Stopwatch()
    watched.click(page.locator("button[name=pick]:visible").first)
    expect(page.get_by_role("heading", name="予約しました。")).to_be_visible()
    watched.stop("next visit", 1)
