"""Passwords as a person meets them: joined by one, in with a code, forgotten, set anew, the code still on."""

import time
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from noren.people import wire
from noren.runtime.paths import Paths
from tests.browser.system import (
    System,
    at_any_hour,
    look,
    running,
    visit,
    watch,
    with_passkey,
)
from tests.servers import wait_for

MAIL = "haruto@salon.example"
PASSWORD, NEW = "ひみつの傘と42匹の猫たち、雨の朝", "もうひとつの長い合言葉、77個の石"


def _ask(system: System, context: BrowserContext, method: str, **params: Any) -> dict[str, Any]:
    """Ask the vault by the grant in this browser's cookie."""
    [grant] = [one["value"] for one in context.cookies() if one["name"] == "noren_grant"]
    socket = str(Paths(system.var).vault_socket)
    return wire.call(socket, method, {"grant": grant, **params}, seconds=10)


def _password(page: Page, password: str) -> None:
    page.locator("#shop").fill("salon")
    page.locator("#mail").fill(MAIL)
    page.locator("#password").fill(password)
    page.locator("#password").press("Enter")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon of this file's own: its owner joins here, and asks her managers for passkeys."""
    with running(at_any_hour(tmp_path_factory.mktemp("shops"))) as started:
        yield started


@pytest.fixture(scope="module")
def codes() -> list[str]:
    """Her recovery codes, once she has made some."""
    return []


@pytest.fixture(scope="module")
def person(browser: Browser) -> BrowserContext:
    return visit(browser, bypass_csp=True)


def _join(page: Page, link: str) -> list[str]:
    """Join by the link with a password; the first one is refused with the reason."""
    page.goto(link)
    assert "#" not in page.url
    page.locator("summary").click()
    expect(page.locator("#invite")).to_be_hidden()
    page.locator("#password").fill("salon-salon-salon")
    page.get_by_role("button", name="表示").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    faults = look(page, "join-ja")
    page.get_by_role("button", name="このパスワードで参加する").click()
    expect(page.locator("#password-error")).to_be_visible()
    expect(page.get_by_role("button", name="パスキーを作る")).to_be_enabled()
    faults += look(page, "join-refused-ja")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    return faults


def _in_again(page: Page, totp: pyotp.TOTP) -> list[str]:
    """Sign out, and in with a code; a wrong password is refused first."""
    page.get_by_role("button", name="サインアウト").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("サインイン")
    faults = look(page, "signin-ja")
    _password(page, NEW)
    expect(page.get_by_role("alert")).to_be_visible()
    faults += look(page, "signin-refused-ja")
    _password(page, PASSWORD)
    expect(page.locator("#code")).to_be_visible()
    page.locator("summary").click()
    faults += look(page, "code-ja")
    page.locator("summary").click()
    page.locator("#code").fill(totp.at(int(time.time()) + 30))
    page.locator("#code").press("Enter")
    return faults


def _reset(page: Page, system: System) -> list[str]:
    """Forget it, and set another by the mailed link."""
    page.goto(f"{system.origin}/console/sign-in?shop=salon")
    page.get_by_role("link", name="パスワードをお忘れですか？").click()
    expect(page.locator("#shop")).to_have_value("salon")
    page.locator("#mail").fill(MAIL)
    faults = look(page, "forgot-ja")
    page.locator("#mail").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("メールをご確認ください")
    faults += look(page, "asked-ja")
    page.goto(system.link(MAIL, r"/password/reset#\S+"))
    expect(page.locator("#token")).to_be_hidden()
    assert "#" not in page.url
    faults += look(page, "reset-ja")
    page.locator("#password").fill(NEW)
    page.locator("#password").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("新しいパスワードを設定しました")
    return faults + look(page, "done-ja")


def _recover(page: Page, code: str) -> list[str]:
    """The new password, and then a recovery code, for the code is asked for as before."""
    page.get_by_role("link", name="サインイン", exact=True).click()
    _password(page, NEW)
    expect(page.locator("#code")).to_be_visible()
    page.locator("summary").click()
    page.locator("#recovery").fill(code.upper())
    page.get_by_role("button", name="リカバリーコードでサインイン").click()
    expect(page.locator("main")).to_contain_text("残り9個")
    faults = look(page, "recovered-ja")
    page.get_by_role("link", name="次へ").click()
    return faults


def test_it_walks_from_joining_to_another_password(
    browser: Browser, system: System, person: BrowserContext, codes: list[str]
) -> None:
    page, home = person.new_page(), f"{system.origin}/console/"
    complaints = watch(page)
    faults = _join(page, system.link(MAIL, r"/console/join#\S+"))
    expect(page).to_have_url(home)
    totp = pyotp.TOTP(_ask(system, person, "totp_begin")["secret"])
    _ask(system, person, "totp_finish", code=totp.now())
    codes += _ask(system, person, "recovery_make")["codes"]
    faults += _in_again(page, totp)
    expect(page).to_have_url(home)
    with visit(browser, bypass_csp=True) as elsewhere:
        other = elsewhere.new_page()
        complaints_there = watch(other)
        faults += _reset(other, system)
        # The session from before is dead; the mail tells of it.
        page.goto(home)
        assert page.url.startswith(f"{system.origin}/console/sign-in")
        wait_for(lambda: any("変更されました" in str(one["Subject"]) for one in system.mails(MAIL)), 40)
        faults += _recover(other, codes[0])
        expect(other).to_have_url(home)
        other.goto(f"{home}security")
        faults += look(other, "security-manager-ja")
    assert faults == []
    assert [one for one in complaints + complaints_there if "403" not in one and "422" not in one] == []


def test_it_reads_as_well_in_english(browser: Browser, system: System) -> None:
    """The same pages in the other language; an owner's page, by a passkey."""
    faults = []
    with visit(browser, english=True, bypass_csp=True) as context:
        page = context.new_page()
        with_passkey(page)
        for name, address in (
            ("signin", "/console/sign-in"),
            ("forgot", "/password/forgot"),
            ("reset", "/password/reset"),
            ("join", "/console/join"),
        ):
            page.goto(f"{system.origin}{address}")
            if name == "join":
                page.locator("summary").click()
            faults += look(page, f"{name}-en")
        page.goto("about:blank")  # a page does not read its link twice
        page.goto(system.link("aoi@salon.example", r"/console/join#\S+"))
        page.get_by_role("button", name="Make a passkey").click()
        expect(page).to_have_url(f"{system.origin}/console/")
        page.goto(f"{system.origin}/console/security")
        faults += look(page, "security-en")
        page.get_by_label("Manager").check()
        page.get_by_role("button", name="Keep this").click()
        expect(page.get_by_role("status")).to_be_visible()
        faults += look(page, "security-kept-en")
        page.get_by_role("button", name="日本語").first.click()
        faults += look(page, "security-ja")
    assert faults == []


def test_it_asks_a_manager_for_a_passkey_then(browser: Browser, system: System, codes: list[str]) -> None:
    """After the owner's word: password and code lead to a mailed link, which makes a passkey and enters."""
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        with_passkey(page)
        page.goto(f"{system.origin}/console/sign-in")
        _password(page, NEW)
        page.locator("summary").click()
        page.locator("#recovery").fill("x")
        page.get_by_role("button", name="リカバリーコードでサインイン").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert look(page, "recovery-refused-ja") == []
        page.locator("#recovery").fill(codes[1])
        page.get_by_role("button", name="リカバリーコードでサインイン").click()
        expect(page.get_by_role("alert")).to_contain_text("この端末で開いてパスキーを作ると")
        assert look(page, "passkey-asked-ja") == []
        page.goto(system.link(MAIL, r"/console/join#\S+", 2))
        page.get_by_role("button", name="パスキーを作る").click()
        expect(page).to_have_url(f"{system.origin}/console/")
        page.goto(f"{system.origin}/console/sign-in")
        page.get_by_role("button", name="パスキーでサインイン").click()
        expect(page).to_have_url(f"{system.origin}/console/")
