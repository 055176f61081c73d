"""The members' pages with a real vault: what is asked for is done once it is sure, and felt at once."""

import re

import pytest
from django.test import Client

from noren import people
from noren.accounts.session import cookie_name
from noren.booking.models import Booking
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.servers import Sink, VaultProcess
from tests.web.conftest import TOMORROW, booked, joined
from tests.web.flow import CUSTOMER

FORM = {"name": "森 芽衣", "mail": "mei@salon.example", "role": "manager", "staff": "", "handle": "mei"}
MAY_NOT = "この操作の権限がありません。"


def _token(mail: Sink, address: str) -> str:
    links = [
        found[1]
        for message in mail.messages
        if message["To"] == address
        for body in [message.get_body(("plain",))]
        if body is not None and (found := re.search(r"/join#(\S+)", body.get_content()))
    ]
    return links[-1]


def _grant(client: Client) -> str:
    return client.cookies[cookie_name()].value


@pytest.fixture
def mei(staff: Client, mail: Sink) -> Client:
    """A manager, invited on the page."""
    assert staff.post("/console/members", FORM).status_code == 302
    return joined(_token(mail, FORM["mail"]), "console")


@pytest.mark.usefixtures("made")
def test_it_invites_and_says_how_the_invitation_stands(staff: Client, mail: Sink) -> None:
    """What is missing is said; who was invited stands in the list by name, and gets a new link when asked."""
    for wrong in ({"name": ""}, {"mail": ""}, {"handle": "芽衣"}, {"role": "operator"}, {"staff": "nobody"}):
        answer = staff.post("/console/members", {**FORM, **wrong})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
    assert staff.post("/console/members", {**FORM, "mail": "no mail"}).status_code == 422
    answer = staff.post("/console/members", FORM, follow=True)
    page = answer.content.decode()
    assert "招待メールを送りました" in page
    assert "森 芽衣" in page
    assert "招待中" in page
    first = _token(mail, FORM["mail"])
    answer = staff.post("/console/members/mei.salon", {"deed": "resend"}, follow=True)
    assert "招待メールを送りました" in answer.content.decode()
    assert _token(mail, FORM["mail"]) != first
    assert FORM["mail"] in answer.content.decode()


def test_it_says_first_what_a_role_changes_and_the_next_page_feels_it(staff: Client, mei: Client) -> None:
    """Asked without being sure nothing changes; then the very next page of hers refuses, in words."""
    assert mei.get("/console/hours").status_code == 200
    asked = staff.post("/console/members/mei.salon", {"deed": "role", "role": "reception"})
    assert "営業時間と、予約を受けるスタッフを変える" in asked.content.decode()
    assert mei.get("/console/hours").status_code == 200
    deed = {"deed": "role", "role": "reception", "sure": "yes"}
    assert staff.post("/console/members/mei.salon", deed).status_code == 302
    refused = mei.get("/console/hours")
    assert (refused.status_code, MAY_NOT in refused.content.decode()) == (403, True)
    assert mei.get("/console/").status_code == 200
    # A role loses one permission, and one field of a list.
    kept = {"may": ["bookings.see", "bookings.change", "customers.see", "customers.change"]}
    purposes = ("today", "day", "day_sheet", "customer", "search", "check_in")
    fields = {f"fields-{name}": ["name"] for name in purposes}
    assert staff.post("/console/members/roles/reception", {**kept, **fields}).status_code == 302
    assert mei.get("/console/").status_code == 403
    left = {one.purpose: one.fields for one in people.shop_rights(_grant(staff)) if one.role == "reception"}
    assert set(left.values()) == {("name",)}
    assert staff.get("/console/members/roles/owner").status_code == 404


def test_it_ends_a_membership_at_once_and_keeps_an_owner(staff: Client, mei: Client, mail: Sink) -> None:
    asked = staff.post("/console/members/mei.salon", {"deed": "end"})
    assert "すべての端末ですぐに終わります" in asked.content.decode()
    assert mei.get("/console/").status_code == 200
    assert staff.post("/console/members/mei.salon", {"deed": "end", "sure": "yes"}).status_code == 302
    assert mei.get("/console/")["Location"] == "/console/sign-in?next=%2Fconsole%2F"
    assert "以前のメンバー" in staff.get("/console/members").content.decode()
    own = staff.post("/console/members/aoi.salon", {"deed": "end", "sure": "yes"})
    assert (own.status_code, "オーナーが一人は必要です" in own.content.decode()) == (409, True)
    assert staff.post("/console/members", FORM).status_code == 302
    assert mail.messages


def test_it_feels_what_ends_past_the_pages_and_serves_while_the_vault_is_away(
    made: Salon, staff: Client, mei: Client, vault: VaultProcess
) -> None:
    """A grant that an administrator's shell ended is over on the next page; without a vault none ends."""
    people.end_grants("actor", "mei.salon")
    assert mei.get("/console/hours").status_code == 302
    vault.stop()
    assert staff.get("/console/hours").status_code == 200
    assert staff.get("/console/").status_code == 200
    assert made


def test_it_shows_an_accountant_bookings_by_number_and_nobody(made: Salon, staff: Client, mail: Sink) -> None:
    """When and what, without a name, a button or a customer's page; her menu holds only what she may open."""
    staff.post("/console/members", {**FORM, "role": "accountant"})
    her = joined(_token(mail, FORM["mail"]), "console")
    booked(made, TOMORROW)
    with shop(made.id):
        booking = Booking.objects.get()
    page = her.get(f"/console/bookings/{booking.id}")
    text = page.content.decode()
    assert page.status_code == 200
    assert "6,600" in text
    assert not [value for value in CUSTOMER.values() if value in text]
    assert f"/console/bookings/{booking.id}/" not in text
    assert 'href="/console/customers"' not in text
    assert her.get("/console/").status_code == 200
    for address in (f"/console/customers/{booking.person_id}", "/console/customers", "/console/lists"):
        assert her.get(address).status_code == 403
    assert her.post(f"/console/bookings/{booking.id}/cancel", {"reason": "other"}).status_code == 403


@pytest.mark.parametrize("address", ["/console/", "/console/members", "/settings/security"])
def test_it_asks_the_vault_once_who_it_is(
    staff: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """One question for each page, whether it asks for a permission, a member, or anybody who is signed in."""
    asked: list[str] = []
    whoami = people.whoami

    def counted(grant: str) -> people.Who:
        asked.append(grant)
        return whoami(grant)

    monkeypatch.setattr(people, "whoami", counted)
    assert staff.get(address).status_code == 200
    assert len(asked) == 1
