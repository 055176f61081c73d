"""Signing in by an organisation's provider, page by page, through a published provider."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from noren import people
from tests.accounts.passkey import Passkey
from tests.api.salon import NOON, Salon
from tests.environment import GIVEN
from tests.providers import CLIENT, SECRET, Published, published
from tests.servers import Sink, VaultProcess
from tests.web.conftest import last_from_noon

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Published]:
    with published() as one:
        yield one


@pytest.fixture
def near(vault: VaultProcess, monkeypatch: pytest.MonkeyPatch) -> VaultProcess:
    """A vault whose providers may be on this machine; its sign-ins last from the salon's noon."""
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_SSO_PRIVATE": "localhost"}
    vault.start()
    last_from_noon(monkeypatch)
    finish = people.sso_finish

    def later(*args: Any, **named: Any) -> Any:
        told = finish(*args, **named)
        if not isinstance(told, people.SignedIn):
            return told
        return replace(told, who=replace(told.who, expires=NOON + timedelta(hours=12)))

    monkeypatch.setattr(people, "sso_finish", later)
    return vault


class Person:
    """Somebody with a browser and a passkey."""

    def __init__(self) -> None:
        self.browser = Client(headers={"Accept-Language": "en"}, enforce_csrf_checks=False)
        self.passkey = Passkey(GIVEN.origin, "localhost")

    def join(self, invite: str) -> "Person":
        options = self.posted("/console/join/begin", {"invite": invite})["options"]
        answer = self.passkey.create(options)
        self.posted("/console/join/finish", {"invite": invite, "answer": answer})
        return self

    def posted(self, address: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
        answer = self.browser.post(address, body, content_type="application/json", headers=JSON)
        assert answer.status_code == status, answer.content
        told: dict[str, Any] = answer.json()
        return told

    def sets(self, **fields: str) -> dict[str, Any]:
        """Save the provider's settings with the passkey."""
        options = self.posted("/console/sso/begin", {"fields": fields})["options"]
        answer = self.passkey.get(options)
        return self.posted("/console/sso/finish", {"fields": fields, "answer": answer})


def fields(provider: Published, **changed: str) -> dict[str, str]:
    """The settings' form, as the page sends it."""
    good = {
        "use": "beside",
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "secret": SECRET,
        "claim": "groups",
        "groups_staff": "stylists\nassistants",
        "groups_reception": "desk",
        "domains": "",
        "arrivals": "yes",
    }
    return {**good, **changed}


@pytest.fixture
def owner(made: Salon, near: VaultProcess, mail: Sink) -> Person:
    """Aoi, who owns the salon."""
    assert near
    aoi = people.Member(handle="aoi", role="owner", staff="aoi", name="青木 葵", mail="aoi@salon.example")
    people.found_shop(made.id, made.slug, [aoi])
    found = re.search(r"/join#(\S+)", mail.wait()[-1].get_content())
    assert found is not None
    return Person().join(found[1])


def goes(browser: Client, address: str, **form: str) -> str:
    """Begin; gives the provider's address that the page leads to."""
    page = browser.post(address, form)
    assert page.status_code == 200, page.content
    found = re.search(r'<a [^>]*href="([^"]+)"[^>]*data-onward', page.content.decode())
    assert found is not None
    return unescape(found[1])


def test_a_whole_way_by_the_pages(made: Salon, owner: Person, provider: Published) -> None:
    assert owner.sets(**fields(provider))["next"] == "/console/sso?saved=yes"
    shown = owner.browser.get("/console/sso").content.decode()
    assert provider.issuer in shown
    assert "stylists\nassistants" in shown
    assert f"{GIVEN.origin}/sso/back" in shown
    assert SECRET not in unescape(shown)
    provider.knows("yuki", email="yuki@corp.example.jp", name="雪", groups=["desk"])
    browser = Client(headers={"Accept-Language": "en"})
    door = browser.get(f"/console/sign-in?shop={made.slug}&next=/console/day").content.decode()
    assert "Sign in with your organisation" in door
    url = goes(browser, "/sso/begin?next=/console/day", shop=made.slug)
    given = provider.signs_in(url, "yuki")
    page = browser.get("/sso/back", given)
    # What comes from another site changes nothing: it is a form to be sent on.
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert browser.get("/console/").status_code == 302
    done = browser.post("/sso/back", given)
    assert (done.status_code, done["Location"]) == (302, "/console/day")
    assert done.cookies["noren_grant"]["samesite"] == "Strict"
    assert browser.get("/console/").status_code == 200
    # Once.
    assert browser.post("/sso/back", given).status_code == 403


def test_nothing_of_it_lies_on_the_apps_side(made: Salon, owner: Person, provider: Published) -> None:
    owner.sets(**fields(provider))
    provider.knows("sub-of-rin", email="rin@corp.example.jp", name="凛子", groups=["desk"])
    browser = Client(headers={"Accept-Language": "en"})
    given = provider.signs_in(goes(browser, "/sso/begin", shop=made.slug), "sub-of-rin")
    kept = [str(one.get_decoded()) for one in Session.objects.all()]
    browser.post("/sso/back", given)
    kept += [str(one.get_decoded()) for one in Session.objects.all()]
    for word in ("sub-of-rin", "rin@corp.example.jp", "凛子", SECRET, given["code"], given["state"]):
        assert word not in " ".join(kept)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_leads_to_no_other_site(made: Salon, owner: Person, provider: Published, wanted: str) -> None:
    owner.sets(**fields(provider))
    provider.knows("sui", email="sui@corp.example.jp", groups=["desk"])
    browser = Client()
    given = provider.signs_in(goes(browser, f"/sso/begin?next={wanted}", shop=made.slug), "sui")
    assert browser.post("/sso/back", given)["Location"] == "/console/"


def test_another_browser_cannot_finish_what_one_began(
    made: Salon, owner: Person, provider: Published
) -> None:
    owner.sets(**fields(provider))
    provider.knows("mallory", email="mallory@corp.example.jp", groups=["desk"])
    attacker, victim = Client(), Client()
    given = provider.signs_in(goes(attacker, "/sso/begin", shop=made.slug), "mallory")
    assert victim.post("/sso/back", given).status_code == 403
    # Nor with a way of the victim's own under way.
    goes(victim, "/sso/begin", shop=made.slug)
    assert victim.post("/sso/back", given).status_code == 403
    assert victim.get("/console/").status_code == 302


def test_the_form_is_ours_and_the_back_channel_is_the_providers(made: Salon, owner: Person) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/sso/back", {"state": "s", "code": "c"}).status_code == 403
    assert browser.post("/sso/begin", {"shop": made.slug}).status_code == 403
    for slug in (made.slug, "nowhere"):
        told = browser.post(f"/sso/signed-out/{slug}", {"logout_token": "a.b.c"})
        assert (told.status_code, told.json()) == (400, {"error": "invalid_request"})
    assert browser.get(f"/sso/signed-out/{made.slug}").status_code == 405
    assert browser.get("/sso/begin").status_code == 405
    assert browser.get("/sso/back", {"error": "access_denied", "state": "s"}).status_code == 403


def test_a_shop_without_a_provider_and_none_at_all_answer_alike(made: Salon, owner: Person) -> None:
    one, other = (
        Client(headers={"Accept-Language": "en"}).post("/sso/begin", {"shop": slug})
        for slug in (made.slug, "nowhere")
    )
    assert one.status_code == other.status_code == 404
    door = Client(headers={"Accept-Language": "en"}).get(f"/console/sign-in?shop={made.slug}")
    assert "Short name of the shop" in door.content.decode()


def test_what_is_wrong_with_a_setting_is_said(owner: Person, provider: Published) -> None:
    for changed, said in (
        ({"issuer": "http://sso.example.jp"}, "Issuer"),
        ({"groups_manager": "desk"}, "desk"),
        ({"groups_staff": "", "groups_reception": ""}, "Groups and roles"),
        ({"domains": "not a domain"}, "Mail domains"),
        ({"use": "sometimes"}, "What it is for"),
    ):
        told = owner.posted("/console/sso/begin", {"fields": fields(provider, **changed)}, 422)
        assert said in told["message"], told
    told = owner.posted("/console/sso/begin", {"fields": fields(provider, secret="")}, 404)
    assert told["code"] == "no_sso"


def test_the_only_way(made: Salon, owner: Person, provider: Published) -> None:
    owner.sets(**fields(provider))
    wanted = fields(provider, use="only", secret="")
    options = owner.posted("/console/sso/begin", {"fields": wanted})["options"]
    answer = owner.passkey.get(options)
    assert owner.posted("/console/sso/finish", {"fields": wanted, "answer": answer}, 409)["code"] == (
        "sso_not_tried"
    )
    provider.knows("aoi", email="aoi@corp.example.jp", groups=["stylists"])
    given = provider.signs_in(goes(owner.browser, "/console/sso/link"), "aoi")
    assert owner.browser.post("/sso/back", given)["Location"] == "/console/sso?linked=yes"
    owner.sets(**wanted)
    door = Client(headers={"Accept-Language": "en"}).get(f"/console/sign-in?shop={made.slug}")
    page = door.content.decode()
    assert page.index("Sign in with your organisation") < page.index("Sign in with your passkey")
    owner.sets(use="off")
    assert people.sso_at(made.id) is None


def test_who_owns_nothing_sets_nothing(made: Salon, owner: Person, provider: Published) -> None:
    owner.sets(**fields(provider))
    provider.knows("kai", email="kai@corp.example.jp", groups=["stylists"])
    kai = Person()
    given = provider.signs_in(goes(kai.browser, "/sso/begin", shop=made.slug), "kai")
    kai.browser.post("/sso/back", given)
    page = kai.browser.get("/console/sso").content.decode()
    assert "The owner decides this." in page
    assert "stylists" not in page
    kai.posted("/console/sso/begin", {"fields": fields(provider)}, 403)
    assert Client().post("/console/sso/begin").status_code == 302
