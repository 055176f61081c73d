"""An owner makes a key in the browser, a program uses it, the owner ends it: in every screen and theme."""

import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, look, running, visit, watch, with_passkey

KEY = re.compile(r"noren_\d+_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


@pytest.fixture
def owner(browser: Browser, salon: System) -> Page:
    page = visit(browser, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{salon.origin}/console/")
    return page


def _status(salon: System, key: str) -> int:
    place = urlsplit(salon.origin)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        path = "/api/v1/shops/salon/bookings?from=2026-11-25&to=2026-11-26"
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_key_is_made_used_and_ended(salon: System, owner: Page) -> None:
    complaints = watch(owner)
    owner.goto(f"{salon.origin}/console/api-keys")
    assert look(owner, "api_keys-none") == []
    owner.locator("#label").fill("会計ソフト(毎晩の売上の取り込み)")
    owner.get_by_role("checkbox", name="お客様のお名前と連絡先を見る").check()
    owner.get_by_role("button", name="作成する").press("Enter")
    expect(owner.get_by_role("heading", name="新しいキー")).to_be_visible()
    [key] = KEY.findall(owner.content())
    assert look(owner, "api_keys-made") == []
    assert _status(salon, key) == 200
    for language, button, over in (("en", "End this key", "ended"), ("ja", "", "無効")):
        owner.goto(f"{salon.origin}/console/api-keys")
        if button:
            owner.get_by_text("English", exact=True).click()
            expect(owner.get_by_role("button", name=button)).to_be_visible()
        else:
            owner.get_by_text("日本語", exact=True).click()
        assert key not in owner.content()
        assert look(owner, f"api_keys-list-{language}") == []
        if button:
            owner.get_by_role("button", name=button).click()
            expect(owner.locator("main")).to_contain_text(over)
            assert _status(salon, key) == 401
        expect(owner.locator("main")).to_contain_text(over)
    assert complaints == []
