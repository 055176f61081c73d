"""Changing hours and staff in the console, and what waits for a look: shown before it is saved."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from noren import people
from noren.booking import actions, changes, resettle
from noren.booking.changes import Choice
from noren.booking.models import Booking
from noren.shops import edits, rules
from noren.shops.edits import DayReason
from noren.shops.models import Override, Resource, Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import Sink
from tests.web.conftest import booked, joined, last_from_noon
from tests.web.flow import Visitor

HOURS, ATTENTION = "/console/hours", "/console/attention"


@pytest.fixture(autouse=True)
def _as_before(made: Salon) -> Iterator[None]:
    """Each test finds the usual hours, everybody bookable and nothing booked."""
    yield
    with shop(made.id), rules.change():
        Override.objects.all().delete()
        Resource.objects.update(bookable=True)
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
    for booking_id in ids:
        actions.cancel(made.id, booking_id, now=NOON, by="staff:1")


def one(made: Salon, hours: int = 24) -> Booking:
    return booked(made, NOON + timedelta(hours=hours)).booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def day(booking: Booking) -> str:
    return f"{booking.start + timedelta(hours=9):%Y-%m-%d}"


def close(booking: Booking, **more: str) -> dict[str, str]:
    return {"deed": "day", "date": day(booking), "open": "closed", "why": "training", **more}


def text(answer: Any) -> str:
    body: str = answer.content.decode()
    return body


def overrides(made: Salon) -> list[tuple[str, Any, str]]:
    with shop(made.id):
        return [(f"{row.date}", row.ranges, row.why) for row in Override.objects.order_by("date")]


def test_it_shows_what_it_touches_and_saves_nothing(made: Salon, staff: Client) -> None:
    booking = one(made)
    page = text(staff.post(HOURS, close(booking)))
    assert "1件のご予約に影響します" in page
    assert f'name="choice-{booking.id}"' in page
    assert "営業時間の外です。" in page
    assert "山田" not in page, "names are not needed to choose"
    assert overrides(made) == []


@pytest.mark.parametrize("choice", Choice)
def test_it_saves_once_each_has_a_choice(made: Salon, staff: Client, choice: Choice) -> None:
    booking = one(made)
    visitor = Visitor(client=staff)
    visitor._keep(staff.post(HOURS, close(booking)), HOURS)
    form = next(form for form in visitor.forms() if "deed" in form.values)
    answer = staff.post(form.action, {**form.values, f"choice-{booking.id}": choice}, follow=True)
    assert overrides(made) == [(day(booking), [], "training")]
    now = fresh(made, booking)
    expected = ("cancelled", "") if choice.cancels else ("confirmed", "closed")
    assert (now.status, now.attention) == expected
    assert "研修のため" in text(answer)


def jobs_of(made: Salon, task: str, booking: Booking) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = %s AND args ->> 'booking_id' = %s "
            "AND args ->> 'shop_id' = %s ORDER BY id",
            [task, str(booking.id), str(made.id)],
        )
        rows = [row[0] for row in cursor.fetchall()]
    return [json.loads(row) if isinstance(row, str) else row for row in rows]


def kinds(made: Salon, booking: Booking) -> set[str]:
    """Of what mails go to her about it."""
    return {job["kind"] for job in jobs_of(made, "noren.messages.tasks.send", booking)} - {
        "booked",
        "reminder",
    }


@pytest.mark.parametrize("told", [True, False])
def test_it_asks_whether_the_customers_are_told(made: Salon, staff: Client, *, told: bool) -> None:
    """Of who is cancelled and of who is moved; without a word of it they are told."""
    cancelled, moved = one(made), one(made, 26)
    page = text(staff.post(HOURS, close(cancelled)))
    assert 'name="tell" value="1" checked' in page
    said = {"asked_tell": "1"} | ({"tell": "1"} if told else {})
    given = close(cancelled) | said
    first = staff.post(HOURS, given | {f"choice-{cancelled.id}": "nonsense"})
    assert ('name="tell" value="1" checked' in text(first)) is told
    given |= {f"choice-{cancelled.id}": "cancel", f"choice-{moved.id}": "move"}
    assert staff.post(HOURS, given).status_code == 302
    assert kinds(made, cancelled) == ({"cancelled"} if told else set())
    [job] = jobs_of(made, "noren.booking.tasks.move_nearest", moved)
    assert job["told"] is told
    resettle.move_waiting(made.id, moved.id, now=NOON, told=job["told"])
    assert fresh(made, moved).start != moved.start
    assert kinds(made, moved) == ({"rescheduled"} if told else set())


def test_a_choice_for_another_booking_is_none(made: Salon, staff: Client) -> None:
    booking = one(made)
    given = close(booking, **{f"choice-{booking.id + 999}": "keep", f"choice-{booking.id}": "nonsense"})
    assert "影響します" in text(staff.post(HOURS, given))
    assert overrides(made) == []


def test_it_begins_with_the_day_as_it_is(made: Salon, staff: Client) -> None:
    page = text(staff.get(f"{HOURS}?date=2026-12-01"))
    assert 'value="hours" checked' in page
    assert 'name="hours" value="10:00-19:00"' in page
    staff.post(HOURS, {"deed": "day", "date": "2026-12-01", "open": "closed", "why": "weather"})
    page = text(staff.get(f"{HOURS}?date=2026-12-01"))
    assert 'value="closed" checked' in page
    assert '<option value="weather" selected>' in page


def test_it_saves_at_once_what_touches_nobody(made: Salon, staff: Client) -> None:
    booking = one(made)
    given = close(booking) | {"open": "hours", "hours": "１０:００〜１３:３０、14:00-19:00"}
    answer = staff.post(HOURS, given, follow=True)
    assert overrides(made) == [(day(booking), [[600, 810], [840, 1140]], "training")]
    assert "10:00–13:30" in text(answer)
    public = text(staff.get("/salon/"))
    assert "研修のため" in public
    staff.post(HOURS, {"deed": "usual", "date": day(booking)})
    assert overrides(made) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"open": "hours", "hours": ""},
        {"open": "hours", "hours": "9-12"},
        {"open": "hours", "hours": "closed"},
        {"date": "2026-11-23"},
        {"date": "x"},
        {"deed": "other"},
        {"deed": "off", "staff": "999999"},
        {"deed": "off", "staff": "x"},
    ],
)
def test_it_says_how_to_write_it(made: Salon, staff: Client, wrong: dict[str, str]) -> None:
    answer = staff.post(HOURS, {"deed": "day", "date": "2026-12-01", "open": "closed", **wrong})
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert overrides(made) == []


def test_somebody_leaves_and_comes_back(made: Salon, staff: Client) -> None:
    booking = one(made)
    with shop(made.id):
        name = Staff.objects.get(id=booking.staff_id or 0).texts["name"]["ja"]
    off = {"deed": "off", "staff": str(booking.staff_id)}
    page = text(staff.post(HOURS, off))
    assert f"{name}の予約受付を止める" in page
    assert "担当する人がいません。" in page
    staff.post(HOURS, {**off, f"choice-{booking.id}": "keep"})
    assert fresh(made, booking).attention == "staff"
    assert "受付停止中" in text(staff.get(HOURS))
    staff.post(HOURS, {"deed": "on", "staff": str(booking.staff_id)})
    assert fresh(made, booking).attention == "", "she is there again"
    with shop(made.id):
        assert Resource.objects.get(id=booking.staff_id or 0).joined_at == NOON


def waits(made: Salon, hours: int = 24) -> Booking:
    booking = one(made, hours)
    on = (booking.start + timedelta(hours=9)).date()
    changes.change(
        made.id, lambda: edits.set_day(on, [], DayReason.NONE), Choice.KEEP, now=NOON, by="staff:aoi.salon"
    )
    return booking


def test_it_lists_what_waits_and_names_by_a_tap(made: Salon, staff: Client) -> None:
    assert "確認が必要な予約はありません" in text(staff.get(ATTENTION))
    booking = waits(made)
    page = text(staff.get(ATTENTION))
    assert f"/console/attention/{booking.id}" in page
    assert "営業時間の外です。" in page
    assert "山田 花子" not in page
    assert "山田 花子" in text(staff.post(ATTENTION))


def test_reading_changes_nothing(made: Salon, staff: Client) -> None:
    booking = waits(made)
    before = fresh(made, booking)
    for address in (HOURS, f"{HOURS}?date={day(booking)}", ATTENTION, f"{ATTENTION}/{booking.id}"):
        assert staff.get(f"{address}").status_code == 200
    staff.get(f"{ATTENTION}/{booking.id}?deed=cancel")
    after = fresh(made, booking)
    assert (after.status, after.attention, after.changes) == (before.status, before.attention, before.changes)


def test_it_keeps(made: Salon, staff: Client) -> None:
    booking = waits(made)
    answer = staff.post(f"{ATTENTION}/{booking.id}", {"deed": "keep"})
    assert answer["Location"] == ATTENTION
    assert (fresh(made, booking).status, fresh(made, booking).attention) == ("confirmed", "")


def test_it_moves_to_the_nearest(made: Salon, staff: Client) -> None:
    booking = waits(made)
    staff.post(f"{ATTENTION}/{booking.id}", {"deed": "move"})
    moved = fresh(made, booking)
    assert moved.attention == ""
    assert moved.start != booking.start


def test_it_cancels(made: Salon, staff: Client) -> None:
    booking = waits(made)
    staff.post(f"{ATTENTION}/{booking.id}", {"deed": "cancel"})
    assert fresh(made, booking).status == "cancelled"


def test_it_gives_it_to_somebody_else(made: Salon, staff: Client) -> None:
    booking = one(made)
    write = lambda: edits.set_bookable(booking.staff_id or 0, there=False, now=NOON)  # noqa: E731
    changes.change(made.id, write, Choice.KEEP, now=NOON, by="staff:aoi.salon")
    page = text(staff.get(f"{ATTENTION}/{booking.id}"))
    others = [int(each) for each in re.findall(r'value="staff-(\d+)"', page)]
    assert booking.staff_id not in others
    assert len(others) == len(made.staff) - 1
    staff.post(f"{ATTENTION}/{booking.id}", {"deed": f"staff-{others[0]}"})
    given = fresh(made, booking)
    assert (given.staff_id, given.start, given.attention) == (others[0], booking.start, "")


def test_it_says_why_it_cannot(made: Salon, staff: Client) -> None:
    booking = waits(made)
    answer = staff.post(f"{ATTENTION}/{booking.id}", {"deed": "staff-999999"})
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert staff.post(f"{ATTENTION}/{booking.id}", {"deed": "x"}).status_code == 404
    assert staff.get(f"{ATTENTION}/999999").status_code == 404


@pytest.fixture(scope="module")
def colleague(made: Salon, staff: Client, module_mail: Sink) -> Client:
    """Ren, who works there and manages nothing: her role is what the session says."""
    assert staff
    ren = people.Member(handle="ren", role="staff", staff="ren", name="蓮", mail="ren@other.example")
    boss = people.Member(handle="mio", role="owner", staff="mio", name="澪", mail="mio@other.example")
    other = salon("other")
    people.found_shop(other.id, other.slug, [boss, ren])
    letters = [str(each.get_content()) for each in module_mail.wait(3) if "ren@other" in str(each["To"])]
    found = re.search(r"/join#(\S+)", letters[-1])
    assert found is not None
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        return joined(found[1], "console")


@pytest.mark.parametrize("address", [HOURS, ATTENTION, f"{ATTENTION}/1"])
def test_only_owner_and_managers_may(colleague: Client, address: str) -> None:
    assert colleague.get("/console/").status_code == 200
    assert HOURS not in text(colleague.get("/console/"))
    assert colleague.get(address).status_code == 403
    assert colleague.post(address, {"deed": "keep"}).status_code == 403


@pytest.mark.parametrize("address", [HOURS, ATTENTION, f"{ATTENTION}/1"])
def test_a_stranger_is_led_to_the_door(made: Salon, address: str) -> None:
    assert made
    assert Client().get(address)["Location"].startswith("/console/sign-in")
    assert Client().post(address, {"deed": "keep"})["Location"].startswith("/console/sign-in")


def test_it_touches_no_booking_of_another_shop(made: Salon, staff: Client) -> None:
    other = salon("elsewhere")
    stranger = booked(other, NOON + timedelta(days=1)).booking
    assert staff.get(f"{ATTENTION}/{stranger.id}").status_code == 404
    assert staff.post(f"{ATTENTION}/{stranger.id}", {"deed": "cancel"}).status_code == 404
    assert fresh(other, stranger).status == "confirmed"
