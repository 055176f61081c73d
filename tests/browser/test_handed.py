"""A pack is handed over by an operator and read by the shop's owner in her console; both are looked at."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console_walk import owner_of, seed
from tests.browser.system import System, at_any_hour, looks, operator_of, running, visit, watch
from tests.browser.test_reports import incident

SAID = "11月27日の夜、受付の端末からお店の名簿が見られました。\nパスワードとカードの番号は含まれません。"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("handed")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _handed(page: Page, place: str) -> None:
    page.goto(f"{place}/shops")
    page.get_by_role("link", name="salon").click()
    page.locator("#text").fill(SAID)
    page.get_by_role("button", name="お店の管理画面に渡す").press("Enter")
    expect(page.locator("section[aria-labelledby=tell]")).to_contain_text("未読", timeout=15_000)
    assert looks(page.context, page.url, "handing-over") == []


def test_a_shop_reads_what_it_was_handed(salon: System, browser: Browser) -> None:
    with visit(browser, wide=True, bypass_csp=True) as context:
        owner = context.new_page()
        complaints = watch(owner)
        owner_of(salon, owner)
        seed(salon, owner)
        operator = operator_of(salon, browser)
        _handed(operator, incident(operator, salon))
        assert "/console/safety" in salon.link("aoi@salon.example", "/console/safety")
        owner.goto(f"{salon.origin}/console/safety")
        assert looks(context, owner.url, "safety-pack") == []
        owner.locator("section[aria-labelledby=packs] a").click()
        expect(owner.locator("h1")).to_have_text("お客様のデータについて")
        expect(owner.locator("section[aria-labelledby=duty]")).to_contain_text("個人情報保護委員会")
        expect(owner.locator("main")).not_to_contain_text("佐藤 花")
        assert looks(context, owner.url, "handed") == []
        owner.get_by_role("button", name="この一覧をお名前で表示").press("Enter")
        expect(owner.locator("main")).to_contain_text("佐藤 花", timeout=15_000)
        owner.get_by_role("button", name="読みました").press("Enter")
        expect(owner.locator("main")).to_contain_text("が読みました", timeout=15_000)
        owner.get_by_role("button", name="English").click()
        expect(owner.locator("h1")).to_have_text("About your customers' data")
        assert looks(context, owner.url, "handed-en") == []
        operator.reload()
        expect(operator.locator("section[aria-labelledby=tell]")).to_contain_text("既読")
        # On paper its buttons and forms are gone, and what it says is there.
        owner.emulate_media(media="print")
        expect(owner.get_by_role("button", name="Print")).to_be_hidden()
        expect(owner.locator("section[aria-labelledby=people] table")).to_be_visible()
        assert complaints == []
