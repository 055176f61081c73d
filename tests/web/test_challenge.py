"""What a stranger's page is asked for, and the cookie by which a browser is known again."""

import re

from django.test import Client, RequestFactory

from noren.errors import TooManyTries
from noren.web.errors import noren_error
from noren_vault.levels import ADDRESS
from noren_vault.puzzles import solve
from tests.api.salon import Salon
from tests.servers import VaultProcess


def test_it_asks_in_the_form_and_takes_the_answer(made: Salon, vault: VaultProcess) -> None:
    assert vault
    client = Client(headers={"Accept-Language": "en"})
    address = f"/{made.slug}/my-data/code"
    for number in range(ADDRESS.short):
        assert client.post(address, {"mail": f"nobody{number}@example.jp"}).status_code == 200
    asked = client.post(address, {"mail": "nobody@example.jp"})
    page = asked.content.decode()
    assert asked.status_code == 429
    assert "no-store" in asked.headers["Cache-Control"]
    assert 'value="nobody@example.jp"' in page
    found = re.search(r'data-challenge="([\w-]+)" data-bits="(\d+)"', page)
    assert found is not None
    assert f'name="proof" value="{found[1]}:"' in page
    early = client.post(address, {"mail": "nobody@example.jp", "proof": f"{found[1]}:"})
    assert early.status_code == 429
    other = client.post(address, {"mail": "other@example.jp", "proof": solve(found[1], int(found[2]))})
    assert other.status_code == 429
    proof = solve(found[1], int(found[2]))
    assert client.post(address, {"mail": "nobody@example.jp", "proof": proof}).status_code == 200
    typed = client.post(f"/{made.slug}/my-data/enter", {"mail": "nobody@example.jp", "code": "123456"})
    assert typed.status_code == 429
    assert "data-challenge" in typed.content.decode()
    assert 'value="123456"' in typed.content.decode()


def test_it_says_how_long_to_wait() -> None:
    request = RequestFactory().get("/", headers={"Accept": "application/json"})
    answer = noren_error(request, TooManyTries(wait=120))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "120")
    assert b"120" in answer.content


def test_it_knows_a_browser_after_a_sign_in_and_not_before(staff: Client, made: Salon) -> None:
    """The cookie is for the server alone, and stays the same from sign-in to sign-in."""
    cookie = staff.cookies["noren_device"]
    assert re.fullmatch(r"[\w-]{43}", cookie.value)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    stranger = Client()
    stranger.get("/console/sign-in")
    stranger.post(f"/{made.slug}/my-data/enter", {"mail": "nobody@example.jp", "code": "1"})
    assert "noren_device" not in stranger.cookies
