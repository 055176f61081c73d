"""Why a time is not offered: what the engine says, what stands there, and that list and hold agree."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from noren.booking import actions, blocks, why
from noren.booking.asked import Asked
from noren.booking.models import Block, ClassSession
from noren.booking.why import Kind, Lacking
from noren.engine.model import Why
from noren.errors import NorenError
from noren.shops import rules
from noren.shops.models import OpeningHours
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, later, person, salon, when
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("app_db")


def asked(house: House, service: str, at: str, staff: str | None = None, **more: Any) -> why.Answer:
    wanted = Asked(
        house.services[service],
        when(at),
        None if staff is None else house.resources[staff],
        more.pop("party", 1),
        **more,
    )
    return why.why_not(house.id, wanted, now=NOW)


def said(answer: why.Answer) -> Why | None:
    return None if answer.reason is None else answer.reason.why


def test_what_is_offered_has_no_reason() -> None:
    house = salon()
    answer = asked(house, "cut", "2026-11-03 10:00")
    assert said(answer) is None
    assert (answer.lacks, answer.reached) == ((), ())


def test_it_names_the_booking_that_stands_there() -> None:
    house = salon()
    booking = house.book("cut", "2026-11-03 10:00")
    answer = asked(house, "cut", "2026-11-03 10:30")
    [lack] = answer.lacks
    [there] = lack.there
    assert (said(answer), lack.why) == (Why.STAFF, Lacking.TAKEN)
    assert (there.kind, there.id, there.resource_id) == (Kind.BOOKING, booking.id, booking.staff_id)
    assert (there.start, there.end) == (booking.start, booking.end)
    assert [f"{start.at:%H:%M}" for start in answer.nearest[:2]] == ["09:00", "11:00"]


def test_it_tells_a_hold_from_a_booking_until_it_has_expired() -> None:
    house = salon()
    held = house.hold("cut", "2026-11-03 10:00")
    answer = asked(house, "cut", "2026-11-03 10:00")
    assert said(answer) is Why.HOLD
    assert [(each.kind, each.id) for each in answer.lacks[0].there] == [(Kind.HOLD, held.id)]
    wanted = Asked(house.services["cut"], when("2026-11-03 10:00"), None, 1)
    assert why.why_not(house.id, wanted, now=held.expires_at + timedelta(seconds=1)).reason is None


def test_it_names_a_block_and_an_external_event() -> None:
    house = salon()
    block = blocks.block(
        house.id,
        house.resources["stylist0"],
        when("2026-11-03 10:00"),
        when("2026-11-03 12:00"),
        now=NOW,
        by="staff:aoi",
        reason="pause",
    )
    answer = asked(house, "cut", "2026-11-03 10:00")
    assert said(answer) is Why.STAFF
    assert [(each.kind, each.id) for each in answer.lacks[0].there] == [(Kind.BLOCK, block)]
    with shop(house.id):
        Block.objects.filter(id=block).update(kind="external")
    assert said(asked(house, "cut", "2026-11-03 10:00")) is Why.EXTERNAL


def test_a_booking_by_its_own_id_does_not_stand_in_its_way() -> None:
    house = salon()
    booking = house.book("cut", "2026-11-03 10:00")
    assert said(asked(house, "cut", "2026-11-03 10:30", own=booking.id)) is None


def test_case_064_the_room_lacks_and_not_the_staff() -> None:
    house = found(
        {"aoi": {}, "ren": {}, "room": {"kind": "room"}},
        {"massage": {"needs": {"staff": ["aoi", "ren"], "room": ["room"]}}},
    )
    booking = house.book("massage", "2026-11-03 10:00")
    answer = asked(house, "massage", "2026-11-03 10:00")
    assert said(answer) is Why.ROOM
    assert [lack.resource_id for lack in answer.lacks] == [house.resources["room"]]
    assert [each.id for each in answer.lacks[0].there] == [booking.id]


def test_a_stock_that_is_used_up() -> None:
    house = found(
        {"bike": {"kind": "equipment", "stock": 2}},
        {"ride": {"needs": {"bike": {"pool": ["bike"], "per_guest": True}}, "party_max": 2}},
    )
    booking = house.book("ride", "2026-11-03 10:00", party=2)
    answer = asked(house, "ride", "2026-11-03 10:30")
    assert said(answer) is Why.STOCK
    assert [each.id for each in answer.lacks[0].there] == [booking.id]


def test_a_whole_lacks_for_a_part() -> None:
    house = found(
        {
            "a": {"kind": "court"},
            "b": {"kind": "court"},
            "hall": {"kind": "court", "parts": ["a", "b"]},
        },
        {"one": {"needs": {"court": ["a", "b"]}}, "both": {"needs": {"court": ["hall"]}}},
    )
    booking = house.book("one", "2026-11-03 10:00")
    answer = asked(house, "both", "2026-11-03 10:00")
    [lack] = answer.lacks
    assert lack.resource_id == house.resources["hall"]
    assert [(each.id, each.resource_id) for each in lack.there] == [(booking.id, booking.staff_id)]


def test_a_buffer_that_meets_a_booking() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "after": 30}})
    booking = house.book("cut", "2026-11-03 10:00")
    answer = asked(house, "cut", "2026-11-03 11:00")
    assert said(answer) is Why.BUFFER
    assert [each.id for lack in answer.lacks for each in lack.there] == [booking.id]
    assert said(asked(house, "cut", "2026-11-03 11:30")) is None


def test_nobody_works_then() -> None:
    house = salon()
    with shop(house.id), rules.change():
        OpeningHours.objects.create(resource_id=house.resources["stylist0"], weekly=[[[600, 720]]] * 7)
    answer = asked(house, "cut", "2026-11-03 15:00")
    assert said(answer) is Why.STAFF
    assert [lack.why for lack in answer.lacks] == [Lacking.CLOSED]


def test_a_limit_says_which_and_how_much_is_used() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}, "limits": [{"of": "service", "period": "day", "most": 1}]}},
    )
    house.book("cut", "2026-11-03 10:00")
    answer = asked(house, "cut", "2026-11-03 14:00")
    [reached] = answer.reached
    assert said(answer) is Why.LIMIT
    assert (reached.limit.most, reached.used.count, reached.resource_id) == (1, 1, 0)
    assert {start.at.day for start in answer.nearest}.isdisjoint({3})


def test_a_limit_of_one_of_two_staff_is_told_beside_what_takes_the_other() -> None:
    house = found(
        {"aoi": {}, "ren": {}},
        {"cut": {"needs": {"staff": ["aoi", "ren"]}}},
        limits=[{"of": "staff", "period": "day", "most": 1}],
    )
    house.book("cut", "2026-11-03 10:00", "aoi")
    taken = house.book("cut", "2026-11-03 14:00", "ren")
    answer = asked(house, "cut", "2026-11-03 14:00")
    why_each = {lack.resource_id: lack.why for lack in answer.lacks}
    assert said(answer) is Why.LIMIT or why_each[house.resources["aoi"]] is Lacking.LIMIT
    assert {reached.resource_id for reached in answer.reached} == set(house.resources.values())
    assert taken.staff_id == house.resources["ren"]


def test_a_limit_of_customers_is_counted_for_who_is_known() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}, "limits": [{"of": "customer", "period": "week", "most": 1}]}},
    )
    held = house.hold("cut", "2026-11-03 10:00")
    hers = person()
    actions.confirm(house.id, held.id, hers, now=NOW, locale="ja", consent=1)
    assert said(asked(house, "cut", "2026-11-04 10:00")) is None
    assert said(asked(house, "cut", "2026-11-04 10:00", person=hers)) is Why.LIMIT


Situation = tuple[str, str, dict[str, Any], Why]


@pytest.mark.parametrize(
    ("service", "at", "more", "expected"),
    [
        ("cut", "2026-11-02 08:00", {}, Why.PAST),
        ("cut", "2026-11-02 09:30", {}, Why.NOTICE),
        ("cut", "2027-06-01 10:00", {}, Why.HORIZON),
        ("cut", "2026-11-03 20:00", {}, Why.HOURS),
        ("cut", "2026-11-05 10:00", {}, Why.HOLIDAY),
        ("cut", "2026-11-03 10:10", {}, Why.GRID),
        ("cut", "2026-11-03 10:00", {"party": 5}, Why.PARTY),
        ("cut", "2026-11-03 10:00", {"nights": 1}, Why.NIGHTS),
        ("gone", "2026-11-03 10:00", {}, Why.NOT_OFFERED),
        ("villa", "2026-11-06 15:00", {"nights": 1}, Why.NIGHTS),
    ],
)
def test_it_says_what_the_engine_says(service: str, at: str, more: dict[str, Any], expected: Why) -> None:
    stay = {"out": 660, "least": [1, 1, 1, 1, 2, 2, 1], "most": 7}
    house = found(
        {"aoi": {}, "house": {"kind": "room"}},
        {
            "cut": {"needs": {"staff": ["aoi"]}, "lead": {"minutes": 60}},
            "gone": {"needs": {"staff": ["aoi"]}, "bookable": False},
            "villa": {"needs": {"house": ["house"]}, "stay": stay},
        },
        holiday_rule="closed",
        own_holidays=["2026-11-05"],
    )
    answer = asked(house, service, at, **more)
    assert said(answer) is expected
    assert all(start.stamp >= NOW.timestamp() for start in answer.nearest)


def test_a_stay_is_in_the_way_of_another_that_ends_in_it() -> None:
    stay = {"out": 660, "least": [1] * 7, "most": 7}
    house = found({"villa": {"kind": "room"}}, {"stay": {"needs": {"room": ["villa"]}, "stay": stay}})
    wish = actions.HoldRequest(house.services["stay"], when("2026-11-05 15:00"), None, 1, nights=2)
    held = actions.hold(house.id, wish, now=NOW)
    answer = asked(house, "stay", "2026-11-04 15:00", nights=2)
    assert said(answer) is Why.HOLD
    assert [each.id for each in answer.lacks[0].there] == [held.id]
    assert said(asked(house, "stay", "2026-11-04 15:00", nights=1)) is None


def _class_house() -> tuple[House, int]:
    house = found(
        {"mai": {}, "sora": {}},
        {"yoga": {"needs": {"staff": ["mai", "sora"]}, "capacity": 2, "party_max": 3}},
    )
    with shop(house.id):
        row = ClassSession.objects.create(
            service_id=house.services["yoga"],
            staff_id=house.resources["mai"],
            start=when("2026-11-03 10:00"),
            end=when("2026-11-03 11:00"),
            planned=when("2026-11-03 10:00"),
            capacity=2,
        )
    return house, row.id


def test_a_class_without_seats_and_without_a_date() -> None:
    house, session = _class_house()
    assert said(asked(house, "yoga", "2026-11-03 10:00")) is None
    house.book("yoga", "2026-11-03 10:00")
    full = asked(house, "yoga", "2026-11-03 10:00", party=2)
    assert said(full) is Why.SEATS
    assert full.session is not None
    assert (full.session.id, full.session.left) == (session, 1)
    assert said(asked(house, "yoga", "2026-11-03 10:30")) is Why.GRID
    assert said(asked(house, "yoga", "2026-11-03 10:00", "sora")) is Why.GRID
    assert said(asked(house, "yoga", "2026-11-03 10:00", "mai")) is None


def test_it_asks_a_fixed_number_of_questions_and_writes_nothing(django_queries: list[str]) -> None:
    house = salon(3)
    for hour in (10, 11, 12):
        house.book("cut", f"2026-11-03 {hour}:00")
    asked(house, "cut", "2026-11-03 10:00")
    django_queries.clear()
    asked(house, "cut", "2026-11-03 10:00")
    assert len(django_queries) < 12
    assert not [query for query in django_queries if query.lstrip().upper().startswith(("INSERT", "UPDATE"))]


def _busy_house() -> House:
    return found(
        {
            "aoi": {},
            "ren": {"visible": False},
            "chair": {"kind": "chair", "stock": 2},
            "hall": {"kind": "room"},
        },
        {
            "cut": {
                "needs": {"staff": ["aoi", "ren"], "chair": ["chair"]},
                "minutes": 45,
                "after": 15,
                "lead": {"minutes": 120},
            },
            "colour": {
                "needs": {"staff": ["aoi", "ren"], "chair": ["chair"]},
                "segments": [
                    {"minutes": 30, "roles": ["staff", "chair"]},
                    {"minutes": 30, "roles": ["chair"]},
                    {"minutes": 30, "roles": ["staff", "chair"]},
                ],
                "grid": {"kind": "packed", "interval": 30},
                "limits": [{"of": "staff", "period": "day", "most": 2}],
            },
            "stay": {
                "needs": {"room": ["hall"]},
                "stay": {"out": 660, "least": [1, 1, 1, 1, 2, 2, 1], "most": 3},
                "after": 60,
            },
        },
        limits=[{"of": "service", "period": "day", "most": 4}],
    )


def _quietly(deed: Callable[[], Any]) -> bool:
    try:
        deed()
    except NorenError:
        return False
    return True


def _held_and_released(house: House, wanted: dict[str, Any]) -> bool:
    try:
        held = actions.hold(house.id, actions.HoldRequest(**wanted), now=NOW)
    except NorenError:
        return False
    actions.release(house.id, held.id, now=later(seconds=1))
    return True


@pytest.mark.parametrize("seed", range(6))
def test_list_why_not_and_hold_agree_after_any_history(app_db: AppDatabase, seed: int) -> None:
    assert app_db
    chance = random.Random(seed)
    house = _busy_house()

    def wish() -> dict[str, Any]:
        service = chance.choice(["cut", "colour", "stay"])
        minute = chance.choice([0, 0, 0, 15, 30, 30, 45, 10])
        at = when(f"2026-11-{chance.randint(2, 6):02} {chance.randint(7, 18):02}:{minute:02}")
        staff = None if service == "stay" else chance.choice([None, None, "aoi", "ren"])
        nights = chance.choice([1, 2]) if service == "stay" else chance.choice([0] * 9 + [1])
        return {
            "service_id": house.services[service],
            "start": at,
            "staff": staff and house.resources[staff],
            "party": 1,
            "nights": nights,
        }

    def book() -> None:
        held = actions.hold(house.id, actions.HoldRequest(**wish()), now=NOW)
        if chance.random() < 0.7:
            actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)

    agreed = {True: 0, False: 0}
    for _ in range(10):
        _quietly(book)
    for _ in range(60):
        wanted = wish()
        at = wanted["start"]
        on = f"{at:%Y-%m-%d}"
        key = next(key for key, each in house.services.items() if each == wanted["service_id"])
        whom = next((name for name, each in house.resources.items() if each == wanted["staff"]), None)
        listed = f"{at:%H:%M}" in house.starts(key, on, whom, nights=wanted["nights"])
        answer = why.why_not(house.id, Asked(**wanted), now=NOW)
        could = _held_and_released(house, wanted)
        assert (listed, answer.reason is None) == (could, could), (wanted, answer.reason)
        agreed[could] += 1
    assert min(agreed.values()) > 3, agreed
