"""Telling people in browsers: found, looked at, agreed to by two, mailed; and the page of the mail's code."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, look, looks, running, visit, watch
from tests.browser.test_news import NAME, _agreed, _draft
from tests.browser.test_operators import _first_operator, _second_operator, _shop_with_a_customer
from tests.browser.walk import CUSTOMER

CODE = re.compile(r"(?:コード|Code): (\S{19})")


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("telling")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _incident(salon: System, first: Page) -> None:
    """Opened by the first, read by the second."""
    first.goto(f"{salon.origin}/operations/incidents")
    first.locator("#title").fill("夜中に名簿が見られている")
    first.locator("form:has(#title) button.next").click()
    first.locator("#handle").fill("kei.operator")
    first.locator("form:has(#handle) button").click()
    expect(first.locator("section[aria-labelledby=members]")).to_contain_text("kei.operator")


def _found(first: Page) -> str:
    """The form, the dry run, one person's mail."""
    first.get_by_role("link", name="対象者に知らせる").click()
    assert looks(first.context, first.url, "telling-form") == []
    first.locator("#path").select_option("all")
    first.locator("#since").fill("1h")
    first.get_by_role("button", name="探す（まだ送りません）").click()
    expect(first).to_have_url(re.compile(r"/operations/tellings/[0-9a-f]{16}$"))
    expect(first.locator("section[aria-labelledby=who]")).to_contain_text("これからメールで通知")
    address = first.url
    assert looks(first.context, address, "telling-made") == []
    first.locator("section[aria-labelledby=samples] a").first.click()
    expect(first.locator("main")).to_contain_text("XXXX-XXXX-XXXX-XXXX")
    assert looks(first.context, first.url, "telling-preview") == []
    first.goto(f"{address}/alone")
    expect(first.locator("main")).to_contain_text("まだ何も起きていません")
    assert looks(first.context, first.url, "telling-alone") == []
    return address


def _agree(second: Page, address: str) -> None:
    second.goto(address)
    expect(second.locator("main")).to_contain_text("まさにこの対象者に")
    assert looks(second.context, address, "telling-agree") == []
    second.locator("form[data-passkey] button").click()
    expect(second.locator("main")).to_contain_text("メールで通知できる全員に通知しました", timeout=60_000)
    assert looks(second.context, address, "telling-sent") == []
    with second.expect_download() as begun:
        second.get_by_role("link", name="誰に何を知らせたか").click()
    text = begun.value.path().read_text(encoding="utf-8")
    assert text.startswith("shop,person,kind,state")
    assert "@" not in text


def _exposed(salon: System, browser: Browser, code: str) -> None:
    """Typed by hand; a slip is said so, by the keyboard alone."""
    with visit(browser, bypass_csp=True) as customers:
        page = customers.new_page()
        complaints = watch(page)
        page.goto(f"{salon.origin}/exposed")
        assert looks(customers, page.url, "exposed-form") == []
        page.locator("#code").focus()
        page.keyboard.insert_text("0000-0000-0000-0000")
        page.keyboard.press("Enter")
        expect(page.locator("#code-wrong")).to_contain_text("確認できません")
        complaints.clear()  # a 404 is one to the console
        for language, words in (("ja", "お名前"), ("en", "Your name"), ("ja-easy", "なまえ")):
            page.goto(f"{salon.origin}/exposed?lang={language}")
            page.locator("#code").fill(code.lower().replace("-", " "))
            page.locator("form:has(#code) button.next").click()
            expect(page.locator("main")).to_contain_text(words)
            shown = page.locator("main").inner_text()
            assert CUSTOMER["mail"] not in shown
            assert look(page, f"exposed-{language}") == []
        assert complaints == []


@pytest.mark.timeout(900)
def test_people_are_told_and_see_what_became_known(salon: System, browser: Browser) -> None:
    _shop_with_a_customer(salon, browser)
    first = _first_operator(salon, browser)
    second = _second_operator(salon, browser, first)
    _draft(salon, first)
    _agreed(salon, second)
    _incident(salon, first)
    address = _found(first)
    _agree(second, address)
    texts = [one.get_body(("plain",)) for one in salon.mails(CUSTOMER["mail"])]
    codes = [found for text in texts if text is not None for found in CODE.findall(text.get_content())]
    assert codes
    assert not [text for text in texts if text and NAME in text.get_content() and "://" in text.get_content()]
    _exposed(salon, browser, codes[-1])
