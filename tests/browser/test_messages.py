"""The shop's own words, in a browser: typed with the keyboard alone, seen as they arrive, and mailed."""

import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, look, running, visit, watch, with_passkey
from tests.servers import wait_for

MOST_TABS = 80


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("shop"))) as started:
        yield started


def _tab_to(page: Page, wanted: Locator) -> None:
    """Come to it as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not come there")


def _body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _subjects(salon: System, to: str) -> list[str]:
    return [str(mail["Subject"]) for mail in salon.mails(to)]


def test_the_shops_words_are_seen_tried_and_mailed(salon: System, browser: Browser) -> None:
    faults: list[str] = []
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        _joined(salon, page, "aoi@salon.example")
        page.get_by_role("link", name="メッセージ").click()
        faults += look(page, "messages-none")
        page.get_by_role("link", name="メールの文面").click()
        faults += look(page, "messages-kinds")
        for kind in ("リマインダー", "予約の確認"):
            page.goto(f"{salon.origin}/console/messages/words")
            page.get_by_role("link", name=kind, exact=True).click()
            _say(page)
        faults += look(page, "messages-words")
        page.goto(f"{salon.origin}/console/messages/words/reminder")
        _tab_to(page, page.get_by_role("button", name="自分にテスト送信"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("テストメールをあなたにお送りします")
        wait_for(lambda: any("【テスト】" in each for each in _subjects(salon, "aoi@salon.example")), 40)
        test = next(each for each in salon.mails("aoi@salon.example") if "【テスト】" in str(each["Subject"]))
        assert "様、当日は駐車場へ。" in _body(test)
        text = _booked(salon, browser)
        assert text.startswith("山田 花子 様\n\n山田 花子様、当日は駐車場へ。\n\n日時")
        assert "ご予約ありがとうございます。次のとおり" not in text
        page.goto(f"{salon.origin}/console/messages")
        expect(page.locator(".log > li")).to_have_count(1)
        expect(page.locator(".log > li").first).to_contain_text("お店の文面（第1版）")
        faults += look(page, "messages-sent")
        assert complaints == []
    assert faults == []


def test_a_manager_says_when_mails_go_and_what_he_is_told_of(salon: System, browser: Browser) -> None:
    faults: list[str] = []
    _booked(salon, browser, "jiro@example.jp")
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        _joined(salon, page, "haruto@salon.example")
        page.get_by_role("link", name="メッセージ").click()
        page.get_by_role("link", name="最近の動き").click()
        expect(page.locator(".log > li").first).to_contain_text("カット")
        _tab_to(page, page.get_by_label("新しい予約"))
        page.keyboard.press("Home")
        _tab_to(page, page.get_by_role("button", name="保存する"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("保存しました")
        faults += look(page, "messages-told")
        page.goto(f"{salon.origin}/console/messages/rules")
        faults += look(page, "messages-rules")
        page.goto(f"{salon.origin}/console/")
        faults += look(page, "messages-today")
        page.get_by_role("button", name="English").click()
        page.goto(f"{salon.origin}/console/messages/told")
        faults += look(page, "messages-told-en")
        page.goto(f"{salon.origin}/console/messages/words/reminder?in=en")
        faults += look(page, "messages-words-en")
        assert complaints == []
    assert faults == []


def _joined(salon: System, page: Page, mail: str) -> None:
    with_passkey(page)
    page.goto(salon.link(mail, r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    page.wait_for_url(re.compile("/console/$"))


def _say(page: Page) -> None:
    """With the keyboard alone: a field put by its button, a slip of the finger, the preview, and kept."""
    box = page.locator("#id_opening")
    _tab_to(page, box)
    page.keyboard.type("{nmae}")
    expect(page.locator("#preview")).to_contain_text("「{nmae}」はここで使える差し込み項目ではありません")
    for _ in range(len("{nmae}")):
        page.keyboard.press("Backspace")
    _tab_to(page, page.get_by_role("group", name="差し込み項目：書き出し").get_by_role("button").first)
    page.keyboard.press("Enter")
    expect(box).to_have_value("{name}")
    page.keyboard.type("様、当日は駐車場へ。")
    expect(page.locator("#preview")).to_contain_text("山田 花子様、当日は駐車場へ。")
    expect(page.locator("#preview .notice")).to_have_count(0)
    _tab_to(page, page.get_by_role("button", name="保存する"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("保存しました")


def _booked(salon: System, browser: Browser, mail: str = "hanako@example.jp") -> str:
    """Somebody books; gives the mail that she gets."""
    with visit(browser) as context:
        page = context.new_page()
        walk.choose_service(page, salon.origin, "カット")
        walk.choose_time(page, 3)
        walk.fill(page, mail=mail)
        walk.confirm(page)
    return _body(salon.mail(mail))
