"""Staff, their weeks and single days, and the days they ask for: what that touches is asked before."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from noren.booking import actions, availability, book, changes, tasks
from noren.booking.models import Attention, Block, Booking
from noren.shops import day_requests, serving
from noren.shops.models import DayRequest, OpeningHours, Override, Resource, Service, Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked
from tests.web.desk.test_offers import fields
from tests.web.flow import CUSTOMER

EN = {"Accept-Language": "en"}
DAY = date(2026, 12, 3)
AT = datetime.fromisoformat("2026-12-03T11:00+09:00")
ASKED = "Nothing has been saved yet."


@pytest.fixture(autouse=True)
def _as_before(made: Salon) -> Iterator[None]:
    yield
    with shop(made.id):
        DayRequest.objects.all().delete()
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
        aoi = list(made.staff)
    for each in ids:
        actions.cancel(made.id, each, now=NOON, by="staff:1")

    def write() -> bool:
        Override.objects.all().delete()
        OpeningHours.objects.filter(resource_id__isnull=False).delete()
        Resource.objects.filter(id__in=aoi).update(bookable=True)
        return True

    changes.change(made.id, write, changes.Choice.KEEP, now=NOON, by="staff:1")


def hers(made: Salon, at: datetime = AT, number: int = 0) -> Booking:
    """A booking that asks for one of them."""
    wish = book.BookRequest(made.cut, at, made.staff[number], 1, book.Customer(**CUSTOMER), "ja")
    return book.book(made.id, wish, now=NOON).booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def free(made: Salon, staff: int, on: date = DAY) -> list[str]:
    """The starts of a cut with her on a day."""
    found = availability.month(made.id, made.cut, on, on, now=NOON, staff=staff)
    return [f"{each.at:%H:%M}" for each in found.days.get(on, ())]


def test_somebody_new_is_booked_from_her_first_day_on(staff: Client, made: Salon) -> None:
    there = "/console/staff/new"
    given = fields(staff, there, name="玲奈", other_name="Rena", title="店長", fee=550, key="rena")
    given["first"] = "2026-12-03"
    del given[f"serves-{made.lesson}"]
    answer = staff.post(there, given, headers=EN, follow=True)
    assert "Rena" in answer.content.decode()
    assert "from Thu 3 December" in answer.content.decode()
    with shop(made.id):
        row = Staff.objects.get(key="rena")
        assert (row.fee, row.texts["title"]) == (550, {"ja": "店長"})
        assert row.id in Service.objects.get(id=made.cut).requirements[0]["pool"]
    assert free(made, row.id, date(2026, 12, 2)) == []
    assert free(made, row.id)[0] == "10:00"
    assert "玲奈" in Client().get("/salon/?lang=ja").content.decode()
    wish = book.BookRequest(made.cut, AT, row.id, 1, book.Customer(**CUSTOMER), "ja")
    assert book.book(made.id, wish, now=NOON).booking.staff_id == row.id


def test_who_leaves_is_asked_about_her_bookings_and_then_gone(
    staff: Client, made: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    her = made.staff[1]
    own = hers(made, number=1)
    there = f"/console/staff/{her}"
    given = {"deed": "dates", "first": "", "last": "2026-12-02"}
    assert ASKED in staff.post(there, given, headers=EN).content.decode()
    assert free(made, her) != []
    staff.post(there, {**given, f"choice-{own.id}": "keep"}, headers=EN)
    assert free(made, her) == []
    assert free(made, her, date(2026, 12, 2)) != []
    assert fresh(made, own).attention == Attention.STAFF
    tasks.leave.func(made.id, her)
    with shop(made.id):
        assert Resource.objects.get(id=her).bookable, "not before her last day is over"
    monkeypatch.setattr("noren.clock.now", lambda: NOON + timedelta(days=9))
    tasks.leave.func(made.id, her)
    with shop(made.id):
        assert not Resource.objects.get(id=her).bookable


def test_nobody_is_taken_from_a_service_that_only_she_does(staff: Client, made: Salon) -> None:
    there = f"/console/staff/{made.staff[0]}"
    given = fields(staff, there, fee="0")
    del given[f"serves-{made.lesson}"]
    answer = staff.post(there, {"deed": "words", **given}, headers=EN)
    assert answer.status_code == 422
    assert "Nobody would be left for" in answer.content.decode()
    del given[f"serves-{made.cut}"]
    given[f"serves-{made.lesson}"] = "on"
    staff.post(there, {"deed": "words", **given}, headers=EN)
    with shop(made.id):
        assert made.staff[0] not in Service.objects.get(id=made.cut).requirements[0]["pool"]
    given[f"serves-{made.cut}"] = "on"
    staff.post(there, {"deed": "words", **given, "name": "葵"}, headers=EN)
    with shop(made.id):
        assert made.staff[0] in Service.objects.get(id=made.cut).requirements[0]["pool"]
        assert Staff.objects.get(id=made.staff[0]).texts["name"]["ja"] == "葵"


def test_they_stand_in_the_order_that_was_chosen(staff: Client, made: Salon) -> None:
    def order() -> list[str]:
        with shop(made.id):
            return list(Staff.objects.order_by("position", "id").values_list("key", flat=True))[:3]

    before = order()
    with shop(made.id):
        last = Staff.objects.get(key=before[2]).id
    staff.post("/console/staff", {"staff": last, "step": "-1"})
    assert order() == [before[0], before[2], before[1]]
    staff.post("/console/staff", {"staff": last, "step": "1"})
    assert order() == before
    staff.post("/console/staff", {"staff": last, "to": "0"})
    assert order() == [before[2], before[0], before[1]]
    staff.post("/console/staff", {"staff": last, "to": "2"})
    assert order() == before
    assert staff.post("/console/staff", {"staff": last, "step": "7"}).status_code == 422


def test_her_weeks_begin_on_a_day_and_take_turns(staff: Client, made: Salon) -> None:
    her = made.staff[0]
    there = f"/console/pattern/{her}"
    given = {"first": "2026-12-01", "kind": "two", "a-thu": "10:00-12:00", "b-thu": "13時"}
    answer = staff.post(there, given, headers=EN)
    assert (answer.status_code, "Please write the hours like" in answer.content.decode()) == (422, True)
    given["b-thu"] = "13:00〜15:00"
    own = hers(made, AT.replace(hour=16))
    assert ASKED in staff.post(there, given, headers=EN).content.decode()
    staff.post(there, {**given, f"choice-{own.id}": "cancel"}, headers=EN)
    assert fresh(made, own).status == "cancelled"
    assert free(made, her, DAY) == ["10:00", "10:30", "11:00"]
    assert free(made, her, DAY + timedelta(days=7)) == ["13:00", "13:30", "14:00"]
    assert free(made, her, date(2026, 11, 26))[-1] == "18:00", "as before until then"
    page = staff.get(there, headers=EN).content.decode()
    assert "From Tue 1 December 2026" in page
    staff.post(there, {"drop": "2026-12-01"}, headers=EN)
    assert free(made, her, DAY)[-1] == "18:00"


def test_on_a_public_holiday_she_has_the_hours_of_her_weeks_then(staff: Client, made: Salon) -> None:
    her, feast = made.staff[0], date(2027, 1, 11)
    holidays = {"deed": "holidays", "region": "JP", "rule": "open", "eighth": ""}
    staff.post("/console/holidays", holidays)
    given = {"first": "2026-12-01", "kind": "one", "a-mon": "10:00-12:00", "holiday": "13:00-14:00"}
    staff.post(f"/console/pattern/{her}", given)
    assert free(made, her, feast) == ["13:00"]
    assert free(made, her, feast + timedelta(days=7)) == ["10:00", "10:30", "11:00"]
    staff.post(f"/console/pattern/{her}", {**given, "first": "2027-01-01", "holiday": ""})
    assert free(made, her, feast) == ["10:00", "10:30", "11:00"]
    staff.post("/console/holidays", {**holidays, "region": ""})


def test_one_day_is_changed_by_a_tap_and_changed_back(staff: Client, made: Salon) -> None:
    her = made.staff[0]
    there = f"/console/shifts/{her}"
    page = staff.get("/console/shifts?month=2026-12", headers=EN).content.decode()
    assert f"{there}?date=2026-12-03" in page
    staff.post(there, {"date": DAY, "open": "hours", "hours": "12:00-14:00"}, headers=EN)
    assert free(made, her) == ["12:00", "12:30", "13:00"]
    page = staff.get("/console/shifts?month=2026-12", headers=EN).content.decode()
    assert "other than usual" in page
    staff.post(there, {"date": DAY, "open": "off"}, headers=EN)
    assert free(made, her) == []
    staff.post(there, {"date": DAY, "open": "usual"}, headers=EN)
    assert free(made, her)[0] == "10:00"
    wrong = staff.post(there, {"date": "2026-11-01", "open": "off"}, headers=EN)
    assert wrong.status_code == 422
    assert staff.get(f"/console/shifts/999999?date={DAY}").status_code == 404


def test_a_day_off_of_who_follows_the_shop_leaves_the_night_before_whole(made: Salon) -> None:
    """A bar's Wednesday ends at two on Thursday; her day off begins with Thursday's own hours."""
    with shop(made.id):
        usual = OpeningHours.objects.get(resource_id=None, service_id=None)

    def late() -> bool:
        OpeningHours.objects.filter(id=usual.id).update(weekly=[[[1200, 1560]]] * 7)
        Override.objects.create(resource_id=made.staff[0], date=DAY, ranges=[])
        return True

    def back() -> bool:
        return OpeningHours.objects.filter(id=usual.id).update(weekly=usual.weekly) > 0

    changes.change(made.id, late, changes.Choice.KEEP, now=NOON, by="staff:1")
    night = free(made, made.staff[0], DAY)
    changes.change(made.id, back, changes.Choice.KEEP, now=NOON, by="staff:1")
    assert night == ["00:00", "00:30", "01:00"]


def test_what_was_other_than_usual_is_copied(staff: Client, made: Salon) -> None:
    first, second = made.staff[0], made.staff[1]
    for each, on, hours in ((first, "2026-11-26", "12:00-14:00"), (second, "2026-12-05", "")):
        sent = {"date": on, "open": "hours" if hours else "off", "hours": hours}
        staff.post(f"/console/shifts/{each}", sent)
    own = {"date": "2026-12-10", "open": "hours", "hours": "16:00-18:00"}
    staff.post(f"/console/shifts/{first}", own)
    staff.post("/console/shifts", {"deed": "week", "week": "2026-11-30", "month": "2026-12"})
    assert free(made, first) == ["12:00", "12:30", "13:00"]
    staff.post("/console/shifts", {"deed": "week", "week": "2026-12-07", "month": "2026-12"})
    assert free(made, first, date(2026, 12, 10))[0] == "16:00", "what was entered stays"
    staff.post("/console/shifts", {"deed": "month", "month": "2027-01"})
    assert free(made, second, date(2027, 1, 2)) == [], "the first Saturday as the first Saturday"
    assert free(made, first, date(2027, 1, 7)) == ["12:00", "12:30", "13:00"]
    wrong = staff.post("/console/shifts", {"deed": "week", "week": "2026-12-08", "month": "2026-12"})
    assert wrong.status_code == 422


def test_she_asks_for_a_day_and_it_is_accepted_with_her_bookings(staff: Client, made: Salon) -> None:
    """Aoi, who is signed in, is the owner and serves, too: she may do both."""
    plain, named = booked(made, AT.replace(hour=14)).booking, hers(made)
    page = staff.get("/console/me", headers=EN).content.decode()
    assert "Ask for a day off" in page
    staff.post("/console/me", {"deed": "ask", "first": f"{DAY}", "open": "off", "why": "leave"})
    with shop(made.id):
        row = DayRequest.objects.get()
        assert (row.staff_id, row.state, row.why) == (made.staff[0], "asked", "leave")
    again = staff.post("/console/me", {"deed": "ask", "first": f"{DAY}", "open": "off"}, headers=EN)
    assert again.status_code == 409
    assert "You have asked for one of these days" in again.content.decode()
    assert "a request waits" in staff.get("/console/shifts?month=2026-12", headers=EN).content.decode()
    assert "1 request waits for your answer." in staff.get("/console/", headers=EN).content.decode()
    given = {"deed": "accept", "request": row.id}
    answer = staff.post("/console/requests", given, headers=EN).content.decode()
    assert ASKED in answer
    assert f'name="choice-{named.id}"' in answer
    away = staff.post("/console/requests", {**given, "then": "away"}, headers=EN)
    assert away.headers["Location"] == f"/console/away?staff={made.staff[0]}&date={DAY}"
    assert free(made, made.staff[0]) == []
    assert fresh(made, named).attention == Attention.STAFF
    touched = {named.id} | ({plain.id} if plain.staff_id == made.staff[0] else set())
    with shop(made.id):
        waiting = set(Booking.objects.exclude(attention="").values_list("id", flat=True))
        assert waiting == touched
        assert DayRequest.objects.get().state == "accepted"
    lost = staff.post("/console/requests", given, headers=EN)
    assert (lost.status_code, "answered or withdrawn already" in lost.content.decode()) == (409, True)
    page = staff.get(away.headers["Location"], headers=EN).content.decode()
    assert f'name="choice-{named.id}"' in page
    assert "is off on this day" in page
    staff.post("/console/away", {"staff": made.staff[0], "date": f"{DAY}", "deed": "away"})
    with shop(made.id):
        assert not Block.objects.exists(), "who is off by her shifts needs no block"
    staff.post("/console/requests", {"deed": "reopen", "request": row.id})
    assert free(made, made.staff[0]) != []
    assert fresh(made, named).attention == "", "it fits again"
    staff.post("/console/requests", {"deed": "decline", "request": row.id})
    assert "declined" in staff.get("/console/me", headers=EN).content.decode()


def test_who_is_said_to_be_away_is_so_in_the_shifts(staff: Client, made: Salon) -> None:
    sent = {"staff": made.staff[1], "date": f"{DAY}", "deed": "away"}
    staff.post("/console/away", sent)
    page = staff.get("/console/shifts?month=2026-12", headers=EN).content.decode()
    assert "Thu 3 December: away: no bookings are taken" in page
    page = staff.get(f"/console/shifts/{made.staff[1]}?date={DAY}", headers=EN).content.decode()
    assert f"/console/away?staff={made.staff[1]}&amp;date={DAY}" in page
    staff.post("/console/away", {**sent, "deed": "back"})
    page = staff.get("/console/shifts?month=2026-12", headers=EN).content.decode()
    assert "no bookings are taken" not in page


def test_a_request_is_withdrawn_by_her_alone(staff: Client, made: Salon) -> None:
    with shop(made.id):
        other = day_requests.ask(made.staff[1], DAY, DAY, [], day_requests.Why.PRIVATE, now=NOON)
    answer = staff.post("/console/me", {"deed": "withdraw", "request": other.id})
    assert answer.status_code == 404
    staff.post("/console/me", {"deed": "ask", "first": f"{DAY}", "open": "hours", "hours": "10:00-12:00"})
    with shop(made.id):
        own = DayRequest.objects.get(staff_id=made.staff[0])
        assert own.ranges == [[600, 720]]
    staff.post("/console/me", {"deed": "withdraw", "request": own.id})
    with shop(made.id):
        assert DayRequest.objects.get(id=own.id).state == "withdrawn"
    for wrong in ({"first": "2026-01-01"}, {"first": f"{DAY}", "last": "2026-12-01"}, {"first": "x"}):
        assert staff.post("/console/me", {"deed": "ask", "open": "off", **wrong}).status_code == 422


def test_her_own_page_names_who_comes_to_her_today(staff: Client, made: Salon) -> None:
    today = hers(made, NOON + timedelta(hours=2))
    other = hers(made, NOON + timedelta(hours=3), number=1)
    page = staff.get("/console/me").content.decode()
    assert f"/console/bookings/{today.id}" in page
    assert "山田 花子" in page
    assert f"/console/bookings/{other.id}" not in page


def test_it_says_who_cannot_sign_in_and_leads_to_inviting_her(staff: Client, made: Salon) -> None:
    page = staff.get("/console/staff", headers=EN).content.decode()
    assert "/console/members?staff=ren#invite" in page
    assert "/console/members?staff=aoi#invite" not in page
    members = staff.get("/console/members?staff=ren", headers=EN).content.decode()
    assert '<option value="ren" selected' in members
    with shop(made.id):
        assert serving.free_key("ren", "staff") == "ren-1"
