"""The page that leads through a used-up budget: a passkey, a second person, then time."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from noren import people
from tests.accounts.passkey import Passkey
from tests.api.salon import Salon
from tests.environment import GIVEN
from tests.servers import Sink, VaultProcess
from tests.web.conftest import last_from_noon

HERE = "/console/budget"


class Person:
    """Somebody of the salon with a browser and a passkey."""

    def __init__(self, invite: str) -> None:
        self.client = Client(headers={"Accept-Language": "en"})
        self.passkey = Passkey(GIVEN.origin, "localhost")
        begun = self.post("/console/join/begin", {"invite": invite})
        answer = self.passkey.create(begun["options"])
        self.post("/console/join/finish", {"invite": invite, "answer": answer})
        self.grant = self.client.cookies["noren_grant"].value

    def post(self, address: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = {"Accept": "application/json"}
        answer = self.client.post(address, body, content_type="application/json", headers=wanted)
        told: dict[str, Any] = answer.json()
        return told | {"status": answer.status_code}

    def page(self) -> str:
        answer = self.client.get(HERE)
        assert answer.status_code == 200
        return answer.content.decode()


def _invitation(mail: Sink) -> str:
    found = re.search(r"/join#(\S+)", mail.messages[-1].get_content())
    assert found is not None
    return found[1]


def _member(handle: str, role: str) -> people.Member:
    return people.Member(handle, role, handle, handle, f"{handle}@salon.example")


@pytest.fixture(scope="module")
def owner(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> Iterator[Person]:
    assert module_vault
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        people.found_shop(made.id, made.slug, [_member("aoi", "owner")])
        yield Person(_invitation(module_mail))


@pytest.fixture(scope="module")
def staff(made: Salon, owner: Person, module_mail: Sink) -> Person:
    """A member of staff who has looked at all that an hour allows."""
    people.add_member(owner.grant, _member("ren", "staff"))
    ren = Person(_invitation(module_mail))
    rows = [people.Row(f"c{number}", {"name": f"客{number}"}) for number in range(300)]
    everybody = list(people.import_rows(made.id, rows).persons.values())
    for start in (0, 150):
        people.reveal(ren.grant, people.Purpose.TODAY, everybody[start : start + 150], ["name"])
    return ren


def test_it_says_how_the_budget_stands(owner: Person) -> None:
    assert '<dd class="big">400</dd>' in owner.page()
    assert "Confirm with your passkey" in owner.page()


def test_it_leads_there_from_a_search_that_is_refused(made: Salon, staff: Person) -> None:
    people.import_rows(made.id, [people.Row("new", {"name": "新しい客"})])
    answer = staff.client.post("/console/customers", {"query": "新しい客"})
    assert answer.status_code == 429
    assert f'href="{HERE}"' in answer.content.decode()
    assert "confirm with your passkey" in answer.content.decode()


def test_it_leads_through_all_three_steps(owner: Person, staff: Person) -> None:
    options = staff.post(f"{HERE}/confirm/begin", {})["options"]
    refused = staff.post(f"{HERE}/confirm/finish", {"answer": owner.passkey.get(options)})
    assert (refused["status"], refused["code"]) == (403, "passkey_refused")
    options = staff.post(f"{HERE}/confirm/begin", {})["options"]
    done = staff.post(f"{HERE}/confirm/finish", {"answer": staff.passkey.get(options)})
    assert (done["status"], done["next"]) == (200, HERE)
    for amount in (50, 100):
        assert "Another owner or manager" in staff.page()
        asked = {"reason": "<b>名簿</b>の確認", "amount": str(amount), "minutes": "30"}
        assert staff.client.post(f"{HERE}/ask", asked).status_code == 302
        assert "waits for an answer" in staff.page()
        page = owner.page()
        assert "&lt;b&gt;名簿&lt;/b&gt;の確認" in page
        assert f"{amount} more, for 30 minutes" in page
        found = re.search(r'name="request" value="([0-9a-f]+)"', page)
        assert found is not None
        decided = owner.client.post(f"{HERE}/decide", {"request": found[1], "deed": "approve"})
        assert decided.status_code == 302
        assert "agreed to" in staff.page()
        again = owner.client.post(f"{HERE}/decide", {"request": found[1], "deed": "approve"})
        assert again.status_code == 410
    page = staff.page()
    assert "Today there is no further step" in page
    assert '<dd class="big">250</dd>' in page
    assert staff.client.post(f"{HERE}/ask", {"reason": "x"}).status_code == 429


def test_it_shows_the_form_again_that_has_no_reason(owner: Person) -> None:
    answer = owner.client.post(f"{HERE}/ask", {"reason": " ", "amount": "50"})
    assert answer.status_code == 422
    assert "Please write in a few words" in answer.content.decode()


def test_it_lets_staff_decide_nothing(staff: Person) -> None:
    assert staff.client.post(f"{HERE}/decide", {"request": "x", "deed": "approve"}).status_code == 403


def test_it_asks_a_stranger_to_sign_in() -> None:
    for address in (HERE, f"{HERE}/ask", f"{HERE}/decide", f"{HERE}/confirm/begin"):
        answer = Client().get(address) if address == HERE else Client().post(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/console/sign-in")
