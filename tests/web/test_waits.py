"""Waiting for what is full, from the page of times to a place on the list, without JavaScript."""

import re
from datetime import datetime

import pytest

from noren.booking import actions, classes
from noren.booking.models import Booking, Waiting
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

WEDNESDAY = datetime.fromisoformat("2026-11-25T10:00+09:00")
WHO = {name: text for name, text in CUSTOMER.items() if name != "note"}


def _rows(made: Salon) -> list[Waiting]:
    with shop(made.id):
        return list(Waiting.objects.order_by("id"))


def _links(visitor: Visitor) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'href="(/[^"]*/wait\?[^"]*)"', visitor.text)]


@pytest.fixture
def full(made: Salon) -> Salon:
    """Tomorrow all three are taken all day, and Wednesday's class is full; both have a list."""
    with shop(made.id), change():
        Service.objects.update(waiting={"hours": 4})
        Service.objects.filter(id=made.lesson).update(segments=[{"minutes": 60, "roles": []}])
    classes.schedule(made.id, now=NOON)
    for hour in range(10, 19):
        for staff in made.staff:
            at = TOMORROW.replace(hour=hour - 9)
            actions.hold(made.id, actions.HoldRequest(made.cut, at, staff, 1), now=NOON)
    for _party in range(2):
        actions.hold(made.id, actions.HoldRequest(made.lesson, WEDNESDAY, None, 4), now=NOON)
    return made


def test_she_waits_for_a_day_that_is_full(full: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/?staff={full.staff[1]}")
    [link] = _links(customer)
    assert link == f"/salon/book/{full.cut}/wait?staff={full.staff[1]}&day=2026-11-25"
    customer.open(link)
    assert "2026年11月25日（水）" in customer.text
    customer.press("", **WHO)
    assert customer.now_at.startswith("/w/")
    assert "キャンセル待ちを承っています" in customer.text
    [row] = _rows(full)
    assert (row.service_id, str(row.day), row.start, row.asked_staff_id, row.locale) == (
        full.cut,
        "2026-11-25",
        None,
        full.staff[1],
        "ja",
    )


def test_she_waits_for_a_class_that_is_full(full: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open(f"/salon/book/{full.lesson}/?party=2")
    [link] = _links(customer)
    assert link == f"/salon/book/{full.lesson}/wait?party=2&at={int(WEDNESDAY.timestamp())}"
    customer.open(link)
    customer.press("", **WHO)
    [row] = _rows(full)
    assert (row.start, row.party) == (WEDNESDAY, 2)


def test_it_offers_no_list_where_there_is_none(full: Salon) -> None:
    with shop(full.id), change():
        Service.objects.update(waiting={})
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/")
    assert _links(customer) == []
    customer.open(f"/salon/book/{full.cut}/wait?day=2026-11-25")
    assert customer.page.status_code == 422
    assert "キャンセル待ちを承っておりません" in customer.text
    assert [form for form in customer.forms() if "name" in form.values] == []


def test_what_is_free_after_all_is_booked_instead(full: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/wait?day=2026-11-25")
    with shop(full.id):
        booking = Booking.objects.filter(service_id=full.cut).earliest("id")
    actions.release(full.id, booking.id, now=NOON)
    customer.press("", **WHO)
    assert customer.page.status_code == 409
    assert "空きがございます" in customer.text or "空いて" in customer.text
    customer.press("at")
    assert f"/salon/book/{full.cut}/you" in customer.now_at
    assert _rows(full) == []


def test_a_wrong_field_is_marked_and_the_rest_kept(full: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/wait?day=2026-11-25")
    customer.press("", **{**WHO, "mail": "hanako@"})
    assert customer.page.status_code == 422
    assert 'id="id_mail_error"' in customer.text
    assert 'value="山田 花子"' in customer.text


def test_without_the_vault_the_form_is_kept(full: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/wait?day=2026-11-25")
    customer.press("", **WHO)
    assert customer.page.status_code == 503
    assert 'value="山田 花子"' in customer.text
    assert _rows(full) == []


@pytest.mark.parametrize(
    "asked", ["", "?day=x", "?day=2026-11-24&at=zz", "?at=-9", "?day=2020-01-01", "?day=2030-01-01"]
)
def test_nobody_waits_for_what_cannot_be(full: Salon, asked: str) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{full.cut}/wait{asked}")
    assert 400 <= customer.page.status_code < 500
