"""A shop moves in: bookings come in by keyboard, the worker is killed on the way, all of it is undone."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console_walk import owner_of
from tests.browser.system import System, at_any_hour, look, looks, running, visit, watch

BOOKED = 90
HEADING = "予約日,開始時刻,メニュー,担当スタッフ,お名前,電話番号"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("movein")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


@pytest.fixture(scope="module")
def owner(browser: Browser, salon: System) -> Page:
    page = visit(browser, wide=True, bypass_csp=True).new_page()
    owner_of(salon, page)
    return page


@pytest.fixture(scope="module")
def list_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Excel in Japan writes it: Shift_JIS, phones without their zero; the last but one is taken."""
    day = date.today() + timedelta(days=3)  # noqa: DTZ011 - any day soon
    rows = []
    for number in range(BOOKED):
        at = day + timedelta(days=number // 10)
        rows.append(
            f"{at.year}/{at.month}/{at.day},{9 + number % 10}:00,前髪カット,葵,髙橋 {number},90{number:08d}"
        )
    rows.append(rows[0].replace("髙橋 0", "先約 あり").replace("9000000000", "9099999999"))
    rows.append(rows[1].replace("前髪カット", "まつげ"))
    file = tmp_path_factory.mktemp("list") / "bookings.csv"
    file.write_bytes("\r\n".join([HEADING, *rows]).encode("cp932"))
    return file


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the button is reached; then Enter."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def _kill_worker(salon: System) -> None:
    """As a crash does: at once, and nobody hears of it."""
    os.kill(salon.up.children()["worker"], signal.SIGKILL)


def test_bookings_come_in_by_keyboard_and_survive_the_worker(
    salon: System, owner: Page, list_file: Path
) -> None:
    """Looked at twice with one choice of the file, asked for, taken; the worker killed on the way."""
    complaints = watch(owner)
    owner.goto(f"{salon.origin}/console/lists/import?kind=bookings")
    assert looks(owner.context, owner.url, "movein-empty") == []
    owner.locator("#file").set_input_files(list_file)
    owner.locator("#file").focus()
    _tab_to(owner, "ファイルを確認する")
    expect(owner.locator("#seen")).to_be_visible()
    expect(owner.locator("#charset")).to_have_value("cp932")
    expect(owner.locator("#looked")).to_contain_text("まつげ")
    # The file stays chosen: only what was seen is swapped.
    owner.locator("select[name^=service-]").select_option(label="前髪カット")
    owner.locator("button[value=look]").focus()
    owner.keyboard.press("Enter")
    expect(owner.locator("#looked dd.big").first).to_have_text(str(BOOKED + 2))
    assert look(owner, "movein-looked") == []
    owner.locator("#in-words").fill("前のシステムからの移行")
    owner.locator("#in-words").press("Tab")
    owner.keyboard.press("Enter")
    expect(owner).to_have_url(re.compile(r"/console/lists/[0-9a-f]{16}$"))
    asked = owner.url
    owner.locator("#file").set_input_files(list_file)
    owner.locator("#file").focus()
    _tab_to(owner, "ファイルを取り込む")
    expect(owner).to_have_url(re.compile(r"/console/work/\d+$"))
    _kill_worker(salon)
    expect(owner.locator("#work dd.big")).to_have_text("終了", timeout=120_000)
    expect(owner.locator("#work")).to_contain_text(f"{BOOKED + 2} / {BOOKED + 2}")
    expect(owner.locator("#work")).to_contain_text("その時間は埋まっています")
    assert look(owner, "movein-done") == []
    assert not salon.mails("nobody@example.jp")
    owner.goto(f"{salon.origin}/console/work")
    assert look(owner, "movein-works") == []
    owner.goto(asked)
    assert look(owner, "movein-list") == []
    assert complaints == []


def test_all_of_it_is_undone(salon: System, owner: Page) -> None:
    owner.goto(f"{salon.origin}/console/work")
    owner.get_by_role("link").filter(has_text=re.compile(r"月|/")).first.wait_for()
    owner.locator(".works li", has_text="予約の取り込み").locator("a").first.click()
    owner.locator("summary").focus()
    owner.keyboard.press("Enter")
    owner.get_by_role("checkbox").focus()
    owner.keyboard.press("Space")
    owner.get_by_role("button", name="取り消", exact=False).focus()
    owner.keyboard.press("Enter")
    expect(owner.locator("h1")).to_have_text("予約の取り込みの取り消し")
    expect(owner.locator("#work dd.big")).to_have_text("終了", timeout=60_000)
    expect(owner.locator("#work")).to_contain_text(f"{BOOKED} / {BOOKED}")


def test_customers_come_in_and_survive_the_worker(salon: System, owner: Page, tmp_path: Path) -> None:
    """Their rows wait in the vault: the page leads to how far it is, and a killed worker loses nobody."""
    complaints = watch(owner)
    file = tmp_path / "customers.csv"
    rows = [f"移転 {number},イテン,iten{number}@example.jp" for number in range(BOOKED)]
    file.write_text("\r\n".join(["氏名,フリガナ,メール", *rows]), encoding="utf-8")
    owner.goto(f"{salon.origin}/console/lists/import")
    owner.locator("#file").set_input_files(file)
    owner.locator("button[value=look]").first.click()
    expect(owner.locator("#seen")).to_be_visible()
    owner.locator("#in-words").fill("前のシステムからの移行")
    owner.locator("button[value=ask]").click()
    expect(owner).to_have_url(re.compile(r"/console/lists/[0-9a-f]{16}$"))
    owner.locator("#file").set_input_files(file)
    _kill_worker(salon)
    owner.locator("form[enctype] button[type=submit]").click()
    expect(owner).to_have_url(re.compile(r"/console/work/\d+$"))
    expect(owner.locator("h1")).to_have_text("お客様の取り込み")
    expect(owner.locator("#work dd.big")).to_have_text("終了", timeout=120_000)
    expect(owner.locator("#work")).to_contain_text(f"{BOOKED} / {BOOKED}")
    assert look(owner, "movein-customers") == []
    assert complaints == []


def test_without_scripts_the_same_pages_lead_the_same_way(
    browser: Browser, salon: System, owner: Page, list_file: Path
) -> None:
    """On a phone: the look is a page of its own, and the file is chosen once more."""
    context = visit(browser, scripts=False)
    context.add_cookies(owner.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{salon.origin}/console/lists/import")
    page.get_by_label("これからの予約とそのお客様").check()
    page.locator("#file").set_input_files(list_file)
    page.get_by_role("button", name="ファイルを確認する").click()
    expect(page.locator("#seen")).to_be_visible()
    assert page.locator("#looked dd.big").first.inner_text() != "0"
