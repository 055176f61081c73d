"""One's own account in real browsers: a lost device and a second passkey, one-time codes, another browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.system import System, at_any_hour, look, look_once, looks, running, visit, watch

PASSWORD = "しずかな 四つの ことば です ね 静か"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("security")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


@dataclass
class Device:
    """A page and the authenticators that its browser has."""

    page: Page
    devtools: CDPSession
    own: str

    @classmethod
    def of(cls, page: Page) -> "Device":
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        device = cls(page, devtools, "")
        device.own = device.plug("internal")
        return device

    def plug(self, transport: str) -> str:
        """Give the browser one more authenticator, that opens without a finger."""
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        return str(
            self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
        )

    def untouched(self, authenticator: str) -> None:
        """Nobody touches this one."""
        self.devtools.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": authenticator, "enabled": False}
        )

    def credentials(self, authenticator: str) -> list[Any]:
        found = self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})
        return list(found["credentials"])

    def take(self, credential: Any) -> None:
        self.devtools.send("WebAuthn.addCredential", {"authenticatorId": self.own, "credential": credential})


def _joined(browser: Browser, salon: System, mail: str, *, english: bool = False) -> Device:
    device = Device.of(visit(browser, bypass_csp=True, english=english).new_page())
    device.page.goto(salon.link(mail, r"/console/join#\S+"))
    device.page.get_by_role("button", name="Make a passkey" if english else "パスキーを作る").click()
    expect(device.page).to_have_url(f"{salon.origin}/console/")
    return device


def _entered(browser: Browser, salon: System, credential: Any, *, english: bool = False) -> Page:
    """One more browser that has this passkey, signed in."""
    device = Device.of(visit(browser, wide=True, bypass_csp=True, english=english).new_page())
    device.take(credential)
    device.page.goto(f"{salon.origin}/console/sign-in?next=/settings/security")
    label = "Sign in with your passkey" if english else "パスキーでサインイン"
    device.page.get_by_role("button", name=label).click()
    expect(device.page).to_have_url(f"{salon.origin}/settings/security")
    return device.page


def test_a_lost_device_shuts_nobody_out(browser: Browser, salon: System) -> None:
    """She adds another device's passkey, names it, loses the first, comes in by it and removes the first."""
    device = _joined(browser, salon, "aoi@salon.example")
    phone = device.page
    complaints = watch(phone)
    phone.get_by_role("link", name=re.compile("セキュリティ")).click()
    expect(phone).to_have_url(f"{salon.origin}/settings/security")
    assert looks(phone.context, phone.url, "security-security") == []
    phone.get_by_role("link", name="パスキーを追加").click()
    assert looks(phone.context, phone.url, "security-add") == []
    key = device.plug("usb")
    device.untouched(device.own)
    phone.get_by_role("button", name="パスキーを作る").click()
    expect(phone.locator("main")).to_contain_text("パスキーを追加しました")
    assert looks(phone.context, phone.url, "security-passkey") == []
    phone.get_by_label("名前").fill("金庫の鍵")
    phone.get_by_role("button", name="名前を保存").click()
    expect(phone.locator("main")).to_contain_text("金庫の鍵")
    [made] = device.credentials(key)
    # The phone is lost: only the key is at hand, in another browser.
    laptop = _entered(browser, salon, made)
    assert looks(laptop.context, laptop.url, "security-two") == []
    laptop.locator("#passkeys ~ ul a", has_text="のパスキー").click()
    laptop.get_by_role("button", name="このパスキーを削除").click()
    expect(laptop.locator("main")).to_contain_text("パスキーを削除し")
    phone.goto(f"{salon.origin}/console/hours")
    expect(phone).to_have_url(re.compile("/console/sign-in"))
    assert complaints == []
    # What is left is the last way in, and stays.
    laptop.locator("#passkeys ~ ul a", has_text="金庫の鍵").click()
    laptop.get_by_role("button", name="このパスキーを削除").click()
    expect(laptop.locator("main")).to_contain_text("次にサインインできなくなります")
    assert look_once(laptop, "security-last", wide=True, dark=False) == []
    assert "パスキーが追加されました" in str(salon.mail("aoi@salon.example", 2)["Subject"])


def test_codes_and_another_browser(browser: Browser, salon: System) -> None:
    """A password, codes with a picture, recovery codes; another browser is signed out, and one accused."""
    device = _joined(browser, salon, "haruto@salon.example", english=True)
    page = device.page
    complaints = watch(page)
    page.goto(f"{salon.origin}/settings/security/password")
    assert looks(page.context, page.url, "security-password") == []
    page.get_by_label("The new password", exact=True).fill(PASSWORD)
    page.get_by_label("The new password once more").fill(PASSWORD)
    page.get_by_role("button", name="Set a password").click()
    expect(page.locator("main")).to_contain_text("Your password was changed")
    page.get_by_role("button", name="Set up one-time codes").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    assert look(page, "security-codes") == []
    page.get_by_label("The code from the app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn codes on").click()
    expect(page.locator("[data-codes] li")).to_have_count(10)
    assert look(page, "security-recovery") == []
    page.get_by_role("link", name="I have kept them").click()
    # Two more browsers with the same passkey, as a synced one would be.
    [made] = device.credentials(device.own)
    others = [_entered(browser, salon, made, english=True) for _ in range(2)]
    page.reload()
    assert looks(page.context, page.url, "security-sessions") == []
    page.locator("#sessions ~ ul li").nth(1).get_by_role("button", name=re.compile("Sign out")).click()
    expect(page.locator("main")).to_contain_text("The sign-in has ended.")
    page.locator("#sessions ~ ul li").nth(1).get_by_role("link", name=re.compile("This wasn't me")).click()
    assert looks(page.context, page.url, "security-not-me") == []
    page.goto(f"{salon.origin}/settings/security/events")
    assert looks(page.context, page.url, "security-events") == []
    page.goto(f"{salon.origin}/settings/security/confirm")
    assert looks(page.context, page.url, "security-confirm") == []
    page.get_by_role("button", name="Confirm with your passkey").click()
    expect(page).to_have_url(f"{salon.origin}/settings/security")
    page.locator("#sessions ~ ul li").nth(1).get_by_role("link", name=re.compile("This wasn't me")).click()
    page.get_by_role("button", name=re.compile("close my account")).click()
    expect(page).to_have_url(f"{salon.origin}/settings/secured")
    assert looks(page.context, page.url, "security-secured") == []
    for each in [page, *others]:
        each.goto(f"{salon.origin}/console/hours")
        expect(each).to_have_url(re.compile("/console/sign-in"))
    assert complaints == []
