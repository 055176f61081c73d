"""Rooms and equipment, and what is closed beside the week: what it touches is asked before it is saved."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape

import pytest
from django.test import Client

from noren.booking import actions, availability, book, changes
from noren.booking.models import Attention, Block, Booking
from noren.shops.models import OpeningHours, Override, Resource, Service, Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.desk.test_offers import fields
from tests.web.flow import CUSTOMER

EN = {"Accept-Language": "en"}
DAY = date(2026, 12, 3)
AT = datetime.fromisoformat("2026-12-03T11:00+09:00")
ASKED = "Nothing has been saved yet."


@pytest.fixture(scope="module", autouse=True)
def chairs(made: Salon) -> int:
    """Two chairs in one row, which each cut needs."""
    found = []

    def write() -> bool:
        row = Resource.objects.create(key="chairs", kind="chair", texts={"name": {"ja": "席"}}, stock=2)
        cut = Service.objects.get(id=made.cut)
        segments = [{"minutes": 60, "roles": ["staff", "chair"]}]
        needs = [*cut.requirements, {"role": "chair", "pool": [row.id]}]
        found.append(row.id)
        return Service.objects.filter(id=cut.id).update(requirements=needs, segments=segments) > 0

    changes.change(made.id, write, now=NOON, by="staff:1")
    return found[0]


@pytest.fixture(autouse=True)
def _as_before(made: Salon) -> Iterator[None]:
    yield
    with shop(made.id):
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
    for each in ids:
        actions.cancel(made.id, each, now=NOON, by="staff:1")


def cut(made: Salon, at: datetime = AT, staff: int | None = None) -> Booking:
    wish = book.BookRequest(made.cut, at, staff, 1, book.Customer(**CUSTOMER), "ja")
    return book.book(made.id, wish, now=NOON).booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def free(made: Salon, on: date = DAY) -> list[str]:
    found = availability.month(made.id, made.cut, on, on, now=NOON, staff=None)
    return [f"{each.at:%H:%M}" for each in found.days.get(on, ())]


def chosen(answer: str, what: str, made: Salon) -> dict[str, str]:
    """Choose the same for all that a preview shows."""
    assert ASKED in answer
    with shop(made.id):
        ids = Booking.objects.values_list("id", flat=True)
        return {f"choice-{each}": what for each in ids if f'name="choice-{each}"' in answer}


def test_fewer_than_are_booked_is_asked_about(staff: Client, made: Salon, chairs: int) -> None:
    first, second = cut(made), cut(made)
    there = f"/console/resources/{chairs}"
    given = {"deed": "words", **fields(staff, there, stock="1", name="セット面")}
    answer = staff.post(there, given, headers=EN).content.decode()
    asked = chosen(answer, "move", made)
    assert list(asked) == [f"choice-{second.id}"], "who came last has no chair any more"
    with shop(made.id):
        assert Resource.objects.get(id=chairs).stock == 2
    staff.post(there, {**given, **asked}, headers=EN)
    assert (fresh(made, first).attention, fresh(made, second).attention) == ("", Attention.CLOSED)
    page = staff.get("/console/resources", headers=EN).content.decode()
    assert "セット面" in page
    given["stock"] = "2"
    staff.post(there, given, headers=EN)
    with shop(made.id):
        assert Resource.objects.get(id=chairs).stock == 2


def test_out_of_order_each_booking_under_it_has_its_choice(staff: Client, made: Salon, chairs: int) -> None:
    kept, cancelled = cut(made), cut(made)
    there = f"/console/resources/{chairs}"
    given = {"deed": "out", "from": "2026-12-03T10:30", "until": "2026-12-03T12:30"}
    wrong = staff.post(there, {**given, "until": "2026-12-03T09:30"}, headers=EN)
    assert (wrong.status_code, "The end is before" in wrong.content.decode()) == (422, True)
    answer = staff.post(there, given, headers=EN).content.decode()
    assert len(chosen(answer, "keep", made)) == 2
    with shop(made.id):
        assert not Block.objects.exists()
    half = staff.post(there, {**given, f"choice-{kept.id}": "keep"}, headers=EN).content.decode()
    assert ASKED in half, "while one has no choice nothing is blocked"
    given |= {f"choice-{kept.id}": "keep", f"choice-{cancelled.id}": "cancel"}
    for _ in range(2):
        staff.post(there, given, headers=EN)
    assert fresh(made, kept).attention == Attention.BLOCKED
    assert fresh(made, cancelled).status == "cancelled"
    assert "11:00" not in free(made)
    with shop(made.id):
        block = Block.objects.get()
        assert (block.why, block.by) == ("out_of_order", "staff:aoi.salon")
    staff.post(there, {"deed": "again", "block": block.id}, headers=EN)
    assert fresh(made, kept).attention == ""
    assert "11:00" in free(made)


def test_a_room_is_added_and_used_by_what_needs_its_kind(staff: Client, made: Salon) -> None:
    there = "/console/resources/new"
    assert (
        "No service needs one of this kind yet."
        in staff.get(f"{there}?kind=court", headers=EN).content.decode()
    )
    given = fields(staff, f"{there}?kind=chair", name="窓側の席", kind="chair")
    staff.post(there, given, headers=EN)
    with shop(made.id):
        row = Resource.objects.get(key="chair-1")
        assert row.id in Service.objects.get(id=made.cut).requirements[1]["pool"]
    staff.post("/console/resources", {"resource": row.id, "step": "-1"})
    with shop(made.id):
        first = Resource.objects.exclude(kind="staff").order_by("position", "id").first()
        assert first is not None
        assert first.id == row.id
    others = f"/console/resources/{row.id}"
    given = fields(staff, others)
    del given[f"serves-{made.cut}"]
    staff.post(others, {"deed": "words", **given}, headers=EN)
    with shop(made.id):
        assert row.id not in Service.objects.get(id=made.cut).requirements[1]["pool"]
    assert staff.get(f"/console/resources/{made.staff[0]}").status_code == 404, "she is no room"


def test_a_summer_closing_asks_what_becomes_of_who_has_booked(staff: Client, made: Salon) -> None:
    own = cut(made)
    given = {"deed": "days", "first": "2026-12-02", "last": "2026-12-04", "open": "closed", "why": "holiday"}
    answer = staff.post("/console/holidays", given, headers=EN).content.decode()
    staff.post("/console/holidays", {**given, **chosen(answer, "keep", made)}, headers=EN)
    with shop(made.id):
        assert Override.objects.filter(resource_id=None, why="holiday", ranges=[]).count() == 3
    assert fresh(made, own).attention == Attention.CLOSED
    page = staff.get("/console/holidays", headers=EN).content.decode()
    assert "Wed 2 December 2026 to Fri 4 December" in page
    staff.post("/console/holidays", {"deed": "usual", "first": "2026-12-02", "last": "2026-12-04"})
    assert fresh(made, own).attention == ""
    for wrong in ({"first": "2026-01-01"}, {"last": "2026-12-01"}, {"last": "2027-12-01"}):
        assert staff.post("/console/holidays", {**given, **wrong}).status_code == 422


def test_every_second_thursday_is_closed_and_opened_again(staff: Client, made: Salon) -> None:
    assert staff.post("/console/holidays", {"deed": "closing", "weekday": "3"}).status_code == 422
    given = {"deed": "closing", "weekday": "3", "nth-1": "1", "nth-3": "1"}
    staff.post("/console/holidays", given)
    assert free(made) == []
    assert free(made, date(2026, 12, 10)) != []
    page = staff.get("/console/holidays", headers=EN).content.decode()
    assert "Closed: Thursday no. 1, 3 of the month" in page
    staff.post("/console/holidays", {"deed": "closing", "weekday": "1", "nth-2": "1"})
    first = unescape(re.findall(r'name="closing" value="([^"]*)"', page)[0])
    assert staff.post("/console/holidays", {"deed": "open", "closing": first}).status_code == 302
    assert free(made) != []
    again = staff.post("/console/holidays", {"deed": "open", "closing": first})
    assert again.status_code == 422, "pressed twice it takes no other one away"
    with shop(made.id):
        left = OpeningHours.objects.get(resource_id=None, service_id=None).closings
    assert [each["weekday"] for each in left] == [1]


def test_public_holidays_have_their_names_and_their_rule(staff: Client, made: Salon) -> None:
    given = {"deed": "holidays", "region": "JP", "rule": "closed", "eighth": ""}
    staff.post("/console/holidays", given)
    assert free(made, date(2027, 1, 11)) == []
    page = staff.get("/console/holidays", headers={"Accept-Language": "ja"}).content.decode()
    assert "成人の日" in page
    wrong = staff.post("/console/holidays", {**given, "rule": "own"}, headers=EN)
    assert (wrong.status_code, "Please write the hours of public holidays" in wrong.content.decode()) == (
        422,
        True,
    )
    staff.post("/console/holidays", {**given, "rule": "own", "eighth": "24:00-25:00 13:00-14:00"})
    assert free(made, date(2027, 1, 11)) == ["13:00"]
    page = staff.get("/console/holidays", headers={"Accept-Language": "ja"}).content.decode()
    assert "24:00–25:00" in page
    staff.post("/console/holidays", {**given, "region": "", "rule": "open"})
    with shop(made.id):
        assert Shop.objects.get().holiday_region == ""
        assert OpeningHours.objects.get(resource_id=None, service_id=None).holiday is None
