"""A customer's account in a browser: from a guest's booking to a passkey, a lost device, and a new one."""

import re

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.browser import walk
from tests.browser.system import System, look, visit, watch
from tests.servers import wait_for

MAIL = "tsubaki@example.jp"


def _texts(system: System, to: str) -> list[str]:
    bodies = [mail.get_body(("plain",)) for mail in system.mails(to)]
    return [body.get_content() for body in bodies if body is not None]


def _codes(system: System) -> list[str]:
    found = [re.search(r"Your code is (\d{6})", text) for text in _texts(system, MAIL)]
    return [one[1] for one in found if one]


def _by_code(page: Page, system: System) -> None:
    """From the door by a mailed code, by keys alone; codes are a minute apart."""
    before = len(_codes(system))
    page.locator("#mail").focus()
    page.keyboard.type(MAIL)
    page.keyboard.press("Enter")
    wait_for(lambda: len(_codes(system)) > before, 40)
    page.locator("#code").focus()
    page.keyboard.type(_codes(system)[-1])
    page.keyboard.press("Enter")


def _device(page: Page) -> tuple[CDPSession, str]:
    """A device with a passkey store of its own; gives what takes it away again."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(made["authenticatorId"])


def _booked_as_guest(page: Page, system: System, mail: str) -> str:
    walk.choose_service(page, system.origin, "カット")
    walk.choose_time(page, 1)
    walk.fill(page, name="椿 ゆき", mail=mail)
    walk.confirm(page)
    link = page.url.split("?", maxsplit=1)[0]
    # Kept is asked for before the mail.
    wait_for(lambda: any(link in text for text in _texts(system, mail)), 40)
    return link


def _books_again(page: Page, system: System) -> list[str]:
    """Signed in: nothing to type. Then her data, and the account in English."""
    faults = []
    walk.choose_service(page, system.origin, "カット")
    walk.choose_time(page, 1)
    expect(page.locator("main")).to_contain_text("椿 ゆき")
    expect(page.locator("#id_name")).to_have_count(0)
    faults += look(page, "who-ja")
    page.locator("button[value=final]").click()
    faults += look(page, "final-ja")
    page.locator("button[value=book]").click()
    expect(page).to_have_url(re.compile(r"/b/"))
    faults += look(page, "booking-ja")

    # Her data, in English, too; out.
    page.goto(f"{system.origin}/salon/account/data")
    expect(page.locator("#id_mail")).to_have_value(MAIL)
    faults += look(page, "data-ja")
    page.goto(f"{system.origin}/salon/account/end")
    faults += look(page, "end-ja")
    page.goto(f"{system.origin}/salon/account/erase")
    expect(page.get_by_text("これからのご予約があります")).to_be_visible()
    faults += look(page, "erase-ahead-ja")
    page.goto(f"{system.origin}/salon/account/address")
    faults += look(page, "address-ja")
    page.goto(f"{system.origin}/salon/account")
    expect(page.locator("li.visit")).to_have_count(3)
    page.get_by_role("button", name="English").click()
    faults += look(page, "home-en")
    return faults


def _by_passkey(page: Page, session: CDPSession, device: str) -> list[str]:
    """Out, where nobody touches the passkey yet; in by the button; out and in by what the browser offers."""
    touch = {"authenticatorId": device, "enabled": False}
    session.send("WebAuthn.setAutomaticPresenceSimulation", touch)
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#mail")).to_be_visible()
    assert not [one for one in page.context.cookies() if one["name"].endswith("noren_customer")]
    faults = look(page, "door-en")
    session.send("WebAuthn.setAutomaticPresenceSimulation", {**touch, "enabled": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("li.visit")).to_have_count(3)

    # Out, and in by the list of passkeys beneath the mail field: the browser offers it by itself.
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("li.visit")).to_have_count(3)
    return faults


def _loses_it(page: Page, system: System, session: CDPSession, device: str) -> None:
    """The device is lost: a code by mail, and a passkey on the new one."""
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#mail")).to_be_visible()
    system.vault("UPDATE vault.code SET made_at = made_at - 61000")  # codes are a minute apart
    page.reload()
    _by_code(page, system)
    expect(page.locator("li.visit")).to_have_count(3)
    _device(page)
    page.get_by_role("link", name="Add a passkey or a password").first.click()
    page.get_by_role("button", name="Add a passkey on this device").click()
    expect(page.get_by_text("From now on you can sign in with it")).to_be_visible()


def _is_forgotten(page: Page, system: System) -> list[str]:
    """What is to come is cancelled; then she is deleted, and keeps the certificate."""
    page.goto(f"{system.origin}/salon/account")
    coming = page.locator("section[aria-labelledby=coming] li.visit > a")
    while coming.count():
        coming.first.click()
        page.get_by_text("Cancel this booking").click()
        page.locator("form[action$='/cancel'] button").click()
        page.goto(f"{system.origin}/salon/account")
    page.get_by_role("link", name="Delete my data").click()
    faults = look(page, "erase-en")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete my data for good").click()
    expect(page.get_by_text("no copy in any backup can be read")).to_be_visible()
    faults += look(page, "erased-en")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the certificate").click()
    assert saving.value.suggested_filename == "erased-salon.zip"
    assert not [one for one in page.context.cookies() if one["name"].endswith("noren_customer")]
    return faults


def test_she_keeps_an_account_and_loses_a_device(browser: Browser, system: System) -> None:
    context: BrowserContext = visit(browser, bypass_csp=True)
    page = context.new_page()
    complaints, faults = watch(page), []
    first = _booked_as_guest(page, system, MAIL)
    again = _booked_as_guest(page, system, MAIL)
    with visit(browser) as others:
        strangers = _booked_as_guest(others.new_page(), system, "other.one@example.jp")

    # One of them is off: it leads to the same again.
    page.goto(again)
    page.get_by_text("この予約を取り消す").click()
    page.locator("form[action$=cancel] button").click()
    expect(page.get_by_role("link", name="同じ内容でもう一度予約する")).to_be_visible()

    # In by a code: the guest's booking is there, another's is not.
    page.goto(f"{system.origin}/salon/account")
    faults += look(page, "door-ja")
    _by_code(page, system)
    for link in (first, again):
        expect(page.locator(f"a[href='{link.removeprefix(system.origin)}']")).to_be_visible()
    page.get_by_text("お心当たりがありませんか?").click()
    assert strangers.removeprefix(system.origin) not in page.content()
    faults += look(page, "home-ja")

    # A passkey on this device.
    session, device = _device(page)
    page.get_by_role("link", name="パスキー・パスワードを追加する").first.click()
    faults += look(page, "ways-ja")
    page.get_by_role("button", name="この端末にパスキーを追加する").click()
    expect(page.get_by_text("追加しました")).to_be_visible()

    faults += _books_again(page, system)
    faults += _by_passkey(page, session, device)
    _loses_it(page, system, session, device)

    # A link that somebody else has seen: nothing is there any more, and the new one is in her mail.
    page.goto(first)
    page.get_by_text("Has somebody else seen this link?").click()
    page.get_by_role("button", name="Make this link invalid").click()
    faults += look(page, "relinked-en")
    assert context.request.get(first).status == 410
    wait_for(lambda: any("新しいリンク" in str(one["Subject"]) for one in system.mails(MAIL)), 40)

    faults += _is_forgotten(page, system)

    # Another customer's page is as one that is not there, whoever asks.
    for none in (f"{system.origin}/nowhere/account", f"{system.origin}/b/1.1.1.{'x' * 22}"):
        assert context.request.get(none).status == 404
    assert faults == []
    assert complaints == []
    context.close()


def test_it_needs_no_script(browser: Browser, system: System) -> None:
    """Code and password serve a browser without scripts; the passkey's button says what it needs."""
    with visit(browser, scripts=False) as context:
        page = context.new_page()
        page.goto(f"{system.origin}/salon/account")
        expect(page.locator("noscript p.notice")).to_be_visible()
        page.locator("#mail").fill("nobody@example.jp")
        page.get_by_role("button", name="確認コードを送る").click()
        page.locator("#code").fill("123456")
        page.get_by_role("button", name="サインイン").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.locator("input[name=mail]").input_value() == "nobody@example.jp"
        page.goto(f"{system.origin}/salon/account")
        page.get_by_text("メールとパスワードで").click()
        page.locator("#password-mail").fill("nobody@example.jp")
        page.locator("#password").fill("some long words of nobody")
        page.get_by_role("button", name="サインイン", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
