"""Several services in one visit: one booking, whatever is done with it."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection

from noren.booking import (
    actions,
    agreement,
    asked,
    availability,
    impact,
    late,
    reception,
    resettle,
    waiting,
    why,
)
from noren.booking.models import Booking, Event, Status
from noren.engine.model import Why
from noren.errors import (
    AlreadyBooked,
    IdempotencyKeyReused,
    LimitReached,
    NotOffered,
    NotTogether,
    ServiceUnknown,
    SlotTaken,
    TooLateToCancel,
    TooLateToChange,
)
from noren.shops.models import Resource, Service
from noren.shops.rules import change, known, read
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, TOKYO, House, found, when

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-20"
TEN = f"{DAY} 10:00"
HALF = {"tiers": [{"since": {"minutes": 7 * 1440}, "percent": 50}]}
CUTTERS = ("aoi", "mei")
CHAIRS = ("chair-1", "chair-2")


def salon(**more: dict[str, Any]) -> House:
    """Aoi and Mei cut, Mei colours, Rin does nails."""
    services: dict[str, dict[str, Any]] = {
        "shampoo": {"needs": {}, "minutes": 10, "price": 500, "alone": False},
        "towels": {"needs": {}, "segments": [], "price": 300, "alone": False},
        "cut": {
            "needs": {"staff": CUTTERS, "chair": CHAIRS},
            "price": 4000,
            "additions": ["shampoo", "towels"],
            "fees": HALF,
            "position": 1,
        },
        "colour": {
            "needs": {"staff": ["mei"], "chair": CHAIRS},
            "minutes": 90,
            "price": 8000,
            "after": 10,
            "cancel": {"days": 1, "at": 1200},
            "change": {"days": 2, "at": 1200},
            "position": 2,
        },
        "nails": {"needs": {"staff": ["rin"]}, "minutes": 45, "price": 5000, "position": 3},
    }
    for key, values in more.items():
        services[key] |= values
    chairs: dict[str, dict[str, Any]] = {each: {"kind": "chair"} for each in CHAIRS}
    people: dict[str, dict[str, Any]] = {"aoi": {"fee": 550}, "mei": {"fee": 330}, "rin": {}}
    return found(people | chairs, services)


def claims(house: House, booking: Booking | int) -> list[tuple[str, str, int]]:
    """Whom it takes, from when and for how many minutes."""
    with shop(house.id):
        own = impact.claims_of(booking=booking if isinstance(booking, int) else booking.id)
    keys = {each: key for key, each in house.resources.items()}
    return sorted((keys[each.resource_id], f"{at(each.start)}", each.end - each.start) for each in own)


def at(minute: int) -> str:
    return f"{(when('1970-01-01 09:00') + timedelta(minutes=minute)).astimezone(TOKYO):%H:%M}"


def test_it_is_one_booking_with_all_parts_in_the_shop_s_order() -> None:
    house = salon()
    booking = house.book("colour", TEN, also="cut shampoo")
    assert booking.services == house.named("cut shampoo colour")
    assert booking.also == house.named("cut shampoo")
    assert [(part["offset"], part["minutes"], part["price"]) for part in booking.parts] == [
        (0, 60, 4000),
        (60, 10, 500),
        (70, 90, 8000),
    ]
    assert (booking.agreed["price"], booking.agreed["minutes"]) == (12500, 160)
    assert claims(house, booking) == [("chair-1", "10:00", 160), ("mei", "10:00", 160)]
    assert house.findings() == []


def test_who_is_asked_for_serves_all_of_it_and_nobody_else_what_she_cannot() -> None:
    house = salon()
    assert house.starts("cut", DAY, "aoi", also="colour") == []
    booking = house.book("cut", TEN, "mei", also="colour nails")
    assert claims(house, booking) == [("chair-1", "10:00", 150), ("mei", "10:00", 150), ("rin", "12:30", 45)]
    assert booking.agreed["price"] == 4000 + 8000 + 5000 + 330
    assert [part["price"] for part in booking.parts] == [4330, 8000, 5000]


def test_what_is_listed_can_be_held_and_is_listed_no_more() -> None:
    house = salon()
    before = house.starts("cut", DAY, also="colour nails")
    assert before[0] == "09:00"
    assert before[-1] == "14:30", "ends at 17:45, and not after hours"
    held = house.hold("cut", f"{DAY} 12:00", also="colour nails")
    assert house.starts("cut", DAY, also="colour nails") == ["09:00", "09:30", "14:30"], "Mei is busy"
    actions.release(house.id, held.id, now=NOW)
    assert house.starts("cut", DAY, also="colour nails") == before
    assert house.sheet_rows() == 0
    assert house.findings() == []


def test_a_race_for_one_visit_has_one_winner() -> None:
    house = salon()
    parts = ["cut colour", "colour cut", "cut colour nails"]
    wishes = [house.wish(first, TEN, also=" ".join(also)) for first, *also in map(str.split, parts * 5)]
    deeds: list[Callable[[], object]] = [partial(actions.hold, house.id, wish, now=NOW) for wish in wishes]
    answers = at_once(deeds)
    kinds = sorted(type(answer).__name__ for answer in answers)
    assert kinds == ["Hold"] + ["SlotTaken"] * 14
    lost = next(answer for answer in answers if isinstance(answer, SlotTaken))
    assert lost.facts["nearest"], "the nearest free starts of the same visit"
    assert house.findings() == []


def test_a_move_and_a_cancel_give_back_all_of_it() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour nails")
    moved = actions.move(house.id, booking.id, when(f"{DAY} 11:00"), None, now=NOW, by="customer")
    assert moved.services == booking.services
    assert moved.agreed["price"] == 17000
    assert claims(house, booking) == [("chair-1", "11:00", 150), ("mei", "11:00", 150), ("rin", "13:30", 45)]
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert house.sheet_rows() == 0
    assert house.findings() == []


def test_it_may_be_moved_onto_itself_with_the_lengths_of_now() -> None:
    house = salon()
    booking = house.book("cut", TEN, "mei", also="colour")
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(
            segments=[{"minutes": 30, "roles": ["staff", "chair"]}], price=1
        )
    moved = actions.move(house.id, booking.id, when(f"{DAY} 10:30"), None, now=NOW, by="customer")
    parts = [(part["offset"], part["minutes"], part["price"]) for part in moved.parts]
    assert parts == [(0, 30, 4000), (30, 90, 8000)], "the price is as agreed, but for the fee"
    assert (moved.agreed["price"], moved.agreed["fee"]) == (12000, 0)
    assert house.findings() == []


@pytest.mark.parametrize(
    ("asked_for", "also", "error"),
    [
        ("shampoo", "", NotOffered),
        ("colour", "shampoo", NotTogether),
        ("cut", "cut", NotTogether),
        ("nails", "apart", NotTogether),
        ("cut", "klass", NotTogether),
    ],
)
def test_what_does_not_go_together_is_refused_and_not_listed(
    asked_for: str, also: str, error: type[Exception]
) -> None:
    house = salon()
    with shop(house.id), change():
        for key, name, value in (("apart", "together", False), ("klass", "capacity", 5)):
            row = Service.objects.get(key="nails")
            row.pk, row.id, row.key = None, None, key
            setattr(row, name, value)
            row._state.adding = True
            row.save()
            house.services[key] = row.id
    assert house.starts(asked_for, DAY, also=also) == []
    with pytest.raises(error):
        house.hold(asked_for, TEN, also=also)
    with pytest.raises(ServiceUnknown):
        actions.hold(house.id, replace(house.wish("cut", TEN), also=(0,)), now=NOW)


def test_the_same_key_is_the_same_visit() -> None:
    house = salon()
    held = house.hold("cut", TEN, also="colour nails", key="k")
    assert house.hold("cut", TEN, also="nails colour", key="k").id == held.id
    with pytest.raises(IdempotencyKeyReused):
        house.hold("cut", TEN, also="nails", key="k")


def test_it_is_approved_where_one_part_is_and_taken_as_it_was_asked() -> None:
    house = salon(nails={"approval": "free"})
    booking = house.book("cut", TEN, also="nails")
    assert (booking.status, booking.takes, claims(house, booking)) == (Status.PENDING, False, [])
    with shop(house.id), change():
        Service.objects.filter(key="nails").update(segments=[{"minutes": 30, "roles": ["staff"]}])
    reception.approve(house.id, booking.id, now=NOW, by="staff:1")
    assert [who for who, *_ in claims(house, booking)] == ["aoi", "chair-1", "rin"]
    assert [part["minutes"] for part in house.booking(booking.id).parts] == [60, 30], "as it takes now"
    assert house.findings() == []


def test_the_strictest_deadline_binds() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour")
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=when("2026-11-19 20:01"), by="customer")
    later = partial(actions.move, house.id, booking.id, when("2026-11-27 10:00"), None, by="customer")
    with pytest.raises(TooLateToChange):
        later(now=when("2026-11-18 20:01"))
    later(now=when("2026-11-18 20:00"))


def test_each_part_costs_what_it_costs_and_a_move_does_not_lower_it() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour")
    inside = when("2026-11-17 10:00")

    def cost() -> tuple[int, int]:
        with shop(house.id):
            fee = agreement.fee(Booking.objects.get(id=booking.id), now=inside)
        return fee.fee_percent, fee.fee

    assert cost() == (17, 2000), "half the price of the cut: a sixth of all"
    actions.move(house.id, booking.id, when("2026-12-20 10:00"), None, now=inside, by="customer")
    assert cost() == (17, 2000)
    with shop(house.id):
        steps = agreement.steps(Booking.objects.get(id=booking.id), now=inside)
    assert [step.cost.fee for step in steps] == [2000]
    actions.cancel(house.id, booking.id, now=inside, by="customer")
    with shop(house.id):
        facts = Event.objects.filter(booking_id=booking.id).latest("id").facts
    assert facts == {"fee_percent": 17, "fee": 2000}


def test_what_the_shop_moves_binds_to_nothing() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour")
    with shop(house.id), change():
        Resource.objects.filter(key="mei").update(bookable=False)
        Service.objects.filter(key="colour").update(
            requirements=[{"role": "staff", "pool": [house.resources["aoi"]]}]
        )
    moved = resettle.move_nearest(house.id, booking.id, now=NOW, by="system")
    assert [who for who, *_ in claims(house, moved)] == ["aoi", "chair-1"]
    with shop(house.id):
        assert agreement.deadline(moved, "cancel") == moved.start
        assert agreement.fee(moved, now=moved.start).fee == 0
        assert resettle.who_can(house.id, moved, now=NOW) == ()


def test_a_limit_counts_each_part_for_itself() -> None:
    house = salon(nails={"limits": [{"of": "service", "period": "day", "most": 2, "minutes": 100}]},
                  towels={"limits": [{"of": "customer", "period": "day", "most": 1}]})  # fmt: skip
    first = house.book("cut", TEN, also="nails towels")
    house.book("nails", f"{DAY} 14:00")
    assert house.starts("cut", DAY, also="nails") == []
    assert house.starts("cut", DAY)
    with pytest.raises(LimitReached):
        house.hold("cut", f"{DAY} 15:00", also="nails")
    # A move does not count against itself; of minutes only those of the part count.
    actions.move(house.id, first.id, when(f"{DAY} 11:00"), None, now=NOW, by="staff:1")
    other = house.hold("cut", f"{DAY} 15:00", also="towels")
    with pytest.raises(LimitReached):
        actions.confirm(house.id, other.id, first.person_id, now=NOW, locale="ja", consent=1)  # type: ignore[arg-type]
    assert house.findings() == []


def test_the_last_of_a_limit_has_one_winner() -> None:
    house = salon(nails={"limits": [{"of": "service", "period": "day", "most": 1}]})
    wishes = [house.wish("cut", f"{DAY} {hour}:00", also="nails") for hour in (10, 12, 14, 16)]
    deeds: list[Callable[[], object]] = [partial(actions.hold, house.id, wish, now=NOW) for wish in wishes]
    kinds = sorted(type(answer).__name__ for answer in at_once(deeds))
    assert kinds == ["Hold"] + ["LimitReached"] * 3


def test_a_change_of_any_part_touches_it() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="nails")

    def touched(**changes: Any) -> list[tuple[int, Why]]:
        with shop(house.id):
            before = known()
            Service.objects.filter(key="nails").update(**changes)
            found = [(each.booking_id, each.why) for each in impact.touched(before, read(), now=NOW)]
            Service.objects.filter(key="nails").update(bookable=True, together=True, party_max=1, party_min=1)
            return found

    assert touched(bookable=False) == [(booking.id, Why.NOT_OFFERED)]
    assert touched(party_min=2, party_max=2) == [(booking.id, Why.PARTY)]
    assert touched(together=False) == []
    assert touched(price=1) == []


def test_the_desk_is_told_why_and_how_late_she_may_be() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour")
    house.book("colour", f"{DAY} 13:00")
    wanted = asked.again(booking, when(f"{DAY} 10:30"), None)
    answer = why.why_not(house.id, wanted, now=NOW)
    assert answer.reason is not None
    assert answer.reason.why in (Why.STAFF, Why.BUFFER)
    near = [f"{start.at:%H:%M}" for start in answer.nearest if start.at.date() == when(TEN).date()]
    assert near == ["09:00", "09:30", "10:00", "15:00"]
    assert late.slack(house.id, booking, now=NOW) == 20


def test_staff_insist_on_all_of_it() -> None:
    house = salon()
    booking = house.book("cut", TEN, also="colour nails")
    house.book("colour", f"{DAY} 14:00")
    over: dict[str, Any] = {"now": NOW, "by": "staff:aoi", "override": "agreed"}
    actions.move(house.id, booking.id, when(f"{DAY} 13:00"), None, **over)
    assert claims(house, booking) == [("chair-2", "13:00", 150), ("mei", "13:00", 150), ("rin", "15:30", 45)]
    assert house.findings() == []


def test_who_has_it_in_a_visit_does_not_wait_for_it() -> None:
    house = salon(nails={"waiting": {"hours": 2}})
    booking = house.book("cut", TEN, also="nails")
    for hour in (9, 10, *range(12, 18)):
        house.book("nails", f"{DAY} {hour:02}:00")
    wish = waiting.JoinRequest(house.services["nails"], start=when(f"{DAY} 14:00"))
    with pytest.raises(AlreadyBooked):
        waiting.join(house.id, replace(wish, start=None, day=when(TEN).date()), booking.person_id, now=NOW)  # type: ignore[arg-type]
    assert waiting.join(house.id, wish, uuid4(), now=NOW).entry.state == "waiting"


def test_a_list_rests_on_what_it_was_asked_of() -> None:
    """What was told of a service is not told of a visit, though the same people serve it."""
    house = salon(nails={"needs": {"staff": ["mei"], "chair": CHAIRS}})
    day = date.fromisoformat(DAY)
    ends = []
    for also in ((), house.named("colour"), ()):
        near = availability.nearest(
            house.id, house.services["cut"], when(TEN), now=NOW, staff=None, also=also, limit=1
        )
        ends.append([(each.end - each.at) // timedelta(minutes=1) for each in near])
    assert ends == [[60], [150], [60]]
    found_ = availability.find(
        house.id, house.services["cut"], day, day, now=NOW, staff=None, also=house.named("colour")
    )
    assert found_.service.minutes == 150


def test_it_is_decided_without_another_query() -> None:
    """A visit is read like a service: what is asked of the database does not grow with its parts."""
    house, day = salon(), date.fromisoformat(DAY)

    def queries(also: str) -> int:
        with shop(house.id), connection.execute_wrapper(count):
            counted.clear()
            found: dict[str, Any] = {"now": NOW, "staff": None, "also": house.named(also)}
            availability.month(house.id, house.services["cut"], day, day, **found)
            return len(counted)

    counted: list[str] = []

    def count(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        counted.append(str(sql))
        return execute(sql, params, many, context)

    queries("")
    assert queries("colour nails") == queries("")
