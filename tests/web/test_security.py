"""One's own account in pages: who sees what, what a change asks first, how a session ends with its grant."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings

from noren import clock, people
from noren.accounts.models import end_sessions
from noren.web import devices
from tests.accounts.passkey import Passkey
from tests.api.salon import Salon, salon
from tests.environment import GIVEN
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import sql

PASSWORD = "four quiet words here"
WITHOUT_PERSONS = "/console/hours"
CHROME = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"


@dataclass
class Browser:
    """A browser of somebody, with her passkey."""

    client: Client
    passkey: Passkey

    def post(self, address: str, **data: str) -> Any:
        return self.client.post(address, data)

    def json(self, address: str, body: dict[str, Any]) -> Any:
        wanted = {"Accept": "application/json"}
        return self.client.post(address, body, content_type="application/json", headers=wanted)

    def page(self, address: str = "/settings/security", status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.content.decode()
        return str(answer.content.decode())

    def enters(self, address: str = WITHOUT_PERSONS) -> bool:
        return bool(self.client.get(address).status_code == 200)

    def confirm(self) -> None:
        options = self.json("/settings/security/confirm/begin", {}).json()["options"]
        answer = self.passkey.get(options)
        assert self.json("/settings/security/confirm/finish", {"answer": answer}).status_code == 200

    def add(self) -> Passkey:
        passkey = Passkey(GIVEN.origin, "localhost")
        options = self.json("/settings/security/passkeys/add/begin", {}).json()["options"]
        answer = self.json("/settings/security/passkeys/add/finish", {"answer": passkey.create(options)})
        assert answer.status_code == 200, answer.content
        return passkey

    def another(self, passkey: Passkey | None = None, agent: str = CHROME) -> "Browser":
        """Sign in in one more browser."""
        used = passkey or self.passkey
        there = Browser(Client(headers={"Accept-Language": "en", "User-Agent": agent}), used)
        there.sign_in()
        return there

    def sign_in(self) -> None:
        options = self.json("/console/sign-in/begin", {}).json()["options"]
        answer = self.json("/console/sign-in/finish", {"answer": self.passkey.get(options)})
        assert answer.status_code == 200, answer.content


@dataclass
class Cast:
    shop: Salon
    vault: VaultProcess
    mail: Sink
    aoi: Browser
    kei: Browser


def _join(invite: str, area: str = "console", agent: str = SAFARI) -> Browser:
    browser = Browser(
        Client(headers={"Accept-Language": "en", "User-Agent": agent}), Passkey(GIVEN.origin, "localhost")
    )
    options = browser.json(f"/{area}/join/begin", {"invite": invite}).json()["options"]
    answer = browser.passkey.create(options)
    assert browser.json(f"/{area}/join/finish", {"invite": invite, "answer": answer}).status_code == 200
    return browser


@pytest.fixture
def cast(app_db: AppDatabase, vault: VaultProcess, mail: Sink) -> Iterator[Cast]:
    """A salon with two owners, each in a browser of her own."""
    assert app_db
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, SECRET_KEY="s" * 50):
        shop = salon()
        members = [
            people.Member(handle=one, role="owner", staff=None, name=one, mail=f"{one}@salon.example")
            for one in ("aoi", "kei")
        ]
        people.found_shop(shop.id, shop.slug, members)
        links: dict[str, str] = {}
        for message in mail.wait(2):
            found = re.search(r"/join#(\S+)", message.get_content())
            assert found is not None
            links[str(message["To"])] = found[1]
        yield Cast(shop, vault, mail, *(_join(links[one.mail]) for one in members))


def _age(cast: Cast, minutes: int = 10) -> None:
    """Let every sign-in and confirmation be so many minutes older."""
    query = "UPDATE vault.access_grant SET issued_at = issued_at - %s, confirmed_at = confirmed_at - %s"
    sql(cast.vault, query, minutes * 60_000, minutes * 60_000)


def _session_ids(browser: Browser) -> list[str]:
    return re.findall(r'name="which" value="([0-9a-f]{16})"', browser.page())


def _passkeys(browser: Browser) -> list[str]:
    return re.findall(r'href="/settings/security/passkeys/(pk-[0-9a-f]+)"', browser.page())


# -- a session ends with its grant


def _signs_out_another(cast: Cast, _other: Browser) -> None:
    [one] = _session_ids(cast.aoi)
    assert cast.aoi.post("/settings/security/sessions/end", which=one).status_code == 302


def _signs_out_others(cast: Cast, _other: Browser) -> None:
    cast.aoi.post("/settings/security/sessions/end", which="others")


def _signs_out_all(cast: Cast, _other: Browser) -> None:
    answer = cast.aoi.post("/settings/security/sessions/end", which="all")
    assert answer["Location"] == "/console/sign-in"


def _signs_out(_cast: Cast, other: Browser) -> None:
    other.post("/console/sign-out")


def _sets_password(cast: Cast, _other: Browser) -> None:
    cast.aoi.post("/settings/security/password", password=PASSWORD, again=PASSWORD)


def _removes_passkey(cast: Cast, _other: Browser) -> None:
    name = _passkeys(cast.aoi)[1]
    assert cast.aoi.post(f"/settings/security/passkeys/{name}", deed="remove").status_code == 302


def _ends_membership(cast: Cast, _other: Browser) -> None:
    people.end_member(_grant(cast.kei), f"aoi.{cast.shop.slug}")


def _ends_by_shell(cast: Cast, _other: Browser) -> None:
    people.end_grants("actor", f"aoi.{cast.shop.slug}")


def _raises_epoch(cast: Cast, _other: Browser) -> None:
    end_sessions(people.whoami(_grant(cast.aoi)).actor.id)


def _not_me(cast: Cast, _other: Browser) -> None:
    [one] = _session_ids(cast.aoi)
    assert cast.aoi.post(f"/settings/security/not-me/{one}")["Location"] == "/settings/secured"


def _grant(browser: Browser) -> str:
    return str(browser.client.cookies["noren_grant"].value)


@pytest.mark.parametrize(
    ("end", "own_lives"),
    [
        (_signs_out_another, True),
        (_signs_out_others, True),
        (_signs_out_all, False),
        (_signs_out, True),
        (_sets_password, True),
        (_removes_passkey, True),
        (_ends_membership, False),
        (_ends_by_shell, False),
        (_raises_epoch, False),
        (_not_me, False),
    ],
)
def test_a_session_ends_at_once_with_its_grant(
    cast: Cast, end: Callable[[Cast, Browser], None], *, own_lives: bool
) -> None:
    """On a page that shows nobody, in whatever way it was ended; the list then says just what is so."""
    other = cast.aoi.another(cast.aoi.add())
    assert other.enters()
    assert len(_session_ids(cast.aoi)) == 1
    end(cast, other)
    assert not other.enters()
    assert cast.aoi.enters() == own_lives
    assert cast.kei.enters()
    if own_lives:
        assert _session_ids(cast.aoi) == []
    # What has ended stays so when the vault cannot be asked.
    cast.vault.stop()
    assert not other.enters()
    assert cast.aoi.enters() == own_lives


def test_it_ends_by_time_and_the_list_agrees(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without use, or twelve in all: neither side lets it in, and the list does not name it."""
    for column, back in (("seen_at", timedelta(hours=1)), ("expires_at", timedelta(hours=12))):
        other = cast.aoi.another()
        assert len(_session_ids(cast.aoi)) == 1
        of = _grant(other).split(".")[1]
        query = f"UPDATE vault.access_grant SET {column} = {column} - %s WHERE grant_id = %s"  # noqa: S608
        sql(cast.vault, query, int(back.total_seconds() * 1000), of)
        assert _session_ids(cast.aoi) == []
        assert not other.enters()
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert not cast.aoi.enters()


def test_a_session_goes_on_while_the_vault_is_away(cast: Cast) -> None:
    """Pages that need no person stay open to who was in; the own account says that it cannot be read."""
    cast.vault.stop()
    assert cast.aoi.enters()
    assert cast.aoi.client.get("/settings/security").status_code == 503
    cast.vault.start()
    assert "Safari on macOS" in cast.aoi.page()


def test_signing_in_anew_ends_what_the_browser_had(cast: Cast) -> None:
    """The cookie is written over: the sign-in before it is not left in the list."""
    before = _grant(cast.aoi)
    cast.aoi.sign_in()
    assert _grant(cast.aoi) != before
    assert _session_ids(cast.aoi) == []
    assert cast.aoi.enters()


# -- what is shown to whom


def test_it_shows_devices_networks_and_events_in_words(cast: Cast) -> None:
    cast.aoi.another(agent=CHROME)
    page = cast.aoi.page()
    for words in (
        "Passkey of Safari on macOS",
        "Chrome on Android",
        "this network (127.0.0.x)",
        "Signed in with a passkey",
        "A passkey was made by an invitation",
    ):
        assert words in page
    assert "This wasn&#x27;t me" in page or "This wasn't me" in page
    assert "127.0.0.1" not in page
    for address in ("/settings/security", "/settings/security/events"):
        answer = cast.aoi.client.get(address)
        assert "no-store" in answer["Cache-Control"]
        assert 'href="/settings/security"' in answer.content.decode()


def test_it_leads_strangers_to_the_sign_in(cast: Cast) -> None:
    stranger = Client()
    for address in ("/settings/security", "/settings/security/events", "/settings/security/password"):
        answer = stranger.get(address)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/console/sign-in")
    assert stranger.post("/settings/security/sessions/end", {"which": "all"}).status_code == 302
    assert stranger.get("/settings/secured").status_code == 200
    assert cast.aoi.enters()


def test_it_shows_an_operator_passkeys_and_no_password(cast: Cast) -> None:
    """One passkey is one too few, which the page says; of two none may be removed."""
    operator = _join(people.invite_operator(), "operations")
    page = operator.page()
    assert "Add a second passkey" in page
    assert "/settings/security/password" not in page
    assert 'action="/operations/sign-out"' in page
    second = operator.add()
    page = operator.page()
    assert "Add a second passkey" not in page
    for name in _passkeys(operator):
        answer = operator.post(f"/settings/security/passkeys/{name}", deed="remove")
        assert answer.status_code == 409
        assert "add another one first" in answer.content.decode()
    assert operator.post("/settings/security/password", password=PASSWORD, again=PASSWORD).status_code == 403
    assert Browser(Client(), second).client.get("/settings/security").status_code == 302
    assert cast.aoi.enters()


def test_a_customer_sees_where_she_is_signed_in(cast: Cast) -> None:
    """Her sessions and events; passkey and password are set up in her account. Out leads to her own door."""
    mail = "hanako@example.jp"
    people.import_rows(cast.shop.id, [people.Row("c1", {"name": "山田 花子", "mail": mail})])
    her = Client(headers={"Accept-Language": "en", "User-Agent": CHROME})
    before = len(cast.mail.messages)
    her.post(f"/{cast.shop.slug}/my-data/code", {"mail": mail})
    wait_for(lambda: len(cast.mail.messages) > before)
    code = re.search(r"Your code is ([0-9]{6})", cast.mail.messages[-1].get_content())
    assert code is not None
    her.post(f"/{cast.shop.slug}/my-data/enter", {"mail": mail, "code": code[1]})
    page = her.get("/settings/security").content.decode()
    for words in ("Chrome on Android", "Mailed code", "Signed in with a mailed code"):
        assert words in page
    assert page.count(f'href="/{cast.shop.slug}/account/ways"') == 2
    for part in ('id="codes"', 'class="rail"'):
        assert part not in page
    assert her.get("/settings/security/password").status_code == 302
    # Her look at her own sessions is a line among those at her data.
    seen = her.get(f"/{cast.shop.slug}/my-data").content.decode()
    assert "You yourself saw your network address and device, on your own page" in seen
    answer = her.post("/settings/security/sessions/end", {"which": "all"})
    assert answer["Location"] == f"/{cast.shop.slug}/account"
    assert her.get("/settings/security").status_code == 302


def test_what_is_anothers_is_not_there(cast: Cast) -> None:
    """Another's passkey, session and event get the very page of one that never was."""
    [session], [passkey] = _session_ids_of(cast.kei), _passkeys(cast.kei)
    entry = re.search(
        r'/settings/security/not-me/([0-9]{1,15})"', cast.kei.another().page("/settings/security")
    )
    assert entry is not None
    token = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    for there, nowhere, data in (
        (f"passkeys/{passkey}", "passkeys/pk-none", {"deed": "remove"}),
        (f"passkeys/{passkey}", "passkeys/pk-none", {"deed": "rename", "label": "x"}),
        (f"passkeys/{passkey}", "passkeys/pk-none", None),
        (f"not-me/{session}", "not-me/0123456789abcdef", {}),
        (f"not-me/{entry[1]}", "not-me/999999999", {}),
    ):
        pages = set()
        for address in (there, nowhere):
            whole = f"/settings/security/{address}"
            answer = cast.aoi.client.get(whole) if data is None else cast.aoi.client.post(whole, data)
            assert answer.status_code == 404
            pages.add(token.sub("", answer.content.decode()))
        assert len(pages) == 1
    assert cast.aoi.post("/settings/security/sessions/end", which=session).status_code == 404
    assert cast.kei.enters()


def _session_ids_of(browser: Browser) -> list[str]:
    return [_grant(browser).split(".")[1]]


# -- changes


def test_a_change_asks_first_whether_it_is_she(cast: Cast) -> None:
    """After five minutes each way to a change leads over the confirming page and back; then it goes on."""
    aoi = cast.aoi
    aoi.add()
    name = _passkeys(aoi)[1]
    _age(cast)
    for address in ("passkeys/add", "password", "not-me/0123456789abcdef"):
        answer = aoi.client.get(f"/settings/security/{address}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/settings/security/confirm?next=%2Fsettings%2Fsecurity%2F")
    assert aoi.post(f"/settings/security/passkeys/{name}", deed="remove")["Location"].startswith(
        "/settings/security/confirm"
    )
    assert aoi.post("/settings/security/codes")["Location"].startswith("/settings/security/confirm")
    assert len(_passkeys(aoi)) == 2
    page = aoi.page("/settings/security/confirm?next=/settings/security/password")
    assert "Confirm with your passkey" in page
    assert 'id="password"' not in page
    aoi.confirm()
    assert aoi.post(f"/settings/security/passkeys/{name}", deed="remove").status_code == 302
    assert len(_passkeys(aoi)) == 1
    assert "not-me" not in aoi.page("/settings/security/confirm?next=https://evil.example/")


def test_a_passkey_gets_a_name(cast: Cast) -> None:
    """Any text, shown as text; control signs are left out, and an empty one is none."""
    [name] = _passkeys(cast.aoi)
    cast.aoi.post(f"/settings/security/passkeys/{name}", deed="rename", label="<b>鍵\x07</b> " + "x" * 90)
    assert "&lt;b&gt;鍵&lt;/b&gt;" in cast.aoi.page()
    cast.aoi.post(f"/settings/security/passkeys/{name}", deed="rename", label="")
    assert "Passkey of Safari on macOS" in cast.aoi.page()


def test_the_password_is_changed_by_the_old_one(cast: Cast) -> None:
    aoi, where = cast.aoi, "/settings/security/password"
    assert 'id="old"' not in aoi.page(where)
    assert aoi.post(where, password=PASSWORD, again="another").status_code == 422
    short = aoi.post(where, password="short", again="short")
    assert short.status_code == 422
    assert "Please use at least 15 characters" in short.content.decode()
    assert (
        aoi.post(where, password=PASSWORD, again=PASSWORD)["Location"] == "/settings/security?done=password"
    )
    _age(cast)
    assert 'id="old"' in aoi.page(where)
    new = "seven other quiet words"
    for old in ("", "not the old one at all"):
        refused = aoi.post(where, old=old, password=new, again=new)
        assert refused.status_code in (403, 422)
        assert "not your present password" in refused.content.decode()
    assert aoi.post(where, old=PASSWORD, password=new, again=new).status_code == 302
    assert isinstance(people.password_check(cast.shop.id, "aoi@salon.example", new), people.SignedIn)
    assert "value=" + '"' + new not in refused.content.decode()


def test_codes_are_set_up_with_a_picture_and_recovery_codes(cast: Cast) -> None:
    """The seed is shown once and kept nowhere here; a wrong code turns nothing on, a right one does."""
    aoi = cast.aoi
    aoi.post("/settings/security/password", password=PASSWORD, again=PASSWORD)
    begun = aoi.post("/settings/security/codes").content.decode()
    assert 'src="data:image/svg+xml' in begun
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', begun)
    assert secret is not None
    seed = secret[1].replace(" ", "")
    wrong = aoi.post("/settings/security/codes/on", code="12345")
    assert wrong.status_code == 403
    assert "not right" in wrong.content.decode()
    on = aoi.post("/settings/security/codes/on", code=pyotp.TOTP(seed).now()).content.decode()
    codes = re.findall(r"<code>([a-z2-7-]{29})</code>", on)
    assert len(set(codes)) == 10
    asked = people.password_check(cast.shop.id, "aoi@salon.example", PASSWORD, session="s")
    assert isinstance(asked, people.Second)
    _, left = people.recovery_use(asked.ticket, codes[0], session="s")
    assert left == 9
    assert "9 recovery codes are left" in aoi.page()
    stored = repr([SessionStore().decode(data) for data in _session_rows()])
    assert seed not in stored
    assert codes[1] not in stored
    again = aoi.post("/settings/security/recovery").content.decode()
    assert not set(re.findall(r"<code>([a-z2-7-]{29})</code>", again)) & set(codes)
    assert aoi.post("/settings/security/codes/off").status_code == 302
    assert isinstance(people.password_check(cast.shop.id, "aoi@salon.example", PASSWORD), people.SignedIn)


def _session_rows() -> list[str]:
    from django.contrib.sessions.models import Session  # noqa: PLC0415 - needs the apps loaded

    return list(Session.objects.values_list("session_data", flat=True))


def test_reading_changes_nothing(cast: Cast) -> None:
    """What changes or makes a secret is a POST; a GET of it is refused, or shows a form."""
    for address in ("codes", "codes/on", "codes/off", "recovery", "sessions/end", "confirm/begin"):
        assert cast.aoi.client.get(f"/settings/security/{address}").status_code == 405
    other = cast.aoi.another()
    [one] = _session_ids(cast.aoi)
    assert "Every sign-in ends" in cast.aoi.page(f"/settings/security/not-me/{one}")
    assert other.enters()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        pytest.param(CHROME, "Chrome on Android", id="chrome"),
        pytest.param(SAFARI, "Safari on macOS", id="safari"),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
            id="iphone",
        ),
        pytest.param(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
            id="edge",
        ),
        pytest.param(
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
            id="firefox",
        ),
        pytest.param(
            "Mozilla/5.0 (Linux; Android 14) SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
            id="samsung",
        ),
        pytest.param("curl/8.5.0", "", id="curl"),
        pytest.param("", "", id="none"),
    ],
)
def test_it_reads_what_a_browser_says_it_is(agent: str, words: str) -> None:
    assert devices.device(agent) == words
