"""Notices in browsers: written and agreed to by the keyboard alone, read, proved, corrected."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from noren_verify.__main__ import main as verify
from tests.browser.system import PICTURES, System, at_any_hour, axe, looks, picture, running, visit, watch
from tests.browser.test_operators import _first_operator, _second_operator

NAME = "2026-11-leak"
WORDS = {
    "ja-title": "予約データへの不正アクセスについて",
    "en-title": "Unauthorised access to booking data",
    "ja-happened": "11月27日、第三者が管理画面に入りました。\n入口はすでに閉じています。",
    "en-happened": "On 27 November somebody came into an admin page.\nThat door is closed.",
    "ja-whose": "三店舗のご予約のお名前とメールアドレスです。カード番号は含まれません。",
    "en-whose": "Names and mail addresses of bookings at three shops. No card numbers.",
    "ja-unaffected": "ほかの店舗のデータには触れられていません。台帳の記録で確かめました。",
    "en-unaffected": "No other shop's data were touched. The ledger's entries show it.",
    "ja-advice": "お心当たりのないメールのリンクを開かないでください。",
    "en-advice": "Please open no links in mails that you did not expect.",
    "ja-unknown": "いつ入口が見つけられたかは、まだ分かっていません。",
    "en-unknown": "When the door was found is not known yet.",
    "ja-contact": "窓口（報道関係を含む）: press@noren.example",
    "en-contact": "Desk, also for the press: press@noren.example",
}


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("news")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _tab_to(page: Page, selector: str) -> None:
    """By the keyboard alone."""
    for _ in range(150):
        if page.evaluate("one => document.activeElement?.matches(one) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by the keyboard")


def _press(page: Page, selector: str) -> None:
    _tab_to(page, selector)
    page.keyboard.press("Enter")


def _write(page: Page, selector: str, words: str) -> None:
    _tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(words)


def _draft(salon: System, first: Page) -> None:
    """Begun, filled, seen as the public will, asked for."""
    first.goto(f"{salon.origin}/operations/news")
    _write(first, "#notice", NAME)
    _press(first, "button[value=new]")
    expect(first).to_have_url(re.compile(r"/drafts/\d+$"))
    later = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=6)
    _tab_to(first, "#next")
    first.locator("#next").fill(later.strftime("%Y-%m-%dT%H:%M"))
    _write(first, "#most", "1200")
    for name, words in WORDS.items():
        first.locator(f"#{name}").focus()
        first.keyboard.insert_text(words)
    _press(first, "button[value=preview]")
    expect(first).to_have_url(re.compile(r"/preview$"))
    assert looks(first.context, first.url.removesuffix("/preview"), "news-draft") == []
    _press(first, "button[value=ask]")
    expect(first).to_have_url(re.compile(r"/asked/[0-9a-f]{16}$"))


def _agreed(salon: System, second: Page) -> None:
    """The other one finds it, reads it, and agrees with her passkey."""
    second.goto(f"{salon.origin}/operations/news")
    _press(second, "a[href*='/asked/']")
    expect(second.locator("main")).to_contain_text("まさにこの文を承認しますか")
    assert looks(second.context, second.url, "news-asked") == []
    _press(second, "form[data-passkey] button")
    expect(second).to_have_url(re.compile(rf"/news/{NAME}/1$"))


def _read(salon: System, browser: Browser, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The public: both languages, two files that verify, a mail with a link."""
    with visit(browser, bypass_csp=True) as readers:
        page = readers.new_page()
        complaints = watch(page)
        page.goto(f"{salon.origin}/news")
        assert axe(page) == []
        _press(page, f"a[href='/news/{NAME}']")
        expect(page.locator("h1")).to_contain_text("予約データへの不正アクセスについて")
        expect(page.locator("#en-1")).to_be_hidden()
        _press(page, ".tongue a")
        expect(page.locator("#en-1")).to_be_visible()
        assert axe(page) == []
        assert looks(readers, f"{salon.origin}/news/{NAME}", "news-notice") == []
        assert looks(readers, f"{salon.origin}/news/check", "news-check") == []
        page.goto(f"{salon.origin}/news/{NAME}")
        _press(page, "details.proof summary")
        for number in range(2):
            with page.expect_download() as begun:
                page.locator("details.proof .files a").nth(number).click()
            begun.value.save_as(folder / begun.value.suggested_filename)
        key = page.request.get(f"{salon.origin}/ledger/vkey").text().strip()
        assert verify(["notice", str(folder), "--key", key]) == 0
        assert "by two operators" in capsys.readouterr().out
        _write(page, "#reader-mail", "yomu@example.jp")
        _press(page, ".readers button")
        expect(page.locator("main")).to_contain_text("メールをご確認ください")
        page.goto(salon.link("yomu@example.jp", r"/news/mail/\S+"))
        assert axe(page) == []
        _press(page, "button[value=confirm]")
        expect(page.locator("main")).to_contain_text("これから、お知らせをメールでお送りします")
        assert complaints == []


def _corrected(salon: System, browser: Browser, first: Page, second: Page) -> None:
    """A slip is mended for all to see, and the reader is told of it."""
    first.goto(f"{salon.origin}/operations/news")
    assert axe(first) == []
    _press(first, "button[value=correct]")
    expect(first).to_have_url(re.compile(r"/drafts/\d+$"))
    _write(first, "#ja-whose", WORDS["ja-whose"].replace("三店舗", "四店舗"))
    _write(first, "#en-whose", WORDS["en-whose"].replace("three", "four"))
    _press(first, "button[value=preview]")
    expect(first.locator("ins").first).to_be_visible()
    _press(first, "button[value=ask]")
    expect(first).to_have_url(re.compile(r"/asked/[0-9a-f]{16}$"))
    second.goto(first.url)
    _press(second, "form[data-passkey] button")
    expect(second).to_have_url(re.compile(rf"/news/{NAME}/1$"))
    with visit(browser, bypass_csp=True) as readers:
        page = readers.new_page()
        page.goto(f"{salon.origin}/news/{NAME}?lang=en")
        expect(page.locator(".correction ins[lang], .correction [lang=en] ins")).to_have_text("four")
        assert looks(readers, page.url, "news-corrected") == []
        if PICTURES:
            page.emulate_media(media="print")
            picture(page, "news-print")
    told = salon.mail("yomu@example.jp", 2)
    assert "訂正" in str(told["Subject"])


@pytest.mark.timeout(900)
def test_a_notice_is_written_agreed_to_read_and_corrected(
    salon: System, browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _first_operator(salon, browser)
    second = _second_operator(salon, browser, first)
    complaints = [watch(page) for page in (first, second)]
    _draft(salon, first)
    _agreed(salon, second)
    _read(salon, browser, tmp_path, capsys)
    _corrected(salon, browser, first, second)
    assert complaints == [[], []]
