"""Services and the week's hours, changed in the console: what that touches is asked before it is saved."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.booking.models import Attention, Booking
from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.web.conftest import TOMORROW, booked

HERE = "/console/offers"
EN = {"Accept-Language": "en"}


def service(made: Salon, service_id: int) -> Service:
    with shop(made.id):
        return Service.objects.get(id=service_id)


def fields(staff: Client, address: str, **changed: Any) -> dict[str, Any]:
    """What the page's form would send as it stands, changed."""
    form = staff.get(address, headers=EN).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    sent = {**values, **{name.replace("__", "-"): value for name, value in changed.items()}}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def test_it_changes_a_price_and_its_words_and_what_was_agreed_stays(staff: Client, made: Salon) -> None:
    there = f"{HERE}/{made.cut}"
    before = booked(made, TOMORROW.replace(hour=1))
    given = fields(
        staff, there, price="7700", seg__0__minutes="45", about="シャンプー込み", other_name="Haircut"
    )
    answer = staff.post(there, given, headers=EN, follow=True)
    assert not answer.context["form"].errors
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
        ({"seg-0-minutes": "0"}, "greater than or equal to 1"),
        ({"seg-0-minutes": ""}, "how many minutes it takes"),
        ({"need-0-pool": []}, "Please tick who can serve it"),
        ({"need-0-count": "4"}, "more than are ticked"),
        ({"party_min": "3"}, "less than the fewest"),
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
    assert not any(name.startswith("own-") for name in form.fields)
    assert staff.get(f"{HERE}/999999999").status_code == 404


def test_time_in_which_a_colour_takes_effect_leaves_the_stylist_free(staff: Client, made: Salon) -> None:
    there = f"{HERE}/{made.cut}"
    parts = {"seg__0__minutes": "30", "seg__1__minutes": "40", "seg__1__roles": []}
    given = fields(staff, there, **parts, seg__2__minutes="20", seg__2__roles=["0"], after="10")
    answer = staff.post(there, given, headers=EN, follow=True)
    assert "Kept." in answer.content.decode()
    row = service(made, made.cut)
    assert [(each["minutes"], each["roles"]) for each in row.segments] == [
        (30, ["staff"]),
        (40, []),
        (20, ["staff"]),
    ]
    assert [(each.x, each.minutes, each.kind) for each in answer.context["bar"]] == [
        (0, 30, "work"),
        (30, 40, "free"),
        (70, 20, "work"),
        (90, 10, "buffer"),
    ]
    first = booked(made, datetime(2026, 12, 3, 1, tzinfo=UTC)).booking
    assert (first.end - first.start).total_seconds() == 90 * 60
    staff.post(there, fields(staff, there, seg__1__minutes="", seg__2__minutes="", after="0"), headers=EN)
    assert service(made, made.cut).segments == [{"minutes": 30, "roles": ["staff"]}]


def test_a_stylist_has_her_own_time_and_price(staff: Client, made: Salon) -> None:
    there, aoi = f"{HERE}/{made.cut}", made.staff[0]
    given = fields(
        staff, there, seg__0__minutes="60", **{f"own__{aoi}__0": "90", f"own__{aoi}__price": "8800"}
    )
    staff.post(there, given, headers=EN)
    assert service(made, made.cut).by_staff == [{"staff": aoi, "minutes": [90], "price": 8800}]
    assert fields(staff, there)[f"own-{aoi}-0"] == 90
    page = Client().get(f"/salon/book/{made.cut}/?staff={aoi}&lang=en").content.decode()
    assert "1 hour 30 min" in page
    assert "8,800" in page
    staff.post(there, fields(staff, there, **{f"own__{aoi}__0": "", f"own__{aoi}__price": ""}), headers=EN)
    assert service(made, made.cut).by_staff == []


def test_who_serves_and_what_it_takes(staff: Client, made: Salon) -> None:
    with shop(made.id), change():
        chairs = [Resource.objects.create(key=f"c{n}", kind="chair", texts={}).id for n in (1, 2)]
    like = {"like": str(made.cut), "name": "着付け", "minutes": "30", "price": "3000"}
    staff.post(f"{HERE}/new", like, headers=EN)
    with shop(made.id):
        dressing = Service.objects.latest("id").id
    there = f"{HERE}/{dressing}"
    given = fields(
        staff, there, need__0__pool=[str(made.staff[1])], need__1__pool=[str(each) for each in chairs]
    )
    staff.post(there, given, headers=EN)
    row = service(made, dressing)
    assert row.requirements == [
        {"role": "staff", "pool": [made.staff[1]]},
        {"role": "chair", "pool": chairs},
    ]
    assert all("chair" in each["roles"] for each in row.segments), "what is ticked nowhere is busy throughout"
    everybody = [str(each) for each in made.staff]
    staff.post(there, fields(staff, there, need__0__pool=everybody, need__1__pool=[]), headers=EN)
    row = service(made, dressing)
    assert [need["role"] for need in row.requirements] == ["staff"]
    assert all(each["roles"] == ["staff"] for each in row.segments)


@pytest.mark.parametrize("way", ["", "/policies", "/dates", "/one", "/one policy"])
def test_it_asks_as_often_however_much_there_is(staff: Client, made: Salon, way: str) -> None:
    ways = {"": HERE, "/policies": "/console/policies", "/dates": f"{HERE}/{made.lesson}/dates"}
    ways |= {"/one": f"{HERE}/{made.cut}", "/one policy": f"{HERE}/{made.cut}/policy"}

    def asked() -> int:
        staff.get(ways[way])
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(ways[way]).status_code == 200
        return len(caught)

    before = asked()
    with shop(made.id), change():
        for _number in range(3):
            row = Service.objects.get(id=made.cut)
            row.pk, row.key, row.bookable = None, f"more-{uuid4().hex[:8]}", False
            row.save(force_insert=True)
            words = {"name": {"ja": "人"}}
            one = Resource.objects.create(
                key=f"p{uuid4().hex[:8]}", kind="staff", texts=words, bookable=False
            )
            Staff.objects.create(id=one.id, key=one.key, texts=words)
    assert asked() == before


def test_a_stay_has_nights_and_no_parts(staff: Client, made: Salon) -> None:
    with shop(made.id), change():
        room = Resource.objects.create(key=f"r{uuid4().hex[:8]}", kind="room", texts={}).id
        cabin = Service.objects.create(
            key=f"cabin-{uuid4().hex[:8]}",
            texts={"name": {"ja": "離れ"}},
            segments=[{"minutes": 60, "roles": ["room"]}],
            requirements=[{"role": "room", "pool": [room]}],
            grid={"kind": "clock", "interval": 60},
            stay={"out": 660, "least": [1] * 7, "most": 5},
        ).id
    there = f"{HERE}/{cabin}"
    answer = staff.post(there, fields(staff, there, price="20000", after="120"), headers=EN, follow=True)
    assert "Kept." in answer.content.decode()
    row = service(made, cabin)
    assert (row.price, row.after, row.segments) == (20000, 120, [{"minutes": 60, "roles": ["room"]}])
    limited = {"limit-0-of": "customer", "limit-0-hours": "3"}
    refused = staff.post(f"{there}/policy", {**fields(staff, f"{there}/policy"), **limited}, headers=EN)
    assert "counts nights" in refused.content.decode()


def listed(made: Salon) -> list[int]:
    with shop(made.id):
        return list(Service.objects.order_by("position", "id").values_list("id", flat=True))


def test_the_order_is_the_one_customers_see(staff: Client, made: Salon) -> None:
    before = listed(made)
    answer = staff.post(HERE, {"move": f"{before[-1]}-up"}, headers=EN, follow=True)
    swapped = [*before[:-2], before[-1], before[-2]]
    assert listed(made) == swapped
    assert f'value="{before[-1]}-up" class="button slim" autofocus' in answer.content.decode()
    staff.post(HERE, {"move": f"{before[0]}-up"}, headers=EN)
    assert listed(made) == swapped
    staff.post(HERE, {"order": ",".join(str(each) for each in before)}, headers=EN)
    assert listed(made) == before
    page = Client().get("/salon/").content.decode()
    assert page.index(f"/salon/book/{made.cut}/") < page.index(f"/salon/book/{made.lesson}/")
    for wrong in ({"move": "999999-up"}, {"move": "x-up"}, {"order": "999999"}):
        assert staff.post(HERE, wrong, headers=EN).status_code == 404


def test_a_heading_stands_over_its_services_for_customers_too(staff: Client, made: Salon) -> None:
    there = f"{HERE}/{made.cut}"
    staff.post(there, fields(staff, there, group="カットとカラー", other_group="Cut and colour"), headers=EN)
    assert "Cut and colour" in staff.get(HERE, headers=EN).content.decode()
    assert "カットとカラー</div>" in Client().get("/salon/?lang=ja").content.decode()
    staff.post(there, fields(staff, there, group="", other_group=""), headers=EN)


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
