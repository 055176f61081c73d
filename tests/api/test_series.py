"""POST /api/v1/shops/{slug}/series and .../series/look: with a real vault."""

from typing import Any

import pytest
from django.test import Client

from noren.booking import actions, classes
from noren.booking.models import Booking
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.api.test_booking import CUSTOMER, LONG, WEDNESDAY, bookings
from tests.servers import AppDatabase, VaultProcess

pytestmark = pytest.mark.usefixtures("module_vault")
WEEKLY = {"unit": "week", "count": 3}
SECOND, THIRD = "2026-12-02T14:00:00+09:00", "2026-12-09T14:00:00+09:00"


def post(
    house: Salon, status: int = 201, key: str | None = None, path: str = "series", **changes: Any
) -> Any:
    wanted = {"service": house.cut, "starts": [WEDNESDAY], "repeat": WEEKLY, "customer": CUSTOMER} | changes
    body = {name: value for name, value in wanted.items() if value is not None}
    headers = {} if key is None else {"Idempotency-Key": key}
    response = Client().post(
        f"/api/v1/shops/{house.slug}/{path}", body, content_type="application/json", headers=headers
    )
    assert response.status_code == status, response.content
    return response.json()


def look(house: Salon, status: int = 200, **changes: Any) -> Any:
    return post(house, status, path="series/look", **({"customer": None} | changes))


def taken(house: Salon) -> None:
    """The second date is taken by somebody else, whoever serves."""
    for staff in house.staff:
        body = {"service": house.cut, "start": SECOND, "staff": staff, "customer": CUSTOMER}
        path = f"/api/v1/shops/{house.slug}/bookings"
        assert Client().post(path, body, content_type="application/json").status_code == 201


def course(house: Salon) -> None:
    with shop(house.id), change():
        Service.objects.filter(id=house.lesson).update(course=True)
    classes.schedule(house.id, now=NOON)


def test_it_reports_on_every_date_and_keeps_nothing(house: Salon) -> None:
    taken(house)
    before = len(bookings(house))
    told = look(house)
    assert told == {
        "shop": "salon",
        "service": house.cut,
        "dates": [
            {"wanted": WEDNESDAY, "code": None, "nearest": None},
            {"wanted": SECOND, "code": "slot_taken", "nearest": "2026-12-02T13:00:00+09:00"},
            {"wanted": THIRD, "code": None, "nearest": None},
        ],
    }
    assert len(bookings(house)) == before


def test_it_books_every_date_with_a_link_each(house: Salon) -> None:
    told = post(house)
    assert [each["booking"]["start"] for each in told["dates"]] == [WEDNESDAY, SECOND, THIRD]
    tokens = {each["booking"]["token"] for each in told["dates"]}
    assert len(tokens) == 3
    for token in tokens:
        assert Client().get(f"/api/v1/bookings/{token}").json()["status"] == "confirmed"
    assert {booking.series_id for booking in bookings(house)} == {bookings(house)[0].id}


def test_case_075_she_chooses_what_becomes_of_a_busy_date(house: Salon) -> None:
    taken(house)
    told = post(house, 409)
    assert told["code"] == "series_not_free"
    assert told["dates"] == look(house)["dates"]
    skipped = post(house, mode="skip", staff=house.staff[1])
    assert [each["booking"] is None for each in skipped["dates"]] == [False, True, False]
    near = post(house, mode="nearest", staff=house.staff[2])
    assert near["dates"][1]["booking"]["start"] == near["dates"][1]["nearest"] == "2026-12-02T13:00:00+09:00"


def test_case_048_the_same_key_is_one_series_and_one_answer(house: Salon) -> None:
    told = post(house, key="once")
    assert post(house, key="once") == told
    assert len(bookings(house)) == 3
    for other in ({"repeat": {"unit": "week", "count": 4}}, {"customer": CUSTOMER | {"name": "別人"}}):
        assert post(house, 422, key="once", **other)["code"] == "idempotency_key_reused"
    assert len(bookings(house)) == 3


def test_one_of_them_is_cancelled_alone(house: Salon) -> None:
    told = post(house)
    Client().delete(f"/api/v1/bookings/{told['dates'][0]['booking']['token']}")
    assert sorted(booking.status for booking in bookings(house)) == ["cancelled", "confirmed", "confirmed"]


def test_a_course_is_booked_whole_and_never_by_the_date(house: Salon) -> None:
    course(house)
    dates = look(house, service=house.lesson, starts=None, repeat=None)["dates"]
    assert dates[0]["wanted"] == "2026-11-25T10:00:00+09:00"
    assert {date["code"] for date in dates} == {None}
    body = {"service": house.lesson, "start": dates[0]["wanted"], "customer": CUSTOMER}
    alone = Client().post("/api/v1/shops/salon/bookings", body, content_type="application/json")
    assert (alone.status_code, alone.json()["code"]) == (422, "course_only")
    told = post(house, service=house.lesson, starts=None, repeat=None)
    assert [date["booking"]["start"] for date in told["dates"]] == [date["wanted"] for date in dates]
    single = look(house, service=house.lesson, starts=[dates[0]["wanted"]], repeat=None)
    assert single["dates"] == [{"wanted": dates[0]["wanted"], "code": "course_only", "nearest": None}]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"starts": None}, "starts", "one_with_repeat"),
        ({"starts": None, "repeat": None}, "starts", "missing"),
        ({"starts": [WEDNESDAY, SECOND]}, "starts", "one_with_repeat"),
        ({"starts": [WEDNESDAY] * 101, "repeat": None}, "starts", "too_long"),
        ({"repeat": {"unit": "week"}}, "repeat", "count_or_until"),
        ({"repeat": WEEKLY | {"until": "2026-12-31"}}, "repeat", "count_or_until"),
        ({"repeat": {"unit": "week", "until": "2026-11-24"}}, "repeat", "no_date"),
        ({"repeat": WEEKLY | {"count": 0}}, "repeat.count", "greater_than_equal"),
        ({"repeat": WEEKLY | {"every": 0}}, "repeat.every", "greater_than_equal"),
        ({"repeat": WEEKLY | {"unit": "year"}}, "repeat.unit", "enum"),
        ({"customer": CUSTOMER | {"name": LONG}}, "customer.name", "string_too_long"),
        ({"customer": CUSTOMER | {"mail": "hanako"}}, "customer.mail", "mail"),
        ({"mode": "some"}, "mode", "enum"),
    ],
)
def test_it_refuses_what_cannot_be_and_holds_nothing(
    house: Salon, changes: dict[str, Any], field: str, reason: str
) -> None:
    told = post(house, 422, **changes)
    assert (told["code"], told["fields"]) == ("bad_field", [{"field": field, "reason": reason}])
    with shop(house.id):
        assert not Booking.objects.filter(takes=True).exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"repeat": {"unit": "day", "until": "2027-06-01"}}, "series_too_long"),
        ({"starts": ["2026-11-25T14:00:30+09:00"]}, "not_offered"),
        ({"starts": ["1999-11-25T14:00:00+09:00"]}, "in_the_past"),
        ({"starts": ["2300-11-25T14:00:00+09:00"]}, "outside_horizon"),
    ],
)
def test_it_refuses_dates_that_cannot_be(house: Salon, changes: dict[str, Any], code: str) -> None:
    assert post(house, 422, **changes)["code"] == code
    assert not bookings(house)


def test_it_holds_nothing_while_the_vault_is_away(house: Salon, module_vault: VaultProcess) -> None:
    module_vault.stop()
    told = post(house, 503)
    module_vault.start()
    assert told["code"] == "cannot_take_new_customers"
    assert {booking.status for booking in bookings(house)} == {"released"}
    assert len(post(house)["dates"]) == 3


def test_it_writes_one_mail_for_all(house: Salon, app_db: AppDatabase) -> None:
    post(house)
    first, *others = bookings(house)
    with app_db.connect("owner") as conn:
        jobs = conn.execute(
            "SELECT args - 'shop_id' FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.send'"
            " AND args->>'kind' = 'booked'"
        ).fetchall()
    assert jobs == [({"booking_id": first.id, "kind": "booked", "others": [each.id for each in others]},)]


def test_nights_are_for_stays(house: Salon) -> None:
    assert {date["code"] for date in look(house, nights=2)["dates"]} == {"nights_not_offered"}
    stay = {"out": 660, "least": [1] * 7, "most": 7}
    with shop(house.id), change():
        grid = {"kind": "clock", "interval": 60}
        Service.objects.filter(id=house.cut).update(stay=stay, grid=grid)
    told = post(house, nights=2)
    assert {date["booking"]["nights"] for date in told["dates"]} == {2}
    assert told["dates"][0]["booking"]["end"] == "2026-11-27T11:00:00+09:00"


def test_moving_one_leaves_the_others_alone(house: Salon) -> None:
    post(house)
    first, *others = bookings(house)
    actions.move(house.id, first.id, first.start.replace(hour=3), None, now=NOON, by="staff:aoi.salon")
    moved, *same = bookings(house)
    assert (moved.start.hour, moved.series_id) == (3, first.id)
    assert [each.start for each in same] == [each.start for each in others]
