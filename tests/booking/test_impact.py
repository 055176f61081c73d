"""A change of the rules and the bookings it touches: listed first, then kept, moved or cancelled."""

import json
import threading
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import holidays
import psycopg
import pytest
from django.db import connection

from noren.booking import actions, changes, impact, referee, resettle, tasks
from noren.booking.changes import Choice
from noren.booking.models import Attention, Booking, ClassSession, Event, Status
from noren.engine.model import Why
from noren.errors import ChangeTouchesBookings, HoldExpired, NothingFree
from noren.shops import edits, rules
from noren.shops.holidays import public_holidays
from noren.shops.models import OpeningHours, Override, Resource, Service, Shop
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, later, person, salon, when
from tests.booking.test_classes import WEDNESDAY, seats, studio

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"


def close(day: str = DAY) -> bool:
    Override.objects.create(date=date.fromisoformat(day), ranges=[])
    return True


def open_from(first: int, last: int = 18 * 60) -> bool:
    return bool(OpeningHours.objects.filter(resource_id=None).update(weekly=[[[first, last]]] * 7))


def off(key: str) -> bool:
    return bool(Resource.objects.filter(key=key).update(bookable=False))


def changed(
    house: House, write: Callable[[], bool], choices: Any = changes.NONE, **more: Any
) -> changes.Done:
    return changes.change(house.id, write, choices, now=more.get("now", NOW), by="staff:aoi.salon")


def refused(house: House, write: Callable[[], bool], choices: Any = changes.NONE) -> dict[int, Why]:
    """The reasons by booking, of a change that was not made."""
    before = snapshot(house)
    with pytest.raises(ChangeTouchesBookings) as refusal:
        changed(house, write, choices)
    assert snapshot(house) == before
    return {each.booking_id: each.why for each in refusal.value.facts["touched"]}


TABLES = (Shop, Override, OpeningHours, Resource, Service, Booking, Event, ClassSession)


def snapshot(house: House) -> list[Any]:
    """Every row of the shop that a change could have written."""
    with shop(house.id):
        return [list(table.objects.order_by("id").values()) for table in TABLES]


def told(house: House, booking_id: int) -> list[tuple[str, str]]:
    with shop(house.id):
        return list(Event.objects.filter(booking_id=booking_id).order_by("id").values_list("what", "why"))


def jobs(house: House, task: str) -> list[dict[str, Any]]:
    query = """SELECT args::text FROM procrastinate_jobs
        WHERE task_name LIKE %s AND args->>'shop_id' = %s ORDER BY id"""
    with connection.cursor() as cursor:
        cursor.execute(query, [f"%{task}", str(house.id)])
        return [json.loads(args) for (args,) in cursor.fetchall()]


def work(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the jobs that move bookings, as the worker does."""
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    for args in jobs(house, "tasks.move_nearest"):
        tasks.move_nearest(**args)


# -- what is listed


def test_it_lists_what_it_touches_and_saves_nothing() -> None:
    house = salon()
    first, second = (house.book("cut", f"{DAY} {at}") for at in ("10:00", "15:00"))
    third = house.book("cut", "2026-11-06 10:00")
    assert refused(house, close) == {first.id: Why.HOURS, second.id: Why.HOURS}
    assert refused(house, partial(open_from, 12 * 60)) == {first.id: Why.HOURS, third.id: Why.HOURS}
    assert "10:00" in house.starts("cut", "2026-11-07")


def test_it_tells_ids_times_and_reasons_and_nobodys_data() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(ChangeTouchesBookings) as refusal:
        changed(house, close)
    (only,) = refusal.value.facts["touched"]
    assert only == impact.Touched(
        booking.id,
        house.services["cut"],
        when(f"{DAY} 10:00"),
        when(f"{DAY} 11:00"),
        booking.staff_id,
        Why.HOURS,
    )
    assert str(booking.person_id) not in repr(refusal.value.facts)
    assert refusal.value.words()


def test_it_saves_what_touches_nothing() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    done = changed(house, partial(open_from, 10 * 60))
    assert (done.changed, done.touched) == (True, ())
    assert house.starts("cut", "2026-11-06")[0] == "10:00"


def test_it_makes_no_revision_where_nothing_differs() -> None:
    house = salon()
    with shop(house.id):
        before = rules.revision()
    assert not changed(house, lambda: False).changed
    with shop(house.id):
        assert rules.revision() == before


def test_what_staff_insisted_on_before_is_not_touched_by_it() -> None:
    house = salon()
    wish = house.wish("cut", f"{DAY} 20:00")
    held = actions.hold(
        house.id,
        actions.HoldRequest(wish.service_id, wish.start, None, 1, override="regular"),
        now=NOW,
        by="staff:1",
    )
    booking = actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    assert changed(house, close).touched == ()
    assert refused(house, partial(off, "stylist0")) == {booking.id: Why.STAFF}


def test_what_is_over_is_not_touched() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    assert changed(house, close, now=when(f"{DAY} 10:00")).touched == ()


def test_it_asks_as_often_whatever_is_booked(django_queries: list[str]) -> None:
    house = salon(staff=4)

    def asked() -> int:
        django_queries.clear()
        with pytest.raises(ChangeTouchesBookings):
            changed(house, close)
        return len(django_queries)

    house.book("cut", f"{DAY} 10:00")
    few = asked()
    for number in range(16):
        house.book("cut", f"{DAY} {10 + number // 4 + 1}:00")
    assert asked() == few


# -- what is chosen


def test_kept_it_stays_and_waits_for_a_look() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    assert [each.booking_id for each in changed(house, close, Choice.KEEP).touched] == [booking.id]
    kept = house.booking(booking.id)
    assert (kept.status, kept.start, kept.attention) == (Status.CONFIRMED, booking.start, Attention.CLOSED)
    assert told(house, booking.id)[-1] == ("touched", "hours")
    actions.keep(house.id, booking.id, now=NOW, by="staff:1")
    assert house.booking(booking.id).attention == ""
    assert told(house, booking.id)[-1] == ("kept", "closed")
    assert house.findings() == []


def test_cancelled_she_is_told_and_owes_nothing() -> None:
    fees = {"tiers": [{"since": {"minutes": 1440 * 30}, "percent": 100}], "free_minutes": 0}
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "price": 4400, "fees": fees}})
    booking = house.book("cut", f"{DAY} 10:00")
    changed(house, close, Choice.CANCEL)
    assert house.booking(booking.id).status == Status.CANCELLED
    with shop(house.id):
        facts = Event.objects.get(booking_id=booking.id, what="cancelled").facts
    assert facts == {"fee_percent": 0, "fee": 0}
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "cancelled"} in jobs(
        house, "messages.tasks.send"
    )
    assert house.sheet_rows() == 0
    assert house.findings() == []


def test_a_later_change_has_the_last_word_over_a_job_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was to be moved; kept by the next change it stays, whenever the first one's job runs."""
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    changed(house, close, Choice.MOVE)
    changed(house, partial(off, "stylist0"), Choice.KEEP)
    changed(house, partial(edits.set_bookable, house.resources["stylist0"], there=True, now=NOW), Choice.KEEP)
    work(house, monkeypatch)
    assert house.booking(booking.id).start == booking.start


def test_moved_it_has_the_nearest_time_by_the_new_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 09:00")
    changed(house, partial(open_from, 9 * 60 + 30), Choice.MOVE)
    waiting = house.booking(booking.id)
    assert (waiting.start, waiting.attention) == (booking.start, Attention.CLOSED)
    work(house, monkeypatch)
    moved = house.booking(booking.id)
    # It overlaps itself, so its own time does not stand in its way.
    assert (moved.start, moved.attention) == (when(f"{DAY} 09:30"), "")
    assert moved.agreed["fees"] == {"tiers": [], "free_minutes": 0}
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "rescheduled"} in jobs(
        house, "messages.tasks.send"
    )
    work(house, monkeypatch)
    assert house.booking(booking.id).changes == moved.changes, "a job that runs twice moves once"
    assert house.findings() == []


def test_moved_it_goes_to_whom_she_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon(staff=2)
    booking = house.book("cut", f"{DAY} 09:00", "stylist1")
    house.book("cut", f"{DAY} 10:00", "stylist1")
    changed(house, partial(open_from, 10 * 60), {booking.id: Choice.MOVE})
    work(house, monkeypatch)
    moved = house.booking(booking.id)
    assert (moved.start, moved.staff_id) == (when(f"{DAY} 11:00"), house.resources["stylist1"])


def test_moved_it_stays_at_its_time_where_somebody_else_can_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon(staff=2)
    booking = house.book("cut", f"{DAY} 10:00")
    left = next(key for key, each in house.resources.items() if each == booking.staff_id)
    changed(house, partial(off, left), Choice.MOVE)
    work(house, monkeypatch)
    moved = house.booking(booking.id)
    assert (moved.start, moved.attention) == (booking.start, "")
    assert moved.staff_id != booking.staff_id
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "reassigned"} in jobs(
        house, "messages.tasks.send"
    )


def test_a_booking_that_could_stay_is_not_moved_to_where_it_is() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    moved = resettle.move_nearest(house.id, booking.id, now=NOW, by="staff:1")
    assert moved.start != booking.start


def test_where_nothing_is_free_it_stays_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    changed(house, partial(off, "stylist0"), Choice.MOVE)
    work(house, monkeypatch)
    assert (house.booking(booking.id).start, house.booking(booking.id).attention) == (
        booking.start,
        Attention.STAFF,
    )
    with pytest.raises(NothingFree):
        resettle.move_nearest(house.id, booking.id, now=NOW, by="staff:1")


def test_what_somebody_has_looked_at_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    changed(house, close, Choice.MOVE)
    actions.keep(house.id, booking.id, now=NOW, by="staff:1")
    work(house, monkeypatch)
    assert house.booking(booking.id).start == booking.start


def test_each_booking_has_its_own_choice_and_none_is_without() -> None:
    house = salon()
    one, two, three = (house.book("cut", f"{DAY} {at}:00") for at in (10, 12, 14))
    assert set(refused(house, close, {one.id: Choice.KEEP, two.id: Choice.CANCEL})) == {
        one.id,
        two.id,
        three.id,
    }
    changed(house, close, {one.id: Choice.KEEP, two.id: Choice.CANCEL, three.id: Choice.MOVE})
    assert [house.booking(each.id).status for each in (one, two, three)] == [
        "confirmed",
        "cancelled",
        "confirmed",
    ]
    assert [house.booking(each.id).attention for each in (one, two, three)] == ["closed", "", "closed"]
    assert jobs(house, "tasks.move_nearest") == [{"shop_id": house.id, "booking_id": three.id, "told": True}]
    assert house.findings() == []


def test_it_is_right_again_when_the_day_is_opened_again() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    changed(house, close, Choice.KEEP)
    changed(house, lambda: bool(Override.objects.filter(date=date.fromisoformat(DAY)).delete()[0]))
    assert house.booking(booking.id).attention == ""
    assert told(house, booking.id)[-1] == ("fits_again", "")


def test_a_crash_in_the_middle_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    one, two = (house.book("cut", f"{DAY} {at}:00") for at in (10, 12))
    before, write = snapshot(house), actions.write_cancel
    done: list[int] = []

    def dies(booking: Booking, **more: Any) -> None:
        if done:
            raise psycopg.OperationalError("the server went away")
        done.append(booking.id)
        write(booking, **more)

    monkeypatch.setattr(actions, "write_cancel", dies)
    with pytest.raises(psycopg.OperationalError):
        changed(house, close, Choice.CANCEL)
    assert done == [one.id]
    assert two.id > one.id
    assert snapshot(house) == before
    assert house.findings() == []


# -- holds, and what happens at the same moment


def test_a_form_that_is_being_filled_cannot_be_finished() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    assert changed(house, close).touched == ()
    with pytest.raises(HoldExpired):
        actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    assert house.findings() == []


def test_at_one_moment_nobody_is_booked_unseen() -> None:
    """Holds are confirmed while the day is closed: each ends as a booking that is listed, or not at all."""
    house = salon(staff=6)
    holds = [house.hold("cut", f"{DAY} 10:00") for _ in range(6)]
    confirm: list[Callable[[], Any]] = [
        partial(actions.confirm, house.id, held.id, person(), now=NOW, locale="ja", consent=1)
        for held in holds
    ]
    deeds: list[Callable[[], Any]] = [partial(changed, house, close, Choice.KEEP), *confirm]
    at_once(deeds)
    with shop(house.id):
        rows = list(Booking.objects.all())
    assert {(row.status, row.attention) for row in rows} <= {("confirmed", "closed"), ("released", "")}
    assert house.findings() == []


def test_control_without_the_look_a_closed_day_keeps_what_nobody_sees() -> None:
    """The same change without the preview: the booking stands on a closed day, and nothing says so."""
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    with shop(house.id), rules.change():
        close()
    lost = house.booking(booking.id)
    assert house.starts("cut", DAY) == []
    assert (lost.status, lost.attention) == ("confirmed", "")
    assert told(house, booking.id)[-1] == ("confirmed", "")


# -- 63: staff leaves


def test_case_063_who_leaves_leaves_a_list() -> None:
    house = salon(staff=2)
    hers = [house.book("cut", f"{DAY} {at}:00", "stylist1") for at in (10, 12)]
    other = house.book("cut", f"{DAY} 10:00", "stylist0")
    assert refused(house, partial(off, "stylist1")) == {each.id: Why.STAFF for each in hers}
    changed(house, partial(off, "stylist1"), Choice.KEEP)
    assert [house.booking(each.id).attention for each in (*hers, other)] == ["staff", "staff", ""]
    booking = house.booking(hers[0].id)
    assert resettle.who_can(house.id, booking, now=NOW) == ()
    booking = house.booking(hers[1].id)
    assert resettle.who_can(house.id, booking, now=NOW) == (house.resources["stylist0"],)


def test_case_063_somebody_else_serves_at_the_same_time_and_price() -> None:
    house = found(
        {"aoi": {"fee": 1100}, "ren": {"fee": 550}},
        {"cut": {"needs": {"staff": ["aoi", "ren"]}, "price": 4400}},
    )
    booking = house.book("cut", f"{DAY} 10:00", "aoi")
    changed(house, partial(off, "aoi"), Choice.KEEP)
    given = resettle.reassign(house.id, booking.id, house.resources["ren"], now=NOW, by="staff:1")
    assert (given.start, given.staff_id, given.attention) == (booking.start, house.resources["ren"], "")
    assert (given.agreed["price"], given.asked_staff_id) == (5500, None)
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "reassigned"} in jobs(
        house, "messages.tasks.send"
    )
    assert house.findings() == []


def test_case_063_she_agrees_to_another_fee() -> None:
    house = found(
        {"aoi": {"fee": 1100}, "ren": {"fee": 550}},
        {"cut": {"needs": {"staff": ["aoi", "ren"]}, "price": 4400}},
    )
    booking = house.book("cut", f"{DAY} 10:00", "aoi")
    ren = house.resources["ren"]
    given = resettle.reassign(house.id, booking.id, ren, now=NOW, by="staff:1", agreed_anew=True)
    assert (given.agreed["price"], given.asked_staff_id) == (4950, ren)


def test_case_063_nobody_is_reassigned_to_who_is_busy_without_a_reason() -> None:
    house = salon(staff=2)
    booking = house.book("cut", f"{DAY} 10:00", "stylist1")
    house.book("cut", f"{DAY} 10:00", "stylist0")
    other = house.resources["stylist0"]
    with pytest.raises(Exception, match="slot_taken"):
        resettle.reassign(house.id, booking.id, other, now=NOW, by="staff:1")
    resettle.reassign(house.id, booking.id, other, now=NOW, by="staff:1", override="agreed")
    assert house.booking(booking.id).staff_id == other
    assert told(house, booking.id)[-1] == ("moved", "agreed")
    assert house.findings() == []


def test_case_063_a_short_notice_does_not_stand_in_the_way() -> None:
    house = found(
        {"aoi": {}, "ren": {}}, {"cut": {"needs": {"staff": ["aoi", "ren"]}, "lead": {"minutes": 1440}}}
    )
    booking = house.book("cut", f"{DAY} 10:00", "aoi")
    now = when(f"{DAY} 09:30")
    assert resettle.who_can(house.id, house.booking(booking.id), now=now) == (house.resources["ren"],)
    resettle.reassign(house.id, booking.id, house.resources["ren"], now=now, by="staff:1")
    assert house.booking(booking.id).staff_id == house.resources["ren"]


# -- resources and services


def test_a_service_that_is_given_up() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    retire = lambda: bool(Service.objects.update(bookable=False))  # noqa: E731 - as short as what it does
    assert refused(house, retire) == {booking.id: Why.NOT_OFFERED}


def test_an_edit_of_length_and_buffers_leaves_bookings_alone() -> None:
    house = salon()
    house.book("cut", f"{DAY} 17:00")
    edit = {"segments": [{"minutes": 120, "roles": ["staff"]}], "after": 60}
    assert changed(house, lambda: bool(Service.objects.update(**edit))).touched == ()


def test_a_stock_of_fewer_lists_the_last_and_the_sheets_fit_at_once() -> None:
    house = found(
        {"kit": {"kind": "equipment", "stock": 3}},
        {"rent": {"needs": {"kit": {"pool": ["kit"], "units": 1}}}},
    )
    ids = [house.book("rent", f"{DAY} 10:00").id for _ in range(3)]
    fewer = lambda: bool(Resource.objects.update(stock=1))  # noqa: E731 - as short as what it does
    assert refused(house, fewer) == dict.fromkeys(ids[1:], Why.STOCK)
    changed(house, fewer, Choice.KEEP)
    assert house.findings() == []
    assert "10:00" not in house.starts("rent", DAY)


# -- 71: fewer seats


def fewer_seats(number: int) -> bool:
    return bool(Service.objects.filter(key="yoga").update(capacity=number))


def test_case_071_fewer_seats_than_are_booked_are_refused() -> None:
    house = studio(capacity=4)
    one = house.book("yoga", "2026-11-04 10:00", party=2)
    two = house.book("yoga", "2026-11-04 10:00", party=2)
    assert refused(house, partial(fewer_seats, 2)) == {two.id: Why.SEATS}
    assert refused(house, partial(fewer_seats, 1)) == {one.id: Why.SEATS, two.id: Why.SEATS}
    with shop(house.id):
        assert set(ClassSession.objects.values_list("capacity", flat=True)) == {4}


def test_case_071_who_insists_is_shown_an_overbooked_date_and_nobody_is_dropped() -> None:
    house = studio(capacity=4)
    bookings = [house.book("yoga", "2026-11-04 10:00", party=2) for _ in range(2)]
    changed(house, partial(fewer_seats, 2), Choice.KEEP)
    with shop(house.id):
        date_ = ClassSession.objects.get(start=when("2026-11-04 10:00"))
        other = ClassSession.objects.get(start=when("2026-11-04 11:00"))
    assert (date_.booked, date_.capacity, other.capacity) == (4, 2, 2)
    assert [house.booking(each.id).status for each in bookings] == ["confirmed", "confirmed"]
    assert [house.booking(each.id).attention for each in bookings] == ["", "closed"]
    assert house.starts("yoga", "2026-11-04") == ["11:00"]
    assert house.findings() == []


def test_case_071_who_came_last_moves_to_another_date(monkeypatch: pytest.MonkeyPatch) -> None:
    house = studio(capacity=4)
    house.book("yoga", "2026-11-04 10:00", party=2)
    last = house.book("yoga", "2026-11-04 10:00", party=2)
    changed(house, partial(fewer_seats, 2), Choice.MOVE)
    work(house, monkeypatch)
    assert house.booking(last.id).start == when("2026-11-04 11:00")
    assert (seats(house, "2026-11-04 10:00"), seats(house, "2026-11-04 11:00")) == (2, 2)
    assert house.findings() == []


# -- classes on a day that is closed


def test_a_closed_day_has_no_empty_classes_and_they_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    house = studio()
    booking = house.book("yoga", "2026-11-04 10:00")
    changed(house, partial(close, "2026-11-04"), Choice.KEEP)
    assert house.starts("yoga", "2026-11-04") == ["10:00"], "the one that was kept takes place"
    assert house.booking(booking.id).attention == "closed"
    changed(house, lambda: bool(Override.objects.all().delete()[0]))
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    tasks.follow_rules(house.id)
    assert house.starts("yoga", "2026-11-04") == ["10:00", "11:00"]
    assert house.booking(booking.id).attention == ""
    assert house.findings() == []


def test_a_class_whose_bookings_are_cancelled_is_not_held() -> None:
    house = studio()
    house.book("yoga", "2026-11-04 10:00")
    changed(house, partial(close, "2026-11-04"), Choice.CANCEL)
    assert house.starts("yoga", "2026-11-04") == []
    assert house.findings() == []


def test_a_class_whose_bookings_have_moved_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    house = studio()
    bookings = [house.book("yoga", f"2026-11-04 {at}:00") for at in (10, 11)]
    changed(house, partial(close, "2026-11-04"), Choice.MOVE)
    work(house, monkeypatch)
    assert {house.booking(each.id).start for each in bookings} == {when("2026-11-11 10:00")}
    assert house.starts("yoga", "2026-11-04") == []
    assert house.findings() == []


def test_a_teacher_who_leaves_is_listed_by_her_classes() -> None:
    house = studio()
    booking = house.book("yoga", "2026-11-04 10:00")
    assert refused(house, partial(off, "yui")) == {booking.id: Why.STAFF}


def test_a_date_that_leaves_the_timetable_is_listed_or_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    house = studio()
    ten, eleven = (house.book("yoga", f"2026-11-04 {at}:00") for at in (10, 11))
    only = [{"weekday": WEDNESDAY, "start": 600}]

    def leaves() -> bool:
        return bool(Service.objects.filter(key="yoga").update(timetable=only))

    assert refused(house, leaves) == {eleven.id: Why.NOT_OFFERED}
    changed(house, leaves, Choice.MOVE)
    assert house.starts("yoga", "2026-11-11") == ["10:00"], "what nobody has booked is not held"
    work(house, monkeypatch)
    assert house.booking(eleven.id).start == house.booking(ten.id).start
    assert house.starts("yoga", "2026-11-04") == ["10:00"]
    assert house.findings() == []


# -- 97: new holidays


def test_case_097_a_new_holiday_is_found_by_the_daily_job(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon(holiday_region="JP", holiday_rule="closed")
    changed(house, lambda: True)  # what was published is remembered from the first change on
    booking, other = house.book("cut", f"{DAY} 10:00"), house.book("cut", "2026-11-06 10:00")
    proclaim(monkeypatch, date.fromisoformat(DAY))
    try:
        monkeypatch.setattr("noren.clock.now", lambda: NOW)
        for _ in range(2):
            tasks.review(house.id)
        kept = house.booking(booking.id)
        assert (kept.status, kept.attention) == (Status.CONFIRMED, Attention.CLOSED)
        assert [each for each in told(house, booking.id) if each[0] == "touched"] == [("touched", "holiday")]
        assert house.booking(other.id).attention == ""
        assert house.starts("cut", DAY) == []
        assert house.findings() == []
    finally:
        public_holidays.cache_clear()


def test_case_097_any_change_sees_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes something before the daily job has run is asked about the new holiday as well."""
    house = salon(holiday_region="JP", holiday_rule="closed")
    changed(house, lambda: True)
    booking = house.book("cut", f"{DAY} 10:00")
    proclaim(monkeypatch, date.fromisoformat(DAY))
    try:
        assert refused(house, lambda: True) == {booking.id: Why.HOLIDAY}
    finally:
        public_holidays.cache_clear()


def test_case_097_nothing_new_makes_no_revision() -> None:
    house = salon(holiday_region="JP")
    changed(house, lambda: True)
    assert not changes.review_holidays(house.id, now=NOW).changed
    assert changes.review_holidays(house.id, now=later(days=365)).changed, "the next year's are remembered"


def test_the_daily_job_comes_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    for _ in range(2):
        tasks.follow_rules(house.id)
    assert jobs(house, "tasks.review") == [{"shop_id": house.id}]


def proclaim(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    """A version of the published data in which one more day is a holiday."""
    before = holidays.country_holidays

    def after(*args: Any, **named: Any) -> dict[date, str]:
        return {**before(*args, **named), day: "a new one"}

    monkeypatch.setattr(holidays, "country_holidays", after)
    public_holidays.cache_clear()


def until_waiting(thread: threading.Thread) -> None:
    """Return when a thread waits for a lock, or has ended."""
    query = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as beside:
        while thread.is_alive() and not (beside.execute(query).fetchone() or (0,))[0]:
            time.sleep(0.01)


def test_it_locks_the_days_of_all_it_cancels_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A booking of both chair and stylist is cancelled while those of each are: nobody waits in a circle."""
    house = found(
        {"aoi": {}, "chair": {"kind": "chair"}},
        {
            "sit": {"needs": {"chair": ["chair"]}},
            "cut": {"needs": {"staff": ["aoi"]}},
            "both": {"needs": {"staff": ["aoi"], "chair": ["chair"]}},
        },
    )
    for service in ("sit", "cut"):
        house.book(service, f"{DAY} 10:00")
    both = house.book("both", f"{DAY} 15:00")
    write, ended = actions.write_cancel, []
    cancel = partial(actions.cancel, house.id, both.id, now=NOW, by="staff:1")
    other = threading.Thread(target=lambda: ended.extend(at_once([cancel])))

    def meets(booking: Booking, **more: Any) -> None:
        write(booking, **more)
        if booking.id != both.id and not other.ident:
            other.start()
            until_waiting(other)

    monkeypatch.setattr(actions, "write_cancel", meets)
    changed(house, partial(open_from, 14 * 60), Choice.CANCEL)
    other.join()
    assert ended == []
    assert {house.booking(each).status for each in (both.id, both.id - 1, both.id - 2)} == {"cancelled"}
    assert house.findings() == []


def test_rows_are_locked_in_one_order() -> None:
    """Two changes and two cancellations at once: nobody waits for ever, nobody is lost."""
    house = salon(staff=4)
    ids = [house.book("cut", f"{DAY} {at:02}:00").id for at in (9, 10, 11, 12) for _ in range(4)]
    deeds: list[Callable[[], Any]] = [
        partial(changed, house, partial(open_from, 12 * 60), Choice.CANCEL),
        partial(changed, house, partial(off, "stylist3"), Choice.KEEP),
        *(partial(actions.cancel, house.id, each, now=NOW, by="staff:1") for each in ids[:4]),
    ]
    results = at_once(deeds)
    assert not [each for each in results if isinstance(each, referee.Overtaken)]
    with shop(house.id):
        standing = Booking.objects.filter(status="confirmed")
        assert all(row.start >= when(f"{DAY} 12:00") for row in standing)
        assert Shop.objects.get().rules_revision >= 3
    assert house.findings() == []
