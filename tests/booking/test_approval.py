"""What the shop has to say yes to: the time is kept meanwhile, or it is not (booking.md 43, 49)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, reception, referee, tasks, transact
from noren.booking.models import Booking, Event, Status
from noren.errors import (
    AlreadyCancelled,
    InThePast,
    LimitReached,
    NotThatStatus,
    OutsideHorizon,
    SlotTaken,
    TooLate,
    TooLateToCancel,
)
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.rush import at_once, before_first
from tests.booking.scene import NOW, House, found, later, person, when
from tests.booking.test_bookings import jobs
from tests.booking.test_classes import seats, studio

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"
TEN = f"{DAY} 10:00"
STAFF = "staff:1"


STRICT: dict[str, Any] = {
    "cancel": {"minutes": 2880},
    "change": {"minutes": 2880},
    "fees": {"tiers": [{"since": {"minutes": 90_000}, "percent": 100}]},
    "price": 900,
}


def asking(approval: str, **more: Any) -> House:
    return found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "approval": approval, **more}})


def approve(house: House, booking: Booking, **more: Any) -> Booking:
    return reception.approve(house.id, booking.id, **{"now": NOW, "by": STAFF, **more})


def mails(house: House, booking: Booking) -> list[str]:
    return [kind for task, kind, _ in jobs(house, booking.id) if task == "messages"]


def test_case_049_of_two_for_one_slot_the_second_is_refused_with_a_reason() -> None:
    house = asking("free")
    one, two = house.book("cut", TEN), house.book("cut", TEN)
    assert (one.status, one.takes, two.status) == (Status.PENDING, False, Status.PENDING)
    assert house.sheet_rows() == 0
    assert approve(house, two).status == Status.CONFIRMED
    with pytest.raises(SlotTaken) as refusal:
        approve(house, one)
    assert refusal.value.facts["nearest"]
    assert house.booking(one.id).status == Status.PENDING, "the shop may still move or decline it"
    assert house.findings() == []


def test_case_049_a_kept_slot_cannot_even_be_asked_for() -> None:
    house = asking("keeps")
    booking = house.book("cut", TEN)
    assert (booking.status, booking.takes) == (Status.PENDING, True)
    with pytest.raises(SlotTaken):
        house.hold("cut", TEN)
    assert approve(house, booking).status == Status.CONFIRMED
    assert house.findings() == []


def test_case_049_at_once_one_of_many_is_approved() -> None:
    house = asking("free")
    bookings = [house.book("cut", TEN) for _ in range(8)]
    answers = at_once([partial(approve, house, each) for each in bookings])
    assert sorted(type(each).__name__ for each in answers) == ["Booking"] + ["SlotTaken"] * 7
    assert house.findings() == []


def test_case_043_who_is_asked_says_so_and_reminds_only_then() -> None:
    house = asking("keeps")
    booking = house.book("cut", TEN)
    assert mails(house, booking) == ["asked"]
    assert ("booking", "", when(TEN)) in jobs(house, booking.id), "unanswered until then it lapses"
    approve(house, booking)
    assert mails(house, booking) == ["asked", "booked", "reminder"]
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.what, event.by) == ("approved", STAFF)


def test_what_staff_book_themselves_needs_no_approval() -> None:
    house = asking("keeps")
    held = house.hold("cut", TEN)
    booked = actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=None, by=STAFF)
    assert booked.status == Status.CONFIRMED


def test_it_declines_and_the_time_is_free() -> None:
    house = asking("keeps", fees={"tiers": [{"since": {"minutes": 90_000}, "percent": 100}]}, price=900)
    booking = house.book("cut", TEN)
    reception.decline(house.id, booking.id, now=NOW, by=STAFF, reason="full")
    assert "10:00" in house.starts("cut", DAY)
    assert mails(house, booking) == ["asked", "declined"]
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.what, event.why, event.facts["fee"]) == ("declined", "full", 0)
    with pytest.raises(NotThatStatus):
        approve(house, booking)
    with pytest.raises(NotThatStatus):
        reception.decline(house.id, booking.id, now=NOW, by=STAFF)
    assert house.findings() == []


@pytest.mark.parametrize("approval", ["keeps", "free"])
def test_unanswered_at_its_start_it_lapses(approval: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house = asking(approval)
    booking = house.book("cut", TEN)
    reception.lapse(house.id, booking.id, now=when(TEN) - timedelta(seconds=1))
    assert house.booking(booking.id).status == Status.PENDING
    monkeypatch.setattr("noren.clock.now", lambda: when(TEN))
    tasks.lapse(house.id, booking.id)
    tasks.lapse(house.id, booking.id)
    assert house.booking(booking.id).status == Status.DECLINED
    assert mails(house, booking) == ["asked", "declined"]
    assert house.sheet_rows() == 0


def test_what_was_answered_or_moved_does_not_lapse(monkeypatch: pytest.MonkeyPatch) -> None:
    house = asking("keeps")
    booking, other = house.book("cut", TEN), house.book("cut", f"{DAY} 12:00")
    approve(house, booking)
    reception.lapse(house.id, booking.id, now=when(TEN))
    assert house.booking(booking.id).status == Status.CONFIRMED
    to = partial(actions.move, house.id, other.id, when("2026-11-06 10:00"), None, now=NOW, by="customer")
    before_first(monkeypatch, "noren.booking.reception.locked", to, transact.locked)
    reception.lapse(house.id, other.id, now=when(f"{DAY} 12:00"))
    assert house.booking(other.id).status == Status.PENDING


def test_she_may_be_approved_after_the_notice_has_passed() -> None:
    """The rules are those of the moment at which she asked."""
    house = asking("free", lead={"minutes": 1440}, horizon={"kind": "days", "days": 4})
    booking = house.book("cut", TEN)
    late = when(TEN) - timedelta(minutes=5)
    with pytest.raises(TooLate):
        house.hold("cut", f"{DAY} 12:00", now=late)
    assert approve(house, booking, now=late).status == Status.CONFIRMED
    past = house.book("cut", f"{DAY} 14:00")
    with pytest.raises(InThePast):
        approve(house, past, now=when(f"{DAY} 14:00"))
    with pytest.raises(OutsideHorizon):
        house.hold("cut", "2026-11-06 10:00")


def test_a_limit_counts_what_is_approved_and_not_what_is_asked() -> None:
    limits = [{"of": "service", "period": "day", "most": 1}]
    house = asking("free", limits=limits)
    one, two = house.book("cut", TEN), house.book("cut", f"{DAY} 14:00")
    approve(house, one)
    with pytest.raises(LimitReached):
        approve(house, two)


def test_she_keeps_her_price_and_her_policy_when_approved() -> None:
    house = asking("free", price=4000, cancel={"minutes": 60})
    booking = house.book("cut", TEN)
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(price=9000, cancel={"minutes": 90_000})
    approved = approve(house, booking)
    assert approved.agreed["price"] == 4000
    actions.cancel(house.id, booking.id, now=when(f"{DAY} 09:00"), by="customer")
    with pytest.raises(AlreadyCancelled):
        actions.cancel(house.id, booking.id, now=NOW, by="customer")


@pytest.mark.parametrize("approval", ["keeps", "free"])
def test_one_who_waits_moves_and_cancels(approval: str) -> None:
    house = asking(approval, **STRICT)
    booking = house.book("cut", TEN)
    late = when("2026-11-04 10:00")
    moved = actions.move(house.id, booking.id, when(f"{DAY} 14:00"), None, now=late, by="customer")
    assert (moved.status, moved.takes) == (Status.PENDING, approval == "keeps")
    assert ("14:00" in house.starts("cut", DAY)) == (approval == "free")
    assert mails(house, booking) == ["asked"], "she is told when it is answered"
    actions.cancel(house.id, booking.id, now=when(f"{DAY} 13:30"), by="customer")
    with shop(house.id):
        assert Event.objects.filter(booking_id=booking.id).latest("id").facts["fee"] == 0
    assert house.sheet_rows() == 0
    assert house.findings() == []


@pytest.mark.parametrize("approval", ["keeps", "free"])
def test_once_the_shop_has_said_yes_what_was_agreed_binds(approval: str) -> None:
    house = asking(approval, **STRICT)
    booking = house.book("cut", TEN)
    late = when("2026-11-04 10:00")
    approve(house, booking, now=late)
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=late, by="customer")


@pytest.mark.parametrize("approval", ["keeps", "free"])
def test_moved_at_the_very_moment_it_is_approved_where_it_stands(
    approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = asking(approval)
    booking = house.book("cut", TEN)
    to = partial(actions.move, house.id, booking.id, when(f"{DAY} 14:00"), None, now=NOW, by="customer")
    if approval == "keeps":
        before_first(monkeypatch, "noren.booking.referee.mark", to, referee.mark)
    else:
        original = referee.move

        def move(*args: Any, **said: Any) -> None:
            if said.get("what") == "approved" and not given:
                given.extend(at_once([to]))
            original(*args, **said)

        given: list[object] = []
        monkeypatch.setattr("noren.booking.referee.move", move)
    approved = approve(house, booking)
    assert (approved.status, approved.start) == (Status.CONFIRMED, when(f"{DAY} 14:00"))
    assert [at for _, kind, at in jobs(house, booking.id) if kind == "reminder"] == [when("2026-11-04 14:00")]
    assert house.findings() == []


def test_two_answers_at_once_leave_one() -> None:
    house = asking("keeps")
    for hour in range(9, 18):
        booking = house.book("cut", f"{DAY} {hour:02}:00")
        deeds: list[Any] = [
            partial(approve, house, booking),
            partial(reception.decline, house.id, booking.id, now=NOW, by=STAFF),
            partial(actions.cancel, house.id, booking.id, now=NOW, by="customer"),
        ] * 2
        answers = at_once(deeds)
        refused = [type(each).__name__ for each in answers if isinstance(each, BaseException)]
        assert set(refused) <= {"NotThatStatus", "AlreadyCancelled"}
        ended = house.booking(booking.id).status
        assert ended in (Status.CONFIRMED, Status.DECLINED, Status.CANCELLED)
        with shop(house.id):
            seen = Event.objects.filter(booking_id=booking.id).order_by("id").values_list("what", flat=True)
            # Approved first, she may still cancel.
            assert "+".join(list(seen)[2:]) in ("approved", "declined", "cancelled", "approved+cancelled")
        assert house.findings() == []


def test_a_class_asks_too() -> None:
    house = studio(capacity=1, approval="free")
    one, two = house.book("yoga", "2026-11-04 10:00"), house.book("yoga", "2026-11-04 10:00")
    assert seats(house, "2026-11-04 10:00") == 0
    approve(house, one)
    with pytest.raises(SlotTaken):
        approve(house, two)
    assert seats(house, "2026-11-04 10:00") == 1
    assert house.findings() == []


def test_a_hold_that_was_pending_confirms_once() -> None:
    house = asking("free")
    held = house.hold("cut", TEN)
    somebody = person()
    for minutes in (0, 1):
        now = later(minutes=minutes)
        again = actions.confirm(house.id, held.id, somebody, now=now, locale="ja", consent=1)
        assert again.status == Status.PENDING
    assert mails(house, again) == ["asked"]
