"""Somebody new, added by keys alone and booked; a day off, asked for on a phone and accepted at a desk."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import (
    DESK,
    PHONE,
    System,
    at_any_hour,
    look,
    running,
    visit,
    watch,
    with_passkey,
)

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon of this file's own: its owner and one who serves join here."""
    with running(at_any_hour(tmp_path_factory.mktemp("shops"))) as started:
        yield started


def signed_in(page: Page, system: System, who: str) -> None:
    with_passkey(page)
    page.bring_to_front()
    page.goto(system.link(f"{who}@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/", timeout=20_000)


def write(page: Page, label: str, text: str) -> None:
    """Fill a field that is reached by its label, and leave it by the keyboard."""
    field = page.get_by_label(label).first
    field.focus()
    field.fill(text)
    field.press("Tab")


def booked_with(page: Page, system: System, on: str, staff: str, number: int) -> None:
    walk.choose_service(page, system.origin, "カット")
    there = page.url.split("?", maxsplit=1)[0]
    page.goto(f"{there}?staff={staff}&from={on}&day={on}")
    page.locator("button[name=at]:visible").nth(2 * number).click()
    walk.fill(page, mail=f"shift{number}@example.jp")
    walk.confirm(page)


@pytest.fixture(scope="module")
def manager(system: System, browser: Browser) -> Iterator[Page]:
    """The salon's owner at her desk."""
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        signed_in(page, system, "aoi")
        yield page


@pytest.fixture(scope="module")
def later() -> date:
    """A day in the week after the next."""
    return datetime.now(UTC).astimezone(TOKYO).date() + timedelta(days=9)


def at_the_desk(page: Page, name: str) -> list[str]:
    """Look at a page in each screen, and go on at the desk's."""
    faults = look(page, name)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    return faults


def test_somebody_new_is_added_by_keys_alone_and_booked(
    system: System, browser: Browser, manager: Page, later: date
) -> None:
    complaints, faults = watch(manager), []
    manager.goto(f"{system.origin}/console/staff")
    manager.get_by_role("link", name="スタッフを追加する").press("Enter")
    write(manager, "お客様に表示する名前", "玲奈")
    write(manager, "最初の日", f"{later - timedelta(days=9)}")
    write(manager, "短い名前", "rena")
    faults += at_the_desk(manager, "staff-new")
    manager.get_by_role("button", name="保存する", exact=True).press("Enter")
    expect(manager.get_by_role("status")).to_contain_text("保存しました")
    faults += at_the_desk(manager, "staff")
    manager.get_by_role("link", name="玲奈", exact=True).press("Enter")
    expect(manager).to_have_url(re.compile(r"/staff/\d+"))
    staff = re.search(r"/staff/(\d+)", manager.url)
    assert staff is not None
    faults += at_the_desk(manager, "staff-one")
    manager.get_by_role("link", name="週のシフト").press("Enter")
    manager.get_by_label("毎週この時間").focus()
    manager.keyboard.press("Space")
    for day in ("月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"):
        write(manager, day, "10:00-15:00")
    faults += at_the_desk(manager, "pattern")
    manager.get_by_role("button", name="保存する", exact=True).press("Enter")
    expect(manager.get_by_role("status")).to_contain_text("保存しました")
    with visit(browser) as context:
        booked_with(context.new_page(), system, f"{later}", staff[1], 0)
    manager.goto(f"{system.origin}/console/day?date={later}")
    expect(manager.locator("body")).to_contain_text("玲奈")
    assert complaints == []
    assert faults == []


def test_a_line_is_dragged_to_its_place_and_goes_back_by_a_key(system: System, manager: Page) -> None:
    manager.goto(f"{system.origin}/console/staff")
    names, lines = manager.locator(".ranked .when"), manager.locator(".ranked li")
    last = names.last.inner_text()
    lines.last.drag_to(lines.first, target_position={"x": 20, "y": 4})
    expect(names.first).to_have_text(last)
    lines.first.get_by_role("button", name="後ろへ").press("Enter")
    expect(names.nth(1)).to_have_text(last)


def test_a_day_off_is_asked_for_on_a_phone_and_accepted_at_a_desk(
    system: System, browser: Browser, manager: Page, later: date
) -> None:
    """Two bookings are touched, and what is free instead is looked at."""
    manager.goto(f"{system.origin}/console/staff")
    line = manager.locator(".ranked li", has=manager.get_by_role("link", name="律"))
    ritsu = (line.get_attribute("id") or "").removeprefix("staff-")
    with visit(browser, bypass_csp=True) as phone:
        customer, hers = phone.new_page(), phone.new_page()
        for number in (0, 1):
            booked_with(customer, system, f"{later}", ritsu, number)
        signed_in(hers, system, "ritsu")
        complaints, faults = watch(hers), []
        hers.goto(f"{system.origin}/console/me")
        hers.set_viewport_size(PHONE)  # type: ignore[arg-type]
        hers.get_by_label("最初の日").fill(f"{later}")
        hers.get_by_role("button", name="申請する", exact=True).click()
        expect(hers.get_by_role("status")).to_contain_text("保存しました")
        expect(hers.get_by_text("回答待ち")).to_be_visible()
        faults += look(hers, "me")
        manager.bring_to_front()
        manager.goto(f"{system.origin}/console/requests")
        faults += at_the_desk(manager, "requests")
        manager.get_by_role("button", name="承認する").press("Enter")
        expect(manager.get_by_text("まだ何も保存していません")).to_be_visible()
        expect(manager.locator("ol.touched > li")).to_have_count(2)
        faults += at_the_desk(manager, "requests-touched")
        manager.get_by_role("button", name="保存して、代わりの空きを見る").press("Enter")
        expect(manager).to_have_url(re.compile(r"/console/away\?staff="))
        expect(manager.locator(".away > li")).to_have_count(2)
        for select in manager.locator(".away select").all():
            select.focus()
            select.press("ArrowDown")
        manager.get_by_role("button", name="まとめて実行する").press("Enter")
        expect(manager.get_by_role("status").locator("li")).to_have_count(2)
        hers.goto(f"{system.origin}/console/me")
        expect(hers.get_by_text("承認済み")).to_be_visible()
    assert complaints == []
    assert faults == []


@pytest.mark.parametrize("path", ["shifts", "resources", "resources/new", "holidays", "members"])
def test_it_looks_right_in_each_screen(system: System, manager: Page, path: str) -> None:
    manager.goto(f"{system.origin}/console/{path}")
    assert look(manager, path.replace("/", "-")) == []
