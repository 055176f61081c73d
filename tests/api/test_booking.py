"""POST /api/v1/shops/{slug}/bookings, GET and DELETE /api/v1/bookings/{token}: with a real vault."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, classes, doctor
from noren.booking.models import Booking, Claim
from noren.errors import SlotTaken
from noren.shops.models import Resource, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.servers import AppDatabase, VaultProcess

WEDNESDAY = "2026-11-25T14:00:00+09:00"
CUSTOMER = {
    "name": "山田 花子",
    "kana": "やまだ はなこ",
    "mail": "hanako@example.com",
    "phone": "090-1234-5678",
}

pytestmark = pytest.mark.usefixtures("module_vault")


def post(house: Salon, status: int = 201, key: str | None = None, **changes: Any) -> Any:
    wanted = {"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER} | changes
    headers = {} if key is None else {"Idempotency-Key": key}
    response = Client().post(
        f"/api/v1/shops/{house.slug}/bookings", wanted, content_type="application/json", headers=headers
    )
    assert response.status_code == status, response.content
    return response.json()


def bookings(house: Salon) -> list[Booking]:
    with shop(house.id):
        return list(Booking.objects.order_by("id"))


def test_it_books(house: Salon) -> None:
    told = post(house)
    [booking] = bookings(house)
    assert booking.status == "confirmed"
    assert told["start"] == WEDNESDAY
    assert (told["status"], told["price"], told["currency"]) == ("confirmed", 6600, "JPY")
    assert told["staff"] in house.staff
    assert told["link"].endswith(f"/b/{told['token']}")


def test_it_shows_the_booking_again_by_its_token(house: Salon) -> None:
    told = post(house)
    response = Client().get(f"/api/v1/bookings/{told['token']}")
    assert (response.status_code, response.json()) == (200, told)
    assert "no-store" in response["Cache-Control"]


def test_it_tells_no_personal_data_in_any_answer(house: Salon) -> None:
    note = {"note": "left-handed"}
    answers = [post(house, staff=staff, customer=CUSTOMER | note) for staff in house.staff]
    answers.append(post(house, 409))
    answers.append(Client().get(f"/api/v1/bookings/{answers[0]['token']}").json())
    answers.append(Client().delete(f"/api/v1/bookings/{answers[0]['token']}").json())
    answers.append(post(house, 422, customer=CUSTOMER | note | {"mail": "hanako"}))
    for value in [*CUSTOMER.values(), "left-handed", "hanako"]:
        assert value not in repr(answers)


def test_it_cancels_and_the_time_is_free_again(house: Salon) -> None:
    told = post(house, staff=house.staff[0])
    assert post(house, 409, staff=house.staff[0])["code"] == "slot_taken"
    response = Client().delete(f"/api/v1/bookings/{told['token']}")
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert post(house, staff=house.staff[0])["status"] == "confirmed"


def test_it_says_so_when_it_was_cancelled_before(house: Salon) -> None:
    token = post(house)["token"]
    Client().delete(f"/api/v1/bookings/{token}")
    again = Client().delete(f"/api/v1/bookings/{token}")
    assert (again.status_code, again.json()["code"]) == (409, "already_cancelled")


def test_it_does_not_cancel_too_late(house: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    token = post(house)["token"]
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat("2026-11-25T12:00:01+09:00"))
    late = Client().delete(f"/api/v1/bookings/{token}")
    assert (late.status_code, late.json()["code"]) == (409, "too_late_to_cancel")
    assert bookings(house)[0].status == "confirmed"


def test_it_tells_a_loser_the_nearest_free_starts(house: Salon) -> None:
    for staff in house.staff:
        post(house, staff=staff)
    told = post(house, 409)
    assert told["code"] == "slot_taken"
    assert {"at": "2026-11-25T13:00:00+09:00"} in told["nearest"]
    assert {"at": "2026-11-25T15:00:00+09:00"} in told["nearest"]
    assert {"at": WEDNESDAY} not in told["nearest"]


def test_case_048_the_same_key_twice_is_one_booking_and_one_answer(house: Salon) -> None:
    assert post(house, key="once") == post(house, key="once")
    assert len(bookings(house)) == 1


def test_it_refuses_the_same_key_for_another_time(house: Salon) -> None:
    post(house, key="once")
    told = post(house, 422, key="once", start="2026-11-25T16:00:00+09:00")
    assert told["code"] == "idempotency_key_reused"
    assert len(bookings(house)) == 1


def test_it_keeps_only_a_keyed_hash_of_the_key(house: Salon, app_db: AppDatabase) -> None:
    post(house, key="a-key-of-the-caller")
    with app_db.connect("owner") as conn:
        rows = conn.execute("SELECT b::text FROM booking_booking b").fetchall()
        jobs = conn.execute("SELECT args::text FROM procrastinate_jobs").fetchall()
    assert "a-key-of-the-caller" not in repr(rows + jobs)
    assert bookings(house)[0].idempotency is not None


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2026-11-24T11:00:00+09:00", "in_the_past"),
        ("2026-11-24T12:30:00+09:00", "too_late"),
        ("2027-06-01T10:00:00+09:00", "outside_horizon"),
        ("2026-11-25T03:00:00+09:00", "not_offered"),
        ("2026-11-25T14:10:00+09:00", "not_offered"),
        ("2026-11-25T14:00:30+09:00", "not_offered"),
        ("0001-01-01T00:00:00+14:00", None),
        ("1999-01-01T00:00:00Z", "in_the_past"),
        ("9999-12-31T23:59:59-14:00", None),
        ("2999-01-01T00:00:00Z", "outside_horizon"),
    ],
)
def test_it_refuses_a_time_that_cannot_be(house: Salon, start: str, code: str | None) -> None:
    told = post(house, 422, start=start)
    assert told["code"] == (code or "bad_field")
    assert not bookings(house)


LONG = "あ" * 10_000


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("mail", "hanako", "mail"),
        ("mail", "hanako@example", "mail"),
        ("mail", "hanako@example.com\nBcc: all@example.com", "control"),
        ("phone", "0", "phone"),
        ("phone", "090-1234-567x", "phone"),
        ("name", LONG, "string_too_long"),
        ("name", "", "string_too_short"),
        ("name", "   ", "empty"),
        ("name", "Hana\x00ko", "control"),
        ("name", "Hana\u202eko", "control"),
        ("name", 7, "string_type"),
        ("kana", "ヤマダ\x1b[31m", "control"),
        ("note", LONG, "string_too_long"),
        ("address", "Tokyo", "extra_forbidden"),
    ],
)
def test_it_refuses_what_cannot_be_and_books_nothing(
    house: Salon, field: str, value: object, reason: str
) -> None:
    told = post(house, 422, customer=CUSTOMER | {field: value})
    assert told["code"] == "bad_field"
    assert told["fields"] == [{"field": f"customer.{field}", "reason": reason}]
    assert not [booking for booking in bookings(house) if booking.status in ("held", "confirmed")]
    with shop(house.id):
        assert not Claim.objects.exists()
    assert not str(value).strip() or str(value) not in repr(told)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "bad_field"),
        (b"{", 400, "request_unreadable"),
        (b"[]", 422, "bad_field"),
        (b"null", 422, "bad_field"),
        (b'{"service": 1e400}', 422, "bad_field"),
        (b"[" * 30_000, 400, "request_unreadable"),
        (b'"\xff"', 400, "request_unreadable"),
        (b" " * 140_000, 413, "request_too_large"),
    ],
)
def test_it_refuses_a_body_that_is_none(house: Salon, body: bytes, status: int, code: str) -> None:
    response = Client().post("/api/v1/shops/salon/bookings", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_it_refuses_half_a_letter(house: Salon) -> None:
    body = json.dumps({"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER | {"name": "\ud83d"}})
    response = Client().post("/api/v1/shops/salon/bookings", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (422, "bad_field")


def test_it_takes_nothing_while_the_vault_is_away_and_leaves_nothing_half_done(
    house: Salon, module_vault: VaultProcess
) -> None:
    module_vault.stop()
    told = post(house, 503, staff=house.staff[0])
    assert told["code"] == "cannot_take_new_customers"
    [released] = bookings(house)
    assert (released.status, released.person_id) == ("released", None)
    module_vault.start()
    assert post(house, staff=house.staff[0])["status"] == "confirmed"


def test_it_goes_on_for_known_customers_while_the_vault_is_away(
    house: Salon, module_vault: VaultProcess
) -> None:
    token = post(house)["token"]
    module_vault.stop()
    seen = Client().get(f"/api/v1/bookings/{token}")
    cancelled = Client().delete(f"/api/v1/bookings/{token}")
    module_vault.start()
    assert seen.status_code == 200
    assert cancelled.json()["status"] == "cancelled"


@pytest.mark.parametrize("token", ["x", "1.1.1.x", "..", "1.1.1." + "A" * 22, "z" * 80])
@pytest.mark.parametrize("method", ["get", "delete"])
def test_it_knows_no_wrong_link(house: Salon, token: str, method: str) -> None:
    post(house)
    response = getattr(Client(), method)(f"/api/v1/bookings/{token}")
    assert (response.status_code, response.json()["code"]) == (404, "link_unknown")
    assert bookings(house)[0].status == "confirmed"


def test_it_opens_nothing_by_a_revoked_link(house: Salon) -> None:
    token = post(house)["token"]
    with shop(house.id):
        Booking.objects.update(generation=2)
    response = Client().delete(f"/api/v1/bookings/{token}")
    assert (response.status_code, response.json()["code"]) == (410, "link_revoked")


def test_it_refuses_more_people_than_there_are_places(house: Salon) -> None:
    assert post(house, 422, party=2)["code"] == "party_too_large"


def test_it_needs_no_cookie_and_reads_none(house: Salon) -> None:
    client = Client(enforce_csrf_checks=True)
    wanted = {"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER}
    response = client.post("/api/v1/shops/salon/bookings", wanted, content_type="application/json")
    assert response.status_code == 201
    assert not response.cookies
    assert "Cookie" not in response["Vary"]


def test_it_writes_to_the_customer_in_the_callers_language(house: Salon) -> None:
    wanted = {"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER}
    for language in ("en", "ja"):
        Client().post(
            "/api/v1/shops/salon/bookings",
            wanted,
            content_type="application/json",
            headers={"Accept-Language": language},
        )
    assert [booking.locale for booking in bookings(house)] == ["en", "ja"]


def test_it_takes_a_whole_number_however_json_writes_it(house: Salon) -> None:
    assert post(house, service=float(house.cut), party=1.0)["party"] == 1
    assert post(house, 422, party=1.5)["fields"] == [{"field": "party", "reason": "int_type"}]
    assert post(house, 422, party=True)["fields"] == [{"field": "party", "reason": "int_type"}]


def taken(house: Salon, booking_id: int) -> list[tuple[int, int, int, int, int, int]]:
    """What a booking takes, without its day."""
    with shop(house.id):
        rows = Claim.objects.filter(booking_id=booking_id).order_by("resource_id", "core_from")
        names = ("resource_id", "units", "core_from", "core_to", "padded_from", "padded_to")
        return list(rows.values_list(*names))


def test_case_069_it_takes_what_a_booking_by_page_takes(house: Salon) -> None:
    """Two who serve, a room, buffers and a pause: the same claims on another day."""
    with shop(house.id), change():
        room = Resource.objects.create(key="room", kind="room", texts={})
        Service.objects.filter(id=house.cut).update(
            requirements=[
                {"role": "staff", "pool": list(house.staff[:2]), "count": 2},
                {"role": "room", "pool": [room.id]},
            ],
            segments=[
                {"minutes": 30, "roles": ["staff", "room"]},
                {"minutes": 30, "roles": ["room"]},
                {"minutes": 30, "roles": ["staff", "room"]},
            ],
            before=10,
            after=20,
        )
    post(house)
    start = datetime.fromisoformat(WEDNESDAY) + timedelta(days=1)
    wish = actions.HoldRequest(house.cut, start, None, 1)
    held = actions.hold(house.id, wish, now=clock.now())
    [by_api, by_page] = bookings(house)
    assert (by_page.id, len(taken(house, held.id))) == (held.id, 5)
    assert taken(house, by_api.id) == taken(house, by_page.id)
    assert post(house, 409)["code"] == "slot_taken"
    with pytest.raises(SlotTaken):
        actions.hold(house.id, replace(wish, start=by_api.start), now=clock.now())
    assert post(house, 409, start=start.isoformat())["code"] == "slot_taken"
    assert doctor.of_shop(house.id) == []


def test_case_069_seats_of_a_class_are_the_same_seats(house: Salon) -> None:
    classes.schedule(house.id, now=clock.now())
    lesson: dict[str, Any] = {"service": house.lesson, "start": "2026-11-25T10:00:00+09:00"}
    post(house, party=4, **lesson)
    wish = actions.HoldRequest(house.lesson, datetime.fromisoformat(lesson["start"]), None, 3)
    actions.hold(house.id, wish, now=clock.now())
    post(house, 422, party=2, **lesson)
    post(house, party=1, **lesson)
    with pytest.raises(SlotTaken):
        actions.hold(house.id, replace(wish, party=1), now=clock.now())
    assert doctor.of_shop(house.id) == []


@pytest.mark.parametrize("word", ["override", "over", "insist", "by", "reason"])
def test_case_098_a_program_cannot_insist(house: Salon, word: str) -> None:
    post(house)
    insisting: dict[str, Any] = {"staff": bookings(house)[0].staff_id, word: "regular"}
    answer = post(house, 422, **insisting)
    assert answer["code"] == "bad_field"
    assert len(bookings(house)) == 1
