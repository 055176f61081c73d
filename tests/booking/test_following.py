"""Many bookings that follow a change of the rules, step by step: each exactly once, by whatever dies."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from noren.booking import actions, blocks, changes, following, resettle, work
from noren.booking.blocks import Over
from noren.booking.changes import Choice, ForAll
from noren.booking.models import Attention, Booking, Event, LineState, Work, WorkLine, WorkState
from noren.errors import ChangeTouchesBookings
from noren.shops.models import Override
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, salon, when
from tests.booking.test_classes import studio
from tests.booking.test_impact import DAY, changed, close, jobs, off, snapshot, told

pytestmark = pytest.mark.usefixtures("module_app_db")
BY = "staff:aoi.salon"


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than two is many, and a step is of two."""
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    monkeypatch.setattr(work, "LINES_A_STEP", 2)


def full(staff: int = 1, hours: tuple[int, ...] = (9, 11, 13, 15, 17)) -> tuple[House, list[Booking]]:
    """A shop whose day has so many bookings of each who serves."""
    house = salon(staff=staff)
    return house, [house.book("cut", f"{DAY} {at:02}:00") for at in hours for _ in range(staff)]


def begun(house: House, write: Callable[[], bool], choices: Any) -> Work:
    done = changed(house, write, choices)
    assert done.work_id is not None
    return work.one(house.id, done.work_id)


def run(house: House, one: Work, steps: int = 100) -> Work:
    """Do its steps as the worker does."""
    for _ in range(steps):
        if work.one(house.id, one.id).state != WorkState.RUNNING:
            break
        work.step(house.id, one.id, now=NOW)
    return work.one(house.id, one.id)


def lines(house: House, one: Work) -> list[tuple[str, str]]:
    with shop(house.id):
        rows = WorkLine.objects.filter(work_id=one.id).order_by("line")
        return list(rows.values_list("state", "why"))


def how_often(house: House, what: str, those: list[Booking]) -> list[int]:
    """How often that happened to each."""
    with shop(house.id):
        return [Event.objects.filter(booking_id=each.id, what=what).count() for each in those]


def test_they_stand_and_wait_until_their_step_has_come() -> None:
    """The rules are new at once, each booking says what becomes of it, and nobody is mailed before."""
    house, those = full()
    one = begun(house, close, Choice.CANCEL)
    assert (one.kind, one.by, one.total, one.done, one.state) == (changes.CHANGE, BY, 5, 0, "running")
    assert house.starts("cut", DAY) == []
    found = [house.booking(each.id) for each in those]
    assert {(each.status, each.attention) for each in found} == {("confirmed", "closed")}
    assert {told(house, each.id)[-1] for each in those} == {("touched", "hours")}
    waiting = work.lines_of(house.id, [each.id for each in those])
    assert {each: (line.choice, line.why) for each, line in waiting.items()} == {
        each.id: ("cancel", "hours") for each in those
    }
    assert [each.id for each in work.changes_open(house.id)] == [one.id]
    assert jobs(house, "tasks.step") == [{"shop_id": house.id, "work_id": one.id}]
    assert "cancelled" not in {job["kind"] for job in jobs(house, "messages.tasks.send")}
    assert house.findings() == []


def test_all_are_cancelled_and_told_once() -> None:
    house, those = full()
    one = run(house, begun(house, close, Choice.CANCEL))
    assert (one.state, one.done, one.odd) == (WorkState.DONE, 5, 0)
    assert {house.booking(each.id).status for each in those} == {"cancelled"}
    assert {told(house, each.id)[-1] for each in those} == {("cancelled", "hours")}
    mails = [job["booking_id"] for job in jobs(house, "messages.tasks.send") if job["kind"] == "cancelled"]
    assert sorted(mails) == sorted(each.id for each in those)
    assert work.changes_open(house.id) == []
    assert house.sheet_rows() == 0
    assert house.findings() == []


def test_without_a_mail_where_the_shop_tells_them_itself() -> None:
    house, those = full()
    choices = {each.id: Choice.MOVE_UNTOLD for each in those[:2]}
    choices |= {each.id: Choice.CANCEL_UNTOLD for each in those[2:]}
    run(house, begun(house, close, choices))
    assert [house.booking(each.id).status for each in those] == ["confirmed"] * 2 + ["cancelled"] * 3
    assert {job["kind"] for job in jobs(house, "messages.tasks.send")} == {"booked", "reminder"}


def test_what_is_kept_is_no_line_and_what_moves_has_the_nearest_time() -> None:
    """Kept, moved, and one for whom nothing is free: told, and still to be looked at."""
    house, those = full(staff=2, hours=(9, 11, 13))
    asked = house.book("cut", f"{DAY} 15:00", "stylist0")
    choices = dict.fromkeys((each.id for each in those), Choice.MOVE) | {
        those[0].id: Choice.KEEP,
        asked.id: Choice.MOVE,
    }
    one = begun(house, close, choices)
    assert one.total == 6
    with shop(house.id):
        Override.objects.create(
            date=when("2026-11-06 09:00").date(), ranges=[], resource_id=house.resources["stylist0"]
        )
    one = run(house, one)
    assert (one.state, one.done, one.odd) == (WorkState.DONE, 6, 0)
    assert house.booking(those[0].id).start == those[0].start
    assert house.booking(those[0].id).attention == Attention.CLOSED
    moved = [house.booking(each.id) for each in those[1:]]
    assert all(each.start.date() != when(f"{DAY} 09:00").date() for each in moved)
    assert {(each.attention, each.changes) for each in moved} == {("", 1)}
    assert house.booking(asked.id).staff_id == house.resources["stylist0"]
    assert house.findings() == []


def test_where_nothing_is_free_it_is_told_and_stays_to_be_looked_at() -> None:
    house, those = full()
    one = run(house, begun(house, partial(off, "stylist0"), Choice.MOVE))
    assert (one.state, one.done, one.odd) == (WorkState.DONE, 5, 5)
    assert lines(house, one) == [("odd", "nothing_free")] * 5
    assert {house.booking(each.id).attention for each in those} == {Attention.STAFF}


def test_few_are_done_with_the_change_itself() -> None:
    house, those = full(hours=(9, 11))
    assert changed(house, close, Choice.CANCEL).work_id is None
    assert {house.booking(each.id).status for each in those} == {"cancelled"}
    with shop(house.id):
        assert not Work.objects.exists()


def test_however_many_are_kept_nothing_has_to_follow() -> None:
    house, those = full()
    assert changed(house, close, Choice.KEEP).work_id is None
    assert {house.booking(each.id).attention for each in those} == {Attention.CLOSED}


def test_it_stops_says_what_was_not_done_and_goes_on() -> None:
    house, those = full()
    one = begun(house, close, Choice.CANCEL)
    work.step(house.id, one.id, now=NOW)
    work.stop(house.id, one.id)
    stopped = run(house, one)
    assert (stopped.state, stopped.done) == (WorkState.STOPPED, 2)
    work.step(house.id, one.id, now=NOW)
    left = work.lines_left(house.id, one.id, 100)
    assert [each.booking_id for each in left] == [each.id for each in those[2:]]
    assert {house.booking(each.id).attention for each in those[2:]} == {Attention.CLOSED}
    work.resume(house.id, one.id)
    assert run(house, one).done == 5
    assert {house.booking(each.id).status for each in those} == {"cancelled"}


# -- who decides meanwhile


def test_who_has_decided_meanwhile_is_not_overruled() -> None:
    """Kept and moved by staff, cancelled by her, begun already: none of them is touched again."""
    house, those = full()
    kept, moved, cancelled, begins, last = those
    one = begun(house, close, Choice.CANCEL)
    actions.keep(house.id, kept.id, now=NOW, by=BY)
    actions.move(house.id, moved.id, when("2026-11-06 09:00"), None, now=NOW, by=BY)
    actions.cancel(house.id, cancelled.id, now=NOW, by="customer")
    work.step(house.id, one.id, now=NOW)
    for _ in range(2):
        work.step(house.id, one.id, now=begins.start)
    assert lines(house, one) == [
        ("kept", "touched"),
        ("kept", "touched"),
        ("kept", "ended"),
        ("kept", "in_the_past"),
        ("made", "hours"),
    ]
    done = work.one(house.id, one.id)
    assert (done.state, done.done, done.odd) == (WorkState.DONE, 5, 4)
    assert how_often(house, "cancelled", those) == [0, 0, 1, 0, 1]
    assert house.booking(last.id).status == "cancelled"


def test_a_change_that_is_taken_back_takes_its_answers_back() -> None:
    house, those = full()
    one = begun(house, close, Choice.CANCEL)
    work.step(house.id, one.id, now=NOW)
    changed(house, lambda: bool(Override.objects.all().delete()[0]))
    assert run(house, one).odd == 3
    assert how_often(house, "cancelled", those) == [1, 1, 0, 0, 0]
    assert {house.booking(each.id).attention for each in those} == {""}


def test_a_later_change_has_the_last_word() -> None:
    """Who was to be cancelled for the day is kept for who leaves; the first work finds nothing to do."""
    house, those = full()
    first = begun(house, close, Choice.CANCEL)
    changed(house, partial(off, "stylist0"), Choice.KEEP)
    done = run(house, first)
    assert (done.state, done.done, done.odd) == (WorkState.DONE, 5, 5)
    assert {house.booking(each.id).status for each in those} == {"confirmed"}
    assert {house.booking(each.id).attention for each in those} == {Attention.STAFF}


def test_no_booking_waits_for_two_answers() -> None:
    """The database says so: no second line may wait for it."""
    house, _those = full()
    one = begun(house, close, Choice.CANCEL)
    with shop(house.id):
        row = WorkLine.objects.filter(work_id=one.id).order_by("line")[0]
        row.pk = None
        with pytest.raises(IntegrityError, match="awaited"):
            row.save(force_insert=True)


# -- exactly once


def test_a_step_that_dies_is_taken_up_and_does_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies at each line in turn, before its end and behind it: the job is run again."""
    house, those = full()
    one = begun(
        house,
        close,
        {each.id: Choice.MOVE for each in those[:3]} | {each.id: Choice.CANCEL for each in those[3:]},
    )
    follow = following.follow
    for before in (True, False, True):
        with monkeypatch.context() as patch:
            patch.setattr(following, "follow", dying(follow, before=before))
            with pytest.raises(SystemExit):
                work.step(house.id, one.id, now=NOW)
    assert run(house, one).done == 5
    assert how_often(house, "moved", those) == [1, 1, 1, 0, 0]
    assert how_often(house, "cancelled", those) == [0, 0, 0, 1, 1]
    assert lines(house, one) == [("made", "hours")] * 5
    assert house.findings() == []


def dying(follow: Callable[..., None], *, before: bool) -> Callable[..., None]:
    """Die at the second line, before it is done or right behind it."""
    left = [1]

    def once(*args: Any) -> None:
        if left[0] or not before:
            follow(*args)
        if not left[0]:
            raise SystemExit
        left[0] -= 1

    return once


def test_control_a_mark_of_its_own_moves_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line marked behind the move, and not with it: who dies in between moves it again."""
    house, those = full()
    one = begun(house, close, Choice.MOVE)

    def apart(shop_id: int, _work: Work, line: WorkLine, now: Any) -> None:
        resettle.move_nearest(shop_id, line.booking_id or 0, now=now, by=BY)
        raise SystemExit

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(following, "follow", apart)
            with pytest.raises(SystemExit):
                work.step(house.id, one.id, now=NOW)
    assert how_often(house, "moved", those)[0] == 2


def test_two_workers_at_once_do_each_once() -> None:
    """The same work stepped by three at a time, while staff keep some and customers cancel others."""
    house, those = full(staff=4, hours=(9, 12, 15))
    choices = {each.id: (Choice.MOVE, Choice.CANCEL)[n % 2] for n, each in enumerate(those)}
    one = begun(house, close, choices)
    deeds: list[Callable[[], Any]] = [partial(run, house, one) for _ in range(3)]
    deeds += [partial(actions.keep, house.id, each.id, now=NOW, by=BY) for each in those[-2:]]
    deeds += [partial(actions.cancel, house.id, each.id, now=NOW, by="customer") for each in those[-4:-2]]
    at_once(deeds)
    done = run(house, one)
    assert (done.state, done.done) == (WorkState.DONE, 12)
    assert max(how_often(house, "moved", those)) <= 1
    assert max(how_often(house, "cancelled", those)) <= 1
    for each, (state, _why) in zip(those, lines(house, one), strict=True):
        now = house.booking(each.id)
        if state == LineState.MADE:
            assert now.status == "cancelled" or now.start != each.start
    assert house.findings() == []


# -- blocks, classes, answers for all


def test_what_lies_under_a_block_follows_too() -> None:
    house, those = full()
    span = (when(f"{DAY} 08:00"), when(f"{DAY} 20:00"))
    done = blocks.blackout(house.id, house.resources["stylist0"], [span], now=NOW, by=BY, over=Over.CANCEL)
    assert done[0].work_id is not None
    assert {house.booking(each.id).attention for each in those} == {Attention.BLOCKED}
    run(house, work.one(house.id, done[0].work_id))
    assert {told(house, each.id)[-1] for each in those} == {("cancelled", "blocked")}
    assert house.findings() == []


@pytest.mark.parametrize("choice", [Choice.CANCEL, Choice.MOVE])
def test_a_class_that_all_have_left_is_not_held(choice: Choice) -> None:
    house = studio()
    for at in ("10:00", "10:00", "11:00"):
        house.book("yoga", f"2026-11-04 {at}")
    one = begun(house, partial(close, "2026-11-04"), choice)
    assert house.starts("yoga", "2026-11-04") != []
    run(house, one)
    assert house.starts("yoga", "2026-11-04") == []
    assert house.findings() == []


def test_an_answer_for_all_holds_for_those_that_were_shown() -> None:
    """But for some; and for nobody who came between the look and the answer."""
    house, those = full(hours=(9, 11, 13))
    before = snapshot(house)
    with pytest.raises(ChangeTouchesBookings) as refusal:
        changed(house, close)
    seen = changes.digest_of(refusal.value.facts["touched"])
    late = house.book("cut", f"{DAY} 17:00")
    with pytest.raises(ChangeTouchesBookings):
        changed(house, close, ForAll(Choice.CANCEL, {}, seen))
    actions.cancel(house.id, late.id, now=NOW, by=BY)
    with shop(house.id):
        assert list(Booking.objects.exclude(id=late.id).order_by("id").values()) == before[5]
    changed(house, close, ForAll(Choice.CANCEL, {those[0].id: Choice.KEEP}, seen))
    assert [house.booking(each.id).status for each in those] == ["confirmed", "cancelled", "cancelled"]


def test_an_hour_before_it_begins_it_is_still_done() -> None:
    house, those = full()
    one = begun(house, close, Choice.CANCEL)
    for _ in range(3):
        work.step(house.id, one.id, now=those[0].start - timedelta(minutes=1))
    assert {house.booking(each.id).status for each in those} == {"cancelled"}
