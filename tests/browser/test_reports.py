"""Scope, shops and reports of an incident as an operator sees them; an item copied, a report filed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, looks, operator_of, running, watch


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("reports")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def incident(page: Page, salon: System) -> str:
    """One that is known, with a question of all that passed and one of a store that was taken."""
    page.goto(f"{salon.origin}/operations/incidents")
    page.locator("#title").fill("夜中に名簿が見られている")
    page.locator("form:has(#title) button").click()
    expect(page.locator("h1")).to_have_text("夜中に名簿が見られている")
    place = page.url
    page.locator("#text").fill("受付の端末が置き忘れられていた")
    page.locator("form:has(#text) button.next").click()
    page.locator("#known-at").fill("2026-11-28T09:30")
    page.get_by_text("不正の目的をもって").click()
    page.locator("form:has(#known-at) button").click()
    expect(page.locator("section[aria-labelledby=terms]")).to_contain_text("確報", timeout=15_000)
    number = place.rpartition("/")[2]
    for asked in (("--store", "vault"), ("--all",)):
        told = salon.noren("scope", *asked, "--since", "1h", "--incident", number)
        assert told.returncode == 0, told.stderr
    return place


def test_a_report_is_drafted_copied_and_filed(salon: System, browser: Browser) -> None:
    page = operator_of(salon, browser)
    complaints = watch(page)
    place = incident(page, salon)
    page.reload()
    page.get_by_role("link", name="誰のデータか").click()
    expect(page.locator("h1")).to_have_text("誰のデータか")
    assert looks(page.context, page.url, "scope") == []
    page.get_by_role("link", name=re.compile(r"\(vault\)")).click()
    assert looks(page.context, page.url, "asked-store") == []
    page.goto(f"{place}/scope")
    page.get_by_role("link", name=re.compile("すべての経路")).click()
    expect(page.locator("main")).to_contain_text("触れられていない")
    assert looks(page.context, page.url, "asked") == []
    # Without the power it says so, and where to get it.
    page.get_by_role("button", name="対象者を番号で表示").click()
    expect(page.get_by_role("alert")).to_contain_text("権限")
    page.goto(f"{place}/shops")
    assert looks(page.context, page.url, "told-shops") == []
    page.get_by_role("link", name="salon").click()
    page.locator("#at").fill("2026-11-28T12:00")
    page.locator("#how").fill("電話、店主")
    page.locator("form:has(#how) button").click()
    expect(page.locator("section[aria-labelledby=duty]")).to_contain_text("確報")
    assert looks(page.context, page.url, "shop-pack") == []
    page.goto(f"{place}/reports")
    expect(page.locator("main")).to_contain_text("総務省")
    assert looks(page.context, page.url, "reports") == []
    page.get_by_role("link", name=re.compile("個人情報保護法")).first.click()
    _write_and_file(page)
    assert looks(page.context, page.url, "report") == []
    page.get_by_role("button", name="English").click()
    page.goto(f"{place}/reports")
    page.get_by_role("link", name=re.compile("APPI")).first.click()
    expect(page.locator("main")).to_contain_text("Filled from the record.")
    assert looks(page.context, page.url, "report-en") == []
    # The browser says of the look without a power that it was refused.
    assert [one for one in complaints if "403" not in one] == []


def _write_and_file(page: Page) -> None:
    """An item by hand, its text copied, and the report filed, by keys."""
    page.locator("#item-cause").fill("端末に鍵が掛かっていなかった")
    form = page.locator("form:has(#item-cause)")
    form.get_by_role("button", name=re.compile("この文で残す")).press("Enter")
    expect(page.locator("#item-cause")).to_have_value("端末に鍵が掛かっていなかった", timeout=15_000)
    expect(page.locator("#item-cause-hint")).to_contain_text("first.operator")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.locator("form:has(#item-cause) [data-copy]")
    copy.press("Enter")
    expect(copy).to_contain_text("コピーしました")
    assert page.evaluate("navigator.clipboard.readText()") == "端末に鍵が掛かっていなかった"
    page.locator("#at").fill("2026-11-28T12:00")
    page.locator("#receipt").fill("受付-0042")
    page.locator("form:has(#receipt) button").press("Enter")
    expect(page.locator("main")).to_contain_text("受付-0042", timeout=15_000)
