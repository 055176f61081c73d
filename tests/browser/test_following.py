"""A change over more than a hundred bookings: one answer for all, how far they are, stopped, gone on with."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console_walk import owner_of
from tests.browser.system import System, at_any_hour, look, running, visit, watch

BOOKED = 110
WAIT = 60_000
"""Milliseconds, on a busy machine."""
HEADING = "予約日,開始時刻,メニュー,担当スタッフ,お名前,電話番号"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("following")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


@pytest.fixture(scope="module")
def owner(browser: Browser, salon: System) -> Page:
    page = visit(browser, wide=True, bypass_csp=True).new_page()
    owner_of(salon, page)
    return page


def _worker(salon: System, what: signal.Signals) -> None:
    os.kill(salon.up.children()["worker"], what)


def _bring_in(salon: System, page: Page, folder: Path) -> None:
    """So many bookings of Aoi's, on eleven days, of forty customers."""
    day = date.today() + timedelta(days=3)  # noqa: DTZ011 - any day soon
    rows = []
    for number in range(BOOKED):
        at = day + timedelta(days=number // 10)
        who = f"髙橋 {number % 40},90{number % 40:08d}"
        rows.append(f"{at.year}/{at.month}/{at.day},{9 + number % 10}:00,前髪カット,葵,{who}")
    file = folder / "bookings.csv"
    file.write_text("\r\n".join([HEADING, *rows]), encoding="utf-8")
    page.goto(f"{salon.origin}/console/lists/import?kind=bookings")
    page.locator("#file").set_input_files(file)
    page.locator("button[value=look]").first.click()
    expect(page.locator("#seen")).to_be_visible(timeout=WAIT)
    page.locator("#in-words").fill("前のシステムからの移行")
    page.locator("button[value=ask]").click()
    expect(page).to_have_url(re.compile(r"/console/lists/[0-9a-f]{16}$"), timeout=WAIT)
    page.locator("#file").set_input_files(file)
    page.locator("form[enctype] button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/console/work/\d+$"), timeout=WAIT)
    expect(page.locator("#work dd.big")).to_have_text("終了", timeout=120_000)
    expect(page.locator("#work")).to_contain_text(f"{BOOKED} / {BOOKED}", timeout=WAIT)


def test_many_bookings_follow_stop_and_go_on(salon: System, owner: Page, tmp_path: Path) -> None:
    """Who serves them is taken out of booking; it is stopped while the worker stands, goes on, and dies."""
    complaints = watch(owner)
    _bring_in(salon, owner, tmp_path)
    owner.goto(f"{salon.origin}/console/hours")
    row = owner.locator("form.line", has_text="葵")
    row.get_by_role("button").click()
    expect(owner.locator(".notice h2")).to_contain_text(f"{BOOKED}件", timeout=WAIT)
    owner.locator("#choice-all").select_option("cancel")
    assert look(owner, "following-asked") == []
    owner.locator("#tell").uncheck()
    _worker(salon, signal.SIGSTOP)
    try:
        owner.locator("main form button[type=submit]").first.click()
        expect(owner).to_have_url(re.compile(r"/console/changes/\d+$"), timeout=WAIT)
        expect(owner.locator("#work")).to_contain_text(f"0 / {BOOKED}", timeout=WAIT)
        assert look(owner, "following-runs") == []
        owner.get_by_role("button", name="止める").click()
        expect(owner.locator("#work dd.big")).to_have_text("停止中", timeout=WAIT)
    finally:
        _worker(salon, signal.SIGCONT)
    expect(owner.locator("#left ~ ol > li").first).to_contain_text("取り消し予定", timeout=WAIT)
    assert look(owner, "following-stopped") == []
    here = owner.url
    owner.goto(f"{salon.origin}/console/attention")
    assert look(owner, "following-attention") == []
    owner.goto(here)
    owner.get_by_role("button", name="続ける").click()
    _worker(salon, signal.SIGKILL)
    expect(owner.locator("#work dd.big")).to_have_text("終了", timeout=180_000)
    expect(owner.locator("#work")).to_contain_text(f"{BOOKED} / {BOOKED}", timeout=WAIT)
    assert look(owner, "following-done") == []
    owner.goto(f"{salon.origin}/console/attention")
    expect(owner.locator("main")).not_to_contain_text("取り消し予定", timeout=WAIT)
    assert complaints == []
