"""The way of a booking inside another site's page: where it may stand, without a cookie, forged by nobody."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.signing import TimestampSigner
from django.test import Client

from noren import clock
from noren.booking.models import Booking, Status
from noren.shops import rules
from noren.shops.models import Service, Shop
from noren.shops.tenancy import shop
from noren.web import reserve, shopfront
from tests.api.salon import NOON, Salon, salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

SITE = "https://www.aoba.example"
AT = str(int(TOMORROW.timestamp()))


@pytest.fixture
def allowed(made: Salon) -> Salon:
    with shop(made.id), rules.change():
        Shop.objects.update(embed_origins=[SITE, "https://aoba.example"])
    return made


def paths(made: Salon) -> list[str]:
    return ["/salon/embed/", f"/salon/embed/book/{made.cut}/", f"/salon/embed/book/{made.cut}/you"]


def policy(answer: Any) -> str:
    [found] = re.findall(r"frame-ancestors ([^;]+)", answer.headers["Content-Security-Policy"])
    return str(found)


def rows(made: Salon) -> list[Booking]:
    with shop(made.id):
        return list(Booking.objects.all())


# -- where it may stand


def test_it_stands_in_the_sites_that_the_shop_named(allowed: Salon) -> None:
    for path in paths(allowed):
        answer = Client().get(path)
        assert policy(answer) == f"{SITE} https://aoba.example"
        assert "X-Frame-Options" not in answer.headers


def test_it_stands_nowhere_before_one_is_named(made: Salon) -> None:
    for path in paths(made):
        assert policy(Client().get(path)) == "'none'"


@pytest.mark.parametrize(
    "path", ["/", "/salon/", "/salon/account", "/salon/legal", "/console/sign-in", "/b/x"]
)
def test_nothing_else_stands_in_a_frame(allowed: Salon, path: str) -> None:
    answer = Client().get(path)
    assert policy(answer) == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_rest_of_the_policy_is_the_same(allowed: Salon) -> None:
    framed = Client().get("/salon/embed/").headers["Content-Security-Policy"]
    usual = Client().get("/salon/").headers["Content-Security-Policy"]
    assert sorted(framed.replace(policy(Client().get("/salon/embed/")), "'none'").split("; ")) == sorted(
        usual.split("; ")
    )


def test_an_error_stands_there_too(allowed: Salon) -> None:
    answer = Client().get("/salon/embed/book/999/", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert policy(answer) == f"{SITE} https://aoba.example"
    assert 'class="button next" href="/salon/embed/?lang=en"' in answer.content.decode()


def test_another_shops_sites_are_its_own(allowed: Salon) -> None:
    salon("other")
    assert policy(Client().get("/other/embed/")) == "'none'"


# -- without a cookie


def test_it_books_without_a_cookie(allowed: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open("/salon/embed/?lang=en")
    customer.open(re.findall(r'href="(/salon/embed/book/\d+/[^"]*)"', customer.text)[0])
    customer.press("at", AT)
    assert customer.now_at.startswith(f"/salon/embed/book/{allowed.cut}/you?")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert customer.now_at.startswith("/salon/embed/done/")
    assert policy(customer.page) == f"{SITE} https://aoba.example"
    assert "You are booked." in customer.text
    assert not customer.client.cookies
    [row] = rows(allowed)
    assert (row.status, row.locale) == (Status.CONFIRMED, "en")


def test_it_leads_on_inside_and_to_the_account_outside(allowed: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/embed/book/{allowed.cut}/?lang=ja")
    links = re.findall(r'<a [^>]*href="(/[^"]*)"([^>]*)>', customer.text)
    inside = {address for address, rest in links if "target=" not in rest}
    assert inside
    assert all(address.startswith("/salon/embed/") and "lang=ja" in address for address in inside)
    customer.press("at", AT)
    [account] = re.findall(r'<a href="/salon/account\?next=[^"]*"[^>]*>', customer.text)
    assert 'target="_blank" rel="noopener"' in account
    assert f"next=%2Fsalon%2Fbook%2F{allowed.cut}%2Fyou" in account


def test_who_is_signed_in_counts_as_anybody(allowed: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of a site that may show the form has none of her powers, and nothing of her on it."""

    def asked(*_args: object) -> None:
        raise AssertionError("who is signed in was looked for")

    monkeypatch.setattr(reserve, "signed_in", asked)
    customer = Visitor()
    customer.open(f"/salon/embed/book/{allowed.cut}/")
    customer.press("at", AT)
    assert 'id="id_name"' in customer.text
    customer.press("step", "final", **CUSTOMER)
    assert customer.page.status_code == 200
    with pytest.raises(AssertionError, match="was looked for"):
        Client().get(customer.now_at.split("?")[0].replace("/embed", ""), {"held": _held(customer)})


def _held(customer: Visitor) -> str:
    return str(customer.forms()[0].values["held"])


def test_it_offers_the_nearest_where_somebody_was_faster(allowed: Salon) -> None:
    late = Visitor()
    late.open(f"/salon/embed/book/{allowed.cut}/?lang=ja")
    for _each in allowed.staff:
        other = Visitor()
        other.open(f"/salon/book/{allowed.cut}/")
        other.press("at", AT)
    late.press("at", AT)
    assert late.page.status_code == 409
    assert policy(late.page) == f"{SITE} https://aoba.example"
    late.press("at")
    assert "/embed/" in late.now_at


def test_what_goes_wrong_is_said_in_the_frame(allowed: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(shopfront, "offers", broken)
    answer = Client(raise_request_exception=False).get(f"/{allowed.slug}/embed/?lang=en")
    assert answer.status_code == 500
    assert policy(answer) == f"{SITE} https://aoba.example"
    assert "X-Frame-Options" not in answer.headers
    assert "please try again soon" in answer.content.decode()


def test_a_booking_on_request_says_so(allowed: Salon, vault: VaultProcess) -> None:
    assert vault
    with shop(allowed.id), rules.change():
        Service.objects.filter(id=allowed.cut).update(approval="keeps")
    customer = Visitor()
    customer.open(f"/salon/embed/book/{allowed.cut}/?lang=en")
    customer.press("at", AT)
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert "You have asked for this time." in customer.text
    assert "own_cancel" not in customer.text
    assert "/cancel" not in customer.text


def test_a_booking_is_shown_in_its_own_shops_frame_only(allowed: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open(f"/salon/embed/book/{allowed.cut}/")
    customer.press("at", AT)
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    token = customer.now_at.split("/done/")[1].split("?")[0]
    salon("other")
    assert Client().get(f"/other/embed/done/{token}").status_code == 404
    assert Client().get(f"/salon/embed/done/{token}x").status_code == 404


# -- forged by nobody


def _token(made: Salon) -> str:
    text = Client().get(f"/salon/embed/book/{made.cut}/").content.decode()
    return str(re.findall(r'name="csrfmiddlewaretoken" value="([^"]*)"', text)[0])


def _post(made: Salon, token: str, **headers: str) -> int:
    client = Client(enforce_csrf_checks=True)
    sent = {"at": AT, "csrfmiddlewaretoken": token}
    return client.post(f"/salon/embed/book/{made.cut}/", sent, headers=headers).status_code


def test_it_takes_a_form_of_its_own_page(allowed: Salon) -> None:
    assert _post(allowed, _token(allowed)) == 302
    assert _post(allowed, _token(allowed), Origin="http://testserver") == 302


@pytest.mark.parametrize("origin", [SITE, "https://evil.example", "null", "http://testserver.evil.example"])
def test_it_takes_no_form_from_another_site(allowed: Salon, origin: str) -> None:
    """Not even from one in which it may stand: there the visitor presses in our frame, or nowhere."""
    assert _post(allowed, _token(allowed), Origin=origin) == 403
    assert not rows(allowed)


def test_a_refused_form_says_so_inside(allowed: Salon) -> None:
    answer = Client().post(f"/salon/embed/book/{allowed.cut}/?lang=en", {"at": AT})
    assert answer.status_code == 403
    assert policy(answer) == f"{SITE} https://aoba.example"
    assert 'href="/salon/embed/?lang=en"' in answer.content.decode()


def test_it_takes_no_form_without_its_token(allowed: Salon) -> None:
    other = salon("other")
    theirs = re.findall(
        r'name="csrfmiddlewaretoken" value="([^"]*)"',
        Client().get(f"/other/embed/book/{other.cut}/").content.decode(),
    )[0]
    forged = TimestampSigner(salt="another").sign(str(allowed.id))
    for token in ("", "x", forged, theirs, f"{_token(allowed)}x"):
        assert _post(allowed, token) == 403


def test_a_form_grows_old(allowed: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _token(allowed)
    later = clock.now() + timedelta(days=2)
    import_time = "django.core.signing.time.time"
    monkeypatch.setattr(import_time, lambda: later.timestamp() + 1e9)
    assert _post(allowed, token) == 403


def test_the_usual_way_takes_no_such_token(allowed: Salon) -> None:
    client = Client(enforce_csrf_checks=True)
    sent = {"at": AT, "csrfmiddlewaretoken": _token(allowed)}
    assert client.post(f"/salon/book/{allowed.cut}/", sent).status_code == 403


# -- the tag


def test_the_tag_leads_to_its_script(allowed: Salon) -> None:
    answer = Client().get("/salon/embed.js", follow=False)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("noren/embed.js")
    assert Client().get("/nobody/embed.js").status_code == 404


def test_it_keeps_nothing_of_a_time_that_is_not_taken(allowed: Salon) -> None:
    assert NOON
    Client().get(f"/salon/embed/book/{allowed.cut}/")
    assert not rows(allowed)
