"""Sign-in by passkey through the real vault: from the invitation's mail to the last sign-out."""

from copy import copy
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from noren import clock, people
from noren.accounts import session, signin
from noren.errors import GrantExpired, InviteRefused, PasskeyRefused, VaultUnavailable
from tests.accounts.house import ORIGIN, Colleague, invitations, staffed
from tests.accounts.passkey import Passkey
from tests.servers import Sink, VaultProcess

pytestmark = pytest.mark.usefixtures("app_db", "module_vault")

NAO = people.Member(handle="nao", role="owner", staff="nao", name="中村 奈央", mail="nao@example.com")
KEI = people.Member(handle="kei", role="owner", staff=None, name="木村 圭", mail="kei@example.com")


def request_with(store: SessionStore, cookies: dict[str, str] | None = None) -> HttpRequest:
    request = RequestFactory().post("/console/sign-in/finish")
    request.session = store
    request.COOKIES.update(cookies or {})
    return request


@pytest.fixture(scope="module")
def aoi(module_mail: Sink, module_vault: VaultProcess) -> Colleague:
    return staffed(1, "salon", module_mail)["aoi"]


def sign_in(passkey: Passkey, store: SessionStore) -> signin.Entered:
    request = request_with(store)
    options = signin.begin_signin(request)
    return signin.finish_signin(request, passkey.get(options), now=clock.now())


def cookies_of(entered: signin.Entered) -> dict[str, str]:
    response = HttpResponse()
    entered.into(response)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def test_it_joins_by_the_mailed_invitation_and_is_signed_in_at_once(module_mail: Sink) -> None:
    people.found_shop(2, "yoga", (NAO,))
    invite = invitations(module_mail, 1)[NAO.mail]
    store = SessionStore()
    answer = Passkey(ORIGIN, "localhost").create(signin.begin_join(invite))
    entered = signin.finish_join(request_with(store), invite, answer, now=clock.now())
    assert (entered.who.actor.handle, entered.who.role, entered.home) == ("nao.yoga", "owner", "/console/")
    known = session.read_session(request_with(store, cookies_of(entered)), now=clock.now())
    assert known is not None
    assert (known.handle, known.shop_id, known.staff_id) == ("nao.yoga", 2, "nao")


def test_it_takes_an_invitation_once(module_mail: Sink) -> None:
    people.found_shop(3, "court", (KEI,))
    invite = invitations(module_mail, 1)[KEI.mail]
    answer = Passkey(ORIGIN, "localhost").create(signin.begin_join(invite))
    signin.finish_join(request_with(SessionStore()), invite, answer, now=clock.now())
    with pytest.raises(InviteRefused):
        signin.begin_join(invite)


def test_it_signs_in_again_with_the_passkey_and_the_grant_works(aoi: Colleague) -> None:
    store = SessionStore()
    entered = sign_in(aoi.passkey, store)
    known = session.read_session(request_with(store, cookies_of(entered)), now=clock.now())
    assert known is not None
    assert people.whoami(known.grant).actor.handle == "aoi.salon"


@pytest.mark.parametrize(
    ("secure", "forwarded", "told"),
    [
        (True, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (True, "2001:db8::7", "2001:db8::7"),
        (True, "198.51.100.1, unknown", "127.0.0.1"),
        (True, "", "127.0.0.1"),
        (False, "203.0.113.9", "127.0.0.1"),
    ],
)
def test_it_tells_the_vault_what_the_proxy_saw(
    monkeypatch: pytest.MonkeyPatch, *, secure: bool, forwarded: str, told: str
) -> None:
    """Behind the proxy of production every peer is 127.0.0.1, which says nothing after a leak."""
    seen: dict[str, Any] = {}

    def finish(*_args: Any, **named: Any) -> people.SignedIn:
        seen.update(named)
        raise PasskeyRefused

    monkeypatch.setattr(people, "register_finish", finish)
    request = request_with(SessionStore())
    request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    with override_settings(SESSION_COOKIE_SECURE=secure), pytest.raises(PasskeyRefused):
        signin.finish_join(request, "invite", {}, now=clock.now())
    assert seen["address"] == told


def test_it_keeps_no_challenge_after_the_sign_in(aoi: Colleague) -> None:
    store = SessionStore()
    sign_in(aoi.passkey, store)
    assert signin.BEGUN not in store


@pytest.mark.parametrize("origin", ["http://localhost.example:8000", "https://evil.example"])
def test_it_refuses_a_passkey_used_at_another_site(aoi: Colleague, origin: str) -> None:
    elsewhere = copy(aoi.passkey)
    elsewhere.origin = origin
    with pytest.raises(PasskeyRefused):
        sign_in(elsewhere, SessionStore())


def test_it_refuses_a_passkey_that_nobody_enrolled(aoi: Colleague) -> None:
    with pytest.raises(PasskeyRefused):
        sign_in(Passkey(ORIGIN, "localhost"), SessionStore())


def test_it_refuses_an_answer_that_another_browser_asked_for(aoi: Colleague) -> None:
    answer = aoi.passkey.get(signin.begin_signin(request_with(SessionStore())))
    with pytest.raises(PasskeyRefused):
        signin.finish_signin(request_with(SessionStore()), answer, now=clock.now())


def test_it_refuses_the_same_answer_twice(aoi: Colleague) -> None:
    store = SessionStore()
    request = request_with(store)
    challenge = signin.begin_signin(request)
    answer = aoi.passkey.get(challenge)
    signin.finish_signin(request, answer, now=clock.now())
    store[signin.BEGUN] = challenge["challenge"]
    with pytest.raises(PasskeyRefused):
        signin.finish_signin(request, answer, now=clock.now())


@pytest.mark.parametrize(
    "answer", [{}, {"id": "x"}, {"id": 7, "response": []}, {"response": {"clientDataJSON": "!"}}]
)
def test_it_refuses_an_answer_that_is_none(aoi: Colleague, answer: dict[str, Any]) -> None:
    request = request_with(SessionStore())
    signin.begin_signin(request)
    with pytest.raises(PasskeyRefused):
        signin.finish_signin(request, answer, now=clock.now())


def test_it_signs_out_of_the_vault_the_session_and_the_cookie(aoi: Colleague) -> None:
    store = SessionStore()
    cookies = cookies_of(sign_in(aoi.passkey, store))
    response = HttpResponse()
    signin.sign_out(request_with(store, cookies), response)
    assert response.cookies["noren_grant"].value == ""
    assert session.read_session(request_with(store, cookies), now=clock.now()) is None
    with pytest.raises(GrantExpired):
        people.whoami(cookies["noren_grant"])


def test_it_signs_out_while_the_vault_is_away(aoi: Colleague, module_vault: VaultProcess) -> None:
    store = SessionStore()
    cookies = cookies_of(sign_in(aoi.passkey, store))
    module_vault.stop()
    response = HttpResponse()
    signin.sign_out(request_with(store, cookies), response)
    module_vault.start()
    assert response.cookies["noren_grant"].value == ""
    assert session.STAFF.key not in store


def test_it_says_so_when_the_vault_is_away() -> None:
    with override_settings(VAULT_SOCKET=Path("/nowhere/vault.sock")), pytest.raises(VaultUnavailable):
        signin.begin_signin(request_with(SessionStore()))
