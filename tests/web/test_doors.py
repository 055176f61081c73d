"""The doors of the console and of operations, and the operators' first page."""

import pytest
from django.test import Client

from tests.api.salon import Salon
from tests.servers import VaultProcess

CONSOLE = ["/console/", "/console/day", "/console/customers", "/console/bookings/1", "/operations/"]


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize("address", CONSOLE)
def test_it_lets_nobody_in_who_has_not_signed_in(made: Salon, address: str) -> None:
    assert made
    answer = Client().get(address)
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("door", ["sign-in", "join"])
@pytest.mark.parametrize("area", ["console", "operations"])
def test_it_opens_the_doors_to_everybody(made: Salon, area: str, door: str) -> None:
    assert made
    answer = Client().get(f"/{area}/{door}")
    assert answer.status_code == 200
    assert "data-passkey" in answer.content.decode()


def test_it_signs_out(made: Salon, staff: Client) -> None:
    assert made
    assert staff.post("/console/sign-out").status_code == 302
    assert staff.get("/console/").status_code == 302


def test_it_tells_a_program_why_an_invitation_was_refused(made: Salon, vault: VaultProcess) -> None:
    assert made
    assert vault
    answer = Client().post(
        "/console/join/begin",
        {"invite": "nothing"},
        content_type="application/json",
        headers={"Accept": "application/json", "Accept-Language": "en"},
    )
    assert answer.status_code == 410
    assert answer.json()["code"] == "invite_refused"


@pytest.mark.parametrize("body", ["", "[]", "{", '{"answer": 1}'])
def test_it_refuses_what_no_browser_sends(made: Salon, body: str) -> None:
    assert made
    answer = Client().post("/console/sign-in/finish", body, content_type="application/json")
    assert answer.status_code == 403


def test_it_shows_an_operator_what_runs(operator: Client) -> None:
    page = _text(operator, "/operations/")
    assert "稼働状況" in page
    assert "応答あり" in page
    assert operator.get("/console/").status_code == 302


def test_it_tells_an_operator_when_the_vault_is_away(operator: Client, vault: VaultProcess) -> None:
    vault.stop()
    assert "応答なし" in _text(operator, "/operations/")
