"""A customer's card, by the keyboard alone: found, written on, tagged, joined with a double, parted again."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import walk
from tests.browser.system import DESK, System, at_any_hour, look, running, visit, watch, with_passkey

Seen = Callable[[str], None]
DOUBLE = {"name": "山田 はな子", "mail": "hana@example.jp"}


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("shop"))) as started:
        yield started


def press(target: Locator, key: str = "Enter") -> None:
    """Come to it by focus, and press a key: nothing here is clicked."""
    target.focus()
    expect(target).to_be_focused()
    target.page.keyboard.press(key)


def _booked(salon: System, browser: Browser, number: int, **changed: str) -> None:
    with visit(browser) as context:
        page = context.new_page()
        walk.choose_service(page, salon.origin, "カット")
        walk.choose_time(page, number)
        walk.fill(page, **changed)
        walk.confirm(page)
    salon.mail(changed.get("mail", walk.CUSTOMER["mail"]))


def test_a_card_is_kept_by_the_keyboard_alone(salon: System, browser: Browser) -> None:
    _booked(salon, browser, 2)
    _booked(salon, browser, 9, **DOUBLE)
    faults: list[str] = []
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        with_passkey(page)
        page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
        press(page.get_by_role("button", name="パスキーを作る"))
        page.wait_for_url(re.compile("/console/$"))

        def seen(name: str) -> None:
            faults.extend(look(page, name))
            page.set_viewport_size(DESK)  # type: ignore[arg-type]

        _tags(page, seen)
        _card(page, seen)
        _joined(page, seen)
        press(page.get_by_role("button", name="English"))
        expect(page.get_by_role("heading", name="The shop's notes")).to_be_visible()
        seen("card-en")
        assert complaints == []
    assert faults == []


def _tags(page: Page, seen: Seen) -> None:
    press(page.get_by_role("link", name="お客様"))
    press(page.get_by_role("link", name="タグ"))
    seen("tags-none")
    for word in ("常連", "アレルギー"):
        page.get_by_label("新しいタグ").focus()
        page.keyboard.type(word)
        page.keyboard.press("Enter")
        expect(page.locator(".taglist input[name=word]").last).to_have_value(word)
    seen("tags")


def _card(page: Page, seen: Seen) -> None:
    """By her name; a note, a tag, what was done at her visit."""
    press(page.get_by_role("link", name="お客様").first)
    page.locator("#query").focus()
    page.keyboard.type("山田 花子")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1件")
    seen("customers")
    press(page.locator(".arrivals a"))
    expect(page.get_by_role("heading", level=1)).to_have_text("山田 花子")
    seen("card")
    press(page.get_by_text("メモを書く"))
    page.locator("#text-notes").focus()
    page.keyboard.type("強い香りが苦手")
    press(page.locator("#notes").get_by_role("button", name="書き込む"))
    press(page.get_by_role("button", name="お店のメモを表示"))
    expect(page.locator("#notes .story")).to_contain_text("強い香りが苦手")
    press(page.get_by_text("来店について書く"))
    page.locator("#text-chart").focus()
    page.keyboard.type("7-8 オリーブ、放置20分")
    press(page.locator("#chart").get_by_role("button", name="書き込む"))
    press(page.get_by_label("アレルギー"), "Space")
    press(page.get_by_role("button", name="タグを保存する"))
    expect(page.locator("ul.tags")).to_have_text("アレルギー")
    press(page.get_by_role("button", name="カルテを表示"))
    expect(page.locator("#chart .story")).to_contain_text("オリーブ")
    seen("card-written")
    press(page.get_by_role("link", name="お名前・電話・メールを直す"))
    seen("card-edit")
    press(page.get_by_role("link", name="変更しない"))


def _joined(page: Page, seen: Seen) -> None:
    """Looked for without a name, compared, joined, and undone."""
    press(page.get_by_role("link", name="重複を調べる"))
    press(page.get_by_role("button", name="探す"))
    expect(page.get_by_role("status")).to_contain_text("1件")
    expect(page.locator("main")).not_to_contain_text("はな子")
    seen("doubles")
    press(page.get_by_role("link", name="二つを比べる"))
    press(page.get_by_role("button", name="両方のメールと電話を表示"))
    expect(page.locator(".sides")).to_contain_text("hana@example.jp")
    seen("join")
    press(page.get_by_role("button", name="まとめる", exact=True))
    expect(page.get_by_role("heading", name="このお客様にまとめた記録")).to_be_visible()
    expect(page.locator("[aria-labelledby=history] li")).to_have_count(2)
    seen("card-joined")
    press(page.get_by_role("button", name="元に戻す"))
    expect(page.locator("[aria-labelledby=history] li")).to_have_count(1)
