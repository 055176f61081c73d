"""Bookings that come in with a list: step by step, nothing twice, what does not fit named, all undone."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noren.booking import actions, bringing, classes, doctor, reminding, work
from noren.booking.models import Booking, LineState, Status, Work, WorkLine, WorkState
from noren.errors import NothingHere
from noren.shops import edits
from noren.shops.models import Resource, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase

BY = "staff:aoi.salon"
TEN = NOON + timedelta(hours=22)  # 10:00 of the next day
HOUR = timedelta(hours=1)


@pytest.fixture
def made(app_db: AppDatabase) -> Iterator[Salon]:
    assert app_db
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32):
        yield salon()


def line(made: Salon, number: int, at: datetime, **changed: Any) -> WorkLine:
    values: dict[str, Any] = {
        "shop_id": made.id,
        "line": number,
        "key": f"key {number}",
        "service_id": made.cut,
        "start": at,
        "person_id": uuid4(),
        "state": LineState.WAITING,
    }
    return WorkLine(**values | changed)


def begun(made: Salon, lines: Sequence[WorkLine], transfer: str = "0" * 16, **ask: Any) -> Work:
    return work.bring(made.id, work.Ask(transfer, lines, **ask), now=NOON, by=BY)


def run(made: Salon, one: Work, steps: int = 100) -> Work:
    """Do its steps as the worker does, each from its job."""
    for _ in range(steps):
        if work.one(made.id, one.id).state != WorkState.RUNNING:
            break
        work.step(made.id, one.id, now=NOON)
    return work.one(made.id, one.id)


def jobs_of(made: Salon, task: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo' "
            "AND (args ->> 'shop_id')::bigint = %s ORDER BY id",
            [task, made.id],
        )
        rows = [row[0] for row in cursor.fetchall()]
    return [json.loads(row) if isinstance(row, str) else row for row in rows]


def bookings(made: Salon, *statuses: str) -> list[Booking]:
    with shop(made.id):
        rows = Booking.objects.filter(status__in=statuses or [Status.CONFIRMED])
        return list(rows.order_by("start", "id"))


def odd(made: Salon, one: Work) -> list[tuple[int, str, int]]:
    return [(each.line, each.why, len(each.near)) for each in work.odd_lines(made.id, one.id, 100)]


def test_each_line_becomes_a_booking_and_nobody_is_mailed(made: Salon) -> None:
    """At the staff who were asked for or any; a reminder, and no other letter; the counts add up."""
    first = TEN + timedelta(days=1)
    lines = [line(made, n + 2, first + n * HOUR, asked_staff_id=made.staff[n % 3]) for n in range(6)]
    one = run(made, begun(made, lines))
    assert (one.state, one.total, one.done, one.odd) == (WorkState.DONE, 6, 6, 0)
    found = bookings(made)
    assert [each.start for each in found] == [first + n * HOUR for n in range(6)]
    assert [each.staff_id for each in found] == [made.staff[n % 3] for n in range(6)]
    assert {each.person_id for each in found} == {each.person_id for each in lines}
    assert [job["kind"] for job in jobs_of(made, "noren.messages.tasks.send")] == ["reminder"] * 6
    assert doctor.of_shop(made.id) == []


def test_without_reminders_there_is_no_letter_at_all(made: Salon) -> None:
    run(made, begun(made, [line(made, 2, TEN)], remind=False))
    assert len(bookings(made)) == 1
    assert jobs_of(made, "noren.messages.tasks.send") == []
    with shop(made.id), change():
        edits.set_reminding([180], 0, {})
    reminding.replan(made.id, 0, now=NOON)
    assert jobs_of(made, "noren.messages.tasks.send") == []


def test_what_does_not_fit_is_named_with_the_nearest_times(made: Salon) -> None:
    """Four at once of whom three fit; one in the past; the same one again; one who serves nothing."""
    lines = [line(made, n, TEN) for n in range(2, 6)]
    lines += [line(made, 6, NOON - HOUR), line(made, 7, TEN, key="key 2")]
    one = run(made, begun(made, lines))
    assert (one.done, one.odd) == (6, 2)
    assert odd(made, one) == [(5, "slot_taken", 3), (6, "in_the_past", 0)]
    assert dict(work.counts(made.id, one.id)) == {"made": 3, "there": 1, "odd": 2}


def test_promises_made_elsewhere_are_kept_outside_hours_where_it_is_free(made: Salon) -> None:
    """Off the grid, at night and too soon: only where the shop says so; never over what is there."""
    times = (NOON + timedelta(minutes=7), NOON + timedelta(hours=20, minutes=13))
    refused = run(made, begun(made, [line(made, 2 + n, at) for n, at in enumerate(times)], anyway=False))
    assert [why for _, why, _ in odd(made, refused)] == ["too_late", "not_offered"]
    lines = [line(made, n, times[1], key=f"again {n}") for n in range(4)]
    assert run(made, begun(made, lines, "1" * 16)).odd == 1
    assert len(bookings(made)) == 3


def test_a_date_of_a_class_has_its_seats(made: Salon) -> None:
    """Where there is no date of it there is no seat either, whatever is free."""
    classes.schedule(made.id, now=NOON)
    starts = [TEN] * 9 + [TEN + HOUR]
    lines = [line(made, n, at, service_id=made.lesson, key=f"c{n}") for n, at in enumerate(starts)]
    one = run(made, begun(made, lines))
    assert [(number, why) for number, why, _ in odd(made, one)] == [(8, "slot_taken"), (9, "not_offered")]


def test_the_same_list_again_makes_nothing_double(made: Salon) -> None:
    lines = [line(made, n + 2, TEN + n * HOUR) for n in range(3)]
    first = begun(made, lines)
    assert begun(made, [line(made, 9, TEN)]).id == first.id
    run(made, first)
    again = [line(made, n + 2, TEN + n * HOUR) for n in range(3)]
    again[2].start = TEN + 5 * HOUR
    second = run(made, begun(made, again, "1" * 16))
    assert dict(work.counts(made.id, second.id)) == {"there": 2, "odd": 1}
    assert odd(made, second) == [(4, "moved", 0)]
    assert len(bookings(made)) == 3


def test_a_step_that_dies_is_taken_up_and_does_nothing_twice(made: Salon, monkeypatch: Any) -> None:
    """It dies between two lines, and after the last one before it says so: the job is run again."""
    lines = [line(made, n + 2, TEN + timedelta(days=n % 20, hours=n // 20)) for n in range(45)]
    one = begun(made, lines)

    def dies(after: int) -> None:
        left = [after]
        bring = bringing.bring

        def once(*args: Any) -> None:
            if not left[0]:
                raise SystemExit
            left[0] -= 1
            bring(*args)

        with monkeypatch.context() as patch:
            patch.setattr(bringing, "bring", once)
            with pytest.raises(SystemExit):
                work.step(made.id, one.id, now=NOON)

    dies(7)
    assert len(bookings(made)) == 7
    work.step(made.id, one.id, now=NOON)
    dies(3)
    assert work.one(made.id, one.id).done == 27
    done = run(made, one)
    assert (done.state, done.done, done.odd) == (WorkState.DONE, 45, 0)
    assert len(bookings(made)) == 45


def test_it_stops_and_goes_on(made: Salon) -> None:
    lines = [line(made, n + 2, TEN + timedelta(days=n)) for n in range(45)]
    one = begun(made, lines)
    work.step(made.id, one.id, now=NOON)
    work.stop(made.id, one.id)
    stopped = run(made, one)
    assert (stopped.state, stopped.done, len(bookings(made))) == (WorkState.STOPPED, 20, 20)
    work.step(made.id, one.id, now=NOON)
    assert len(bookings(made)) == 20
    work.resume(made.id, one.id)
    assert run(made, one).done == 45
    assert len(jobs_of(made, "noren.booking.tasks.step")) >= 3


def test_an_undo_cancels_what_is_as_it_came_and_the_list_may_come_again(made: Salon) -> None:
    """Moved, cancelled or looked after: it stays and is counted. Nobody is mailed, and no reminder waits."""
    lines = [line(made, n + 2, TEN + n * HOUR, asked_staff_id=made.staff[0]) for n in range(4)]
    one = run(made, begun(made, lines))
    moved, cancelled, *_ = bookings(made)
    actions.move(made.id, moved.id, TEN + 6 * HOUR, None, now=NOON, by=BY, told=False)
    actions.cancel(made.id, cancelled.id, now=NOON, by=BY, told=False)
    undoing = work.undo(made.id, one.id, now=NOON, by=BY)
    assert work.undo(made.id, one.id, now=NOON, by=BY).id == undoing.id
    done = run(made, undoing)
    assert (done.state, done.total, done.done, done.odd) == (WorkState.DONE, 4, 4, 2)
    assert odd(made, one) == [(2, "touched", 0), (3, "ended", 0)]
    assert [each.id for each in bookings(made)] == [moved.id]
    sent = jobs_of(made, "noren.messages.tasks.send")
    assert {(job["booking_id"], job["kind"]) for job in sent} == {(moved.id, "reminder")}
    again = run(made, begun(made, [line(made, n + 2, TEN + n * HOUR) for n in (2, 3)], "1" * 16))
    assert dict(work.counts(made.id, again.id)) == {"made": 2}
    with pytest.raises(NothingHere):
        work.undo(made.id, undoing.id, now=NOON, by=BY)
    with pytest.raises(NothingHere):
        work.resume(made.id, one.id)


def test_an_undo_in_the_middle_stops_what_comes_in(made: Salon) -> None:
    lines = [line(made, n + 2, TEN + timedelta(days=n)) for n in range(30)]
    one = begun(made, lines)
    work.step(made.id, one.id, now=NOON)
    run(made, work.undo(made.id, one.id, now=NOON, by=BY))
    assert run(made, one).state == WorkState.STOPPED
    assert bookings(made) == []


def test_a_step_that_still_runs_brings_nothing_in_that_is_undone(made: Salon) -> None:
    """It has read its lines; before it comes to them all that came in was undone."""
    one = begun(made, [line(made, n + 2, TEN + timedelta(days=n)) for n in range(3)])
    with shop(made.id):
        left = list(WorkLine.objects.filter(work_id=one.id).order_by("line"))
    run(made, work.undo(made.id, one.id, now=NOON, by=BY))
    for each in left:
        bringing.bring(made.id, one, each, NOON)
    assert bookings(made) == []
    assert dict(work.counts(made.id, one.id)) == {"waiting": 3}


def test_what_is_not_offered_at_all_any_more_is_named_and_holds_nothing_up(made: Salon) -> None:
    """The service went while the list came in."""
    one = begun(made, [line(made, 2, TEN), line(made, 3, TEN + HOUR, service_id=made.lesson)], anyway=False)
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(bookable=False, requirements=[])
        Resource.objects.filter(kind="staff").update(bookable=False)
    done = run(made, one)
    assert (done.state, done.odd) == (WorkState.DONE, 2)


def test_a_row_of_the_work_names_nobody(made: Salon) -> None:
    run(made, begun(made, [line(made, 2, TEN)]))
    columns = {field.name for model in (Work, WorkLine) for field in model._meta.get_fields()}
    assert columns.isdisjoint({"name", "kana", "mail", "phone", "note", "words", "cells"})
    assert all(isinstance(each.person_id, UUID) for each in bookings(made))


@pytest.fixture(scope="module")
def wide(module_app_db: AppDatabase) -> Iterator[Salon]:
    assert module_app_db
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32):
        yield salon()


_tried = iter(range(10_000))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=12))
def test_every_line_is_told_of_and_undone_all_is_as_before(
    wide: Salon, wished: list[tuple[int, int]]
) -> None:
    """Whatever is wished: made, there and odd are all; nobody serves two; undone, no booking is left."""
    transfer = f"{next(_tried):016d}"
    lines = [
        line(wide, n, TEN + hour * HOUR / 2, asked_staff_id=[None, *wide.staff][who], key=f"{transfer} {n}")
        for n, (hour, who) in enumerate(wished)
    ]
    one = run(wide, begun(wide, lines, transfer))
    assert sum(work.counts(wide.id, one.id).values()) == len(wished) == one.done
    found = bookings(wide)
    assert len(found) == len(wished) - one.odd
    for each in found:
        beside = [other for other in found if other.staff_id == each.staff_id and other.id != each.id]
        assert all(other.end <= each.start or other.start >= each.end for other in beside)
    run(wide, work.undo(wide.id, one.id, now=NOON, by=BY))
    assert bookings(wide) == []
