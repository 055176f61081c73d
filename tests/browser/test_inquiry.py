"""The inquiry desk in browsers: asked on a phone, answered at a desk, read by link; without scripts, too."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, axe, looks, operator_of, running, visit, watch

WORDS = "予約のメールが届きません。カードは {card} です。"
MAIL = "aoi.asks@example.jp"
# Each is asked in another way; none may lie anywhere afterwards.
CARDS = ("4539 1488 0343 6467", "6011-0009-9013-9424")


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("inquiry")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(120):
        if page.evaluate("sel => document.activeElement?.matches(sel)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key reaches {selector}")


def _ask(salon: System, page: Page) -> None:
    """By keys alone; the puzzle is solved meanwhile."""
    page.goto(f"{salon.origin}/inquiry")
    assert looks(page.context, page.url, "inquiry-form") == []
    _tab_to(page, "#about")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "#words")
    page.keyboard.insert_text(WORDS.format(card=CARDS[0]))
    _tab_to(page, "#mail")
    page.keyboard.insert_text(MAIL)
    # A key never gets into the trap.
    _tab_to(page, "main button.next")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/inquiry/own/[0-9a-f]{16}-"), timeout=60_000)
    expect(page.locator("main")).to_contain_text("•••• 6467")
    expect(page.locator("main")).to_contain_text("カード番号1件")


def _answer(salon: System, desk: Page) -> None:
    """Found in the list, opened, taken, answered."""
    desk.goto(f"{salon.origin}/operations/inquiries")
    assert looks(desk.context, desk.url, "inquiry-desk") == []
    desk.locator("main .touched a.when").first.click()
    expect(desk.locator("main")).to_contain_text("予約のメールが届きません")
    assert looks(desk.context, desk.url, "inquiry-one") == []
    _tab_to(desk, "#words")
    desk.keyboard.insert_text("迷惑メールの箱もご覧ください。")
    _tab_to(desk, "button[value=answer]")
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_contain_text("回答しました", timeout=30_000)
    desk.goto(f"{salon.origin}/operations/inquiries/saved")
    assert looks(desk.context, desk.url, "inquiry-saved") == []


def _read(salon: System, page: Page) -> None:
    """By the mail's link; another link is made, and the page says so in three languages."""
    page.goto(salon.link(MAIL, r"/inquiry/own/\S+", 2))
    expect(page.locator("main")).to_contain_text("迷惑メールの箱もご覧ください。")
    assert looks(page.context, page.url, "inquiry-own") == []
    for language, words in (("en", "Your inquiry"), ("ja-easy", "あなたの質問（しつもん）")):
        page.locator(f"nav.speak a[href='?lang={language}']").click()
        expect(page.locator("h1")).to_contain_text(words)
        assert axe(page) == []
    page.goto(page.url.partition("?")[0])
    page.locator("main .actions a").click()
    assert looks(page.context, page.url, "inquiry-more") == []
    page.locator("button[value=renew]").click()
    expect(page.locator("main")).to_contain_text("これが新しいリンクです")
    page.locator("main .actions a").click()
    page.locator("input[name=sure]").check()
    page.locator("button[value=erase]").click()
    expect(page.locator("main")).to_contain_text("お問い合わせを消去しました")


def _kept(folder: Path, *numbers: str) -> list[str]:
    """In which files of the system's folder any of these stands, as it was typed or without its gaps."""
    wanted = [form.encode() for one in numbers for form in (one, re.sub(r"\D", "", one))]
    return [
        str(file)
        for file in folder.rglob("*")
        if file.is_file() and not file.is_socket() and any(one in file.read_bytes() for one in wanted)
    ]


def test_an_inquiry_from_asking_to_the_answer(salon: System, browser: Browser) -> None:
    """Also without scripts, where the form is sent once its half minute is over."""
    plain = browser.new_context(java_script_enabled=False, locale="ja-JP").new_page()
    plain.goto(f"{salon.origin}/inquiry")
    with visit(browser, bypass_csp=True) as askers:
        page = askers.new_page()
        complaints = watch(page)
        _ask(salon, page)
        desk = operator_of(salon, browser)
        at_desk = watch(desk)
        _answer(salon, desk)
        _read(salon, page)
        assert complaints == []
        assert at_desk == []
    plain.locator("#about").select_option("other")
    plain.locator("#words").fill(WORDS.format(card=CARDS[1]))
    plain.wait_for_timeout(31_000)
    plain.locator("main button.next").click()
    expect(plain.locator("main")).to_contain_text("•••• 9424", timeout=15_000)
    assert not _kept(salon.var, *CARDS)
    # The control: the same look finds what is written into a file there.
    (salon.var / "control").write_text(CARDS[0], encoding="utf-8")
    assert [Path(one).name for one in _kept(salon.var, CARDS[0])] == ["control"]
