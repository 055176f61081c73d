"""Services and the week's hours, changed in the console: what that touches is asked before it is saved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from noren.booking.models import Attention, Booking
from noren.shops.models import OpeningHours, Service, Shop
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.web.conftest import TOMORROW, booked

HERE = "/console/offers"
EN = {"Accept-Language": "en"}


def service(made: Salon, service_id: int) -> Service:
    with shop(made.id):
        return Service.objects.get(id=service_id)


def fields(staff: Client, address: str, **changed: Any) -> dict[str, Any]:
    form = staff.get(address, headers=EN).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in {**values, **changed}.items() if value not in (None, False)}


def test_it_changes_a_price_and_its_words_and_what_was_agreed_stays(staff: Client, made: Salon) -> None:
    there = f"{HERE}/{made.cut}"
    before = booked(made, TOMORROW.replace(hour=1))
    given = fields(staff, there, price="7700", minutes="45", about="シャンプー込み", other_name="Haircut")
    answer = staff.post(there, given, headers=EN, follow=True)
    assert "Kept." in answer.content.decode()
    row = service(made, made.cut)
    assert (row.price, row.segments) == (7700, [{"minutes": 45, "roles": ["staff"]}])
    assert row.texts == {"name": {"ja": "カット", "en": "Haircut"}, "about": {"ja": "シャンプー込み"}}
    assert "7,700" in Client().get("/salon/?lang=ja").content.decode()
    with shop(made.id):
        assert Booking.objects.get(id=before.booking.id).agreed["price"] == 6600


def test_it_adds_a_service_that_is_like_another(staff: Client, made: Salon) -> None:
    given = {"like": str(made.cut), "name": "前髪", "minutes": "15", "price": "1100"}
    staff.post(f"{HERE}/new", given, headers=EN)
    with shop(made.id):
        row = Service.objects.get(key="own-1")
    like = service(made, made.cut)
    assert (row.requirements, row.cancel, row.bookable) == (like.requirements, like.cancel, True)
    page = Client().get(f"/salon/book/{row.id}/").content.decode()
    assert 'name="at"' in page


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"price": "-1"}, "greater than or equal to 0"),
        ({"minutes": "1"}, "greater than or equal to 5"),
    ],
)
def test_it_says_what_cannot_be(staff: Client, made: Salon, changed: dict[str, str], told: str) -> None:
    before = service(made, made.cut)
    there = f"{HERE}/{made.cut}"
    answer = staff.post(there, {**fields(staff, there), **changed}, headers=EN)
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert service(made, made.cut).price == before.price


def test_no_more_offered_it_asks_what_becomes_of_who_has_booked(staff: Client, made: Salon) -> None:
    """Nothing is saved before that."""
    own = booked(made, datetime(2026, 11, 28, 2, tzinfo=UTC))
    there = f"{HERE}/{made.cut}"
    given = fields(staff, there, on=False)
    answer = staff.post(there, given, headers=EN)
    assert "Nothing has been saved yet." in answer.content.decode()
    assert service(made, made.cut).bookable
    with shop(made.id):
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
    staff.post(there, {**given, **{f"choice-{each}": "keep" for each in ids}}, headers=EN)
    assert not service(made, made.cut).bookable
    with shop(made.id):
        assert Booking.objects.get(id=own.booking.id).attention == Attention.CLOSED
    staff.post(there, {**given, "on": "on"}, headers=EN)
    assert service(made, made.cut).bookable


def test_a_class_keeps_its_dates(staff: Client, made: Salon) -> None:
    form = staff.get(f"{HERE}/{made.lesson}", headers=EN).context["form"]
    assert "minutes" not in form.fields
    assert staff.get(f"{HERE}/999999999").status_code == 404


def test_it_changes_the_hours_of_the_week(staff: Client, made: Salon) -> None:
    there = "/console/hours/week"
    given = fields(staff, there)
    assert given["mon"] == "10:00-19:00"
    own = booked(made, datetime(2026, 11, 25, 8, tzinfo=UTC) + timedelta(days=7))  # 17:00, a Wednesday
    changed = {**given, "wed": "10-12", "sun": "", "rule": "closed"}
    refused = staff.post(there, changed, headers=EN)
    assert "Please write the hours like" in refused.content.decode()
    changed["wed"] = "10:00〜12:00"
    assert "Nothing has been saved yet." in staff.post(there, changed, headers=EN).content.decode()
    answer = staff.post(there, {**changed, f"choice-{own.booking.id}": "keep"}, headers=EN, follow=True)
    assert "Kept." in answer.content.decode()
    with shop(made.id):
        weekly = OpeningHours.objects.get(resource_id=None, service_id=None).weekly
        assert (weekly[2], weekly[6], weekly[0]) == ([[600, 720]], [], [[600, 1140]])
        assert Shop.objects.get().holiday_rule == "closed"
