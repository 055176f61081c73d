"""The waiting list: who is asked, in which order, for how long; who is refused."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from noren.booking import actions, agreement, blocks, changes, links, reception, tasks, waiting
from noren.booking.book import Customer
from noren.booking.models import Booking, ClassSession, Event, Status, Waiting
from noren.booking.waiting import Joined, JoinRequest
from noren.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    BadField,
    CannotTakeNewCustomers,
    HoldExpired,
    InThePast,
    LinkRevoked,
    LinkUnknown,
    NorenError,
    NothingOffered,
    NotOffered,
    NoWaitingList,
    OutsideHorizon,
    PartyTooLarge,
    ServiceUnknown,
    SlotFree,
    SlotTaken,
    TooLate,
)
from noren.shops import rules
from noren.shops.models import OpeningHours, Service
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, person, when
from tests.booking.test_classes import studio
from tests.servers import AppDatabase, VaultProcess

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"
RULE = {"hours": 4, "stop_minutes": 20, "pass_over": False}
HANA = Customer(name="佐藤 花", mail="hana@example.jp")


def salon(staff: int = 1, *, rule: dict[str, Any] | None = None, **settings: Any) -> House:
    """A salon with a waiting list, open from nine to eleven: two cuts a day for each stylist."""
    names = [f"stylist{number}" for number in range(staff)]
    cut = {"needs": {"staff": names}, "grid": {"kind": "opening", "interval": 60}, "waiting": rule or RULE}
    return found({name: {} for name in names}, {"cut": cut}, hours=((540, 660),), **settings)


def yoga(capacity: int, **service: Any) -> House:
    return studio(capacity, **{"waiting": RULE, **service})


def full_salon(staff: int = 1, **settings: Any) -> tuple[House, list[Booking]]:
    house = salon(staff, **settings)
    return house, [house.book("cut", f"{DAY} {hour}:00") for hour in ("09", "10") for _ in range(staff)]


def join(house: House, at: str = DAY, *, who: UUID | Customer | None = None, **more: Any) -> Waiting:
    return joined(house, at, who=who, **more).entry


def joined(house: House, at: str = DAY, *, who: UUID | Customer | None = None, **more: Any) -> Joined:
    now = more.pop("now", NOW)
    service = house.services[more.pop("service", next(iter(house.services)))]
    wish = {"day": date.fromisoformat(at)} if len(at) == 10 else {"start": when(at)}
    return waiting.join(house.id, JoinRequest(service, **wish, **more), who or person(), now=now)


def cancel(house: House, booking: Booking, now: datetime = NOW) -> None:
    actions.cancel(house.id, booking.id, now=now, by="staff:1")


def state(house: House, entry: Waiting) -> str:
    return waiting.of_entry(house.id, entry.id).state


def states(house: House, *entries: Waiting) -> list[str]:
    return [state(house, entry) for entry in entries]


def held(house: House, entry: Waiting) -> Booking:
    now = waiting.of_entry(house.id, entry.id)
    assert now.hold_id is not None
    return house.booking(now.hold_id)


def leave_nothing(house: House, now: datetime = NOW) -> None:
    """Everybody goes: then nothing may be left."""
    with shop(house.id):
        entries = list(Waiting.objects.values_list("id", flat=True))
    for entry in entries:
        try:
            waiting.leave(house.id, entry, now=now)
        except AlreadyBooked:
            continue
    with shop(house.id):
        takes = list(Booking.objects.filter(takes=True))
    for booking in takes:
        if booking.status == Status.HELD:
            actions.release(house.id, booking.id, now=now)
        else:
            cancel(house, booking, now)
    assert house.findings() == []


def test_case_083_one_offer_for_one_place_in_the_order_of_joining() -> None:
    house, [nine, _] = full_salon()
    entries = [join(house, now=NOW + timedelta(minutes=n)) for n in range(3)]
    cancel(house, nine)
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, *entries) == ["offered", "waiting", "waiting"]
    place = held(house, entries[0])
    assert (place.status, place.start, place.expires_at) == (
        Status.HELD,
        when(f"{DAY} 09:00"),
        NOW + timedelta(hours=4),
    )
    assert house.starts("cut", DAY) == [], "it is a real hold"
    assert waiting.offer(house.id, now=NOW + timedelta(hours=3, minutes=59)) == 0
    over = NOW + timedelta(hours=4)
    actions.expire(house.id, place.id, now=over)
    assert waiting.offer(house.id, now=over) == 1
    assert states(house, *entries) == ["passed", "offered", "waiting"]
    booked = waiting.accept(house.id, entries[1].id, now=over)
    assert booked.booking.status == Status.CONFIRMED
    assert booked.booking.person_id == entries[1].person_id
    assert states(house, *entries) == ["passed", "booked", "waiting"]
    leave_nothing(house)
    assert house.sheet_rows() == 0


def test_case_083_the_higher_priority_is_asked_first() -> None:
    house, [nine, _] = full_salon()
    first = join(house)
    dear = join(house, now=NOW + timedelta(minutes=1), priority=1)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    assert states(house, first, dear) == ["waiting", "offered"]


def test_case_083_of_one_moment_the_first_row_is_the_first() -> None:
    house, [nine, _] = full_salon()
    one, two = join(house), join(house)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    assert states(house, one, two) == ["offered", "waiting"]


def test_two_places_are_offered_to_two() -> None:
    house, bookings = full_salon()
    entries = [join(house) for _ in range(3)]
    for booking in bookings:
        cancel(house, booking)
    assert waiting.offer(house.id, now=NOW) == 2
    assert states(house, *entries) == ["offered", "offered", "waiting"]
    assert {held(house, entry).start for entry in entries[:2]} == {b.start for b in bookings}


@pytest.mark.parametrize(
    ("offered", "ends"),
    [("03 23:00", "04 12:00"), ("03 21:00", "04 11:00"), ("03 12:00", "03 16:00"), ("04 07:59", "04 12:00")],
)
def test_case_084_the_clock_pauses_while_it_is_quiet(offered: str, ends: str) -> None:
    house, [nine, _] = full_salon(quiet={"from": 22 * 60, "to": 8 * 60})
    entry, now = join(house), when(f"2026-11-{offered}")
    cancel(house, nine, now)
    waiting.offer(house.id, now=now)
    assert held(house, entry).expires_at == when(f"2026-11-{ends}")


def test_case_084_it_is_told_in_the_morning(module_app_db: AppDatabase) -> None:
    house, [nine, _] = full_salon(quiet={"from": 22 * 60, "to": 8 * 60})
    entry, now = join(house), when("2026-11-03 23:00")
    cancel(house, nine, now)
    waiting.offer(house.id, now=now)
    [at] = jobs(module_app_db, house, "tell", waiting_id=entry.id, kind="offered")
    assert at == when("2026-11-04 08:00")


def test_an_offer_that_the_night_would_swallow_is_told_at_once(module_app_db: AppDatabase) -> None:
    """The start is at nine, and it is quiet until ten: nobody would hear of it in time."""
    house, [nine, _] = full_salon(quiet={"from": 22 * 60, "to": 10 * 60})
    entry, now = join(house), when("2026-11-04 23:00")
    cancel(house, nine, now)
    waiting.offer(house.id, now=now)
    assert held(house, entry).expires_at == when(f"{DAY} 08:40")
    [at] = jobs(module_app_db, house, "tell", waiting_id=entry.id, kind="offered")
    assert at == now


def jobs(database: AppDatabase, house: House, task: str, **args: Any) -> list[datetime | None]:
    """When each job of this kind is due, of this shop and with these values."""
    with database.connect("owner") as conn:
        rows = conn.execute(
            "SELECT scheduled_at, args FROM procrastinate_jobs WHERE task_name LIKE %s ORDER BY id",
            [f"%.{task}"],
        ).fetchall()
    wanted = {"shop_id": house.id, **args}.items()
    return [at for at, values in rows if wanted <= values.items()]


def test_case_085_offers_stop_before_the_start() -> None:
    house, [nine, ten] = full_salon()
    one, two = join(house, f"{DAY} 09:00"), join(house, f"{DAY} 10:00")
    soon = when(f"{DAY} 08:40")
    cancel(house, nine, soon)
    cancel(house, ten, soon)
    assert waiting.offer(house.id, now=soon) == 1
    assert states(house, one, two) == ["expired", "offered"]
    assert held(house, two).expires_at == when(f"{DAY} 09:40"), (
        "never nearer to the start than twenty minutes"
    )


def test_case_085_a_second_before_it_is_still_offered() -> None:
    house, [nine, _] = full_salon()
    entry = join(house)
    cancel(house, nine)
    assert waiting.offer(house.id, now=when(f"{DAY} 08:40") - timedelta(seconds=1)) == 1
    assert held(house, entry).expires_at == when(f"{DAY} 08:40")


def test_case_085_who_waits_for_the_day_is_offered_its_rest() -> None:
    house, [nine, ten] = full_salon()
    entry = join(house)
    cancel(house, nine)
    cancel(house, ten)
    waiting.offer(house.id, now=when(f"{DAY} 08:50"))
    assert held(house, entry).start == when(f"{DAY} 10:00")


def test_case_086_the_same_person_twice_is_refused() -> None:
    house, _ = full_salon()
    who = person()
    entry = join(house, who=who)
    for again in (DAY, f"{DAY} 10:00"):
        with pytest.raises(AlreadyWaiting):
            join(house, again, who=who)
    waiting.leave(house.id, entry.id, now=NOW)
    start = join(house, f"{DAY} 10:00", who=who)
    with pytest.raises(AlreadyWaiting):
        join(house, who=who)
    join(house, f"{DAY} 09:00", who=who)
    assert state(house, start) == "waiting"


def test_case_086_who_has_booked_already_is_refused() -> None:
    house, [nine, _] = full_salon()
    assert nine.person_id is not None
    for wish in (DAY, f"{DAY} 09:00"):
        with pytest.raises(AlreadyBooked):
            join(house, wish, who=nine.person_id)
    join(house, f"{DAY} 10:00", who=nine.person_id)


def test_case_086_the_same_customer_is_known_by_all_that_she_wrote(module_vault: VaultProcess) -> None:
    house, _ = full_salon()
    join(house, who=HANA)
    with pytest.raises(AlreadyWaiting):
        join(house, who=HANA)
    other = join(house, who=Customer(name="花", mail=HANA.mail))
    assert state(house, other) == "waiting", "whose mail is whose is not visible on this side"


def test_case_087_a_place_too_small_for_the_first_waits() -> None:
    house = yoga(3)
    [*_, last] = [house.book("yoga", "2026-11-04 10:00") for _ in range(3)]
    two = join(house, "2026-11-04 10:00", party=2)
    one = join(house, "2026-11-04 10:00")
    cancel(house, last)
    assert waiting.offer(house.id, now=NOW) == 0
    waiting.leave(house.id, two.id, now=NOW)
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, two, one) == ["left", "offered"]
    leave_nothing(house)


def test_case_087_or_passes_to_the_next() -> None:
    house = yoga(3, waiting={**RULE, "pass_over": True})
    bookings = [house.book("yoga", "2026-11-04 10:00") for _ in range(3)]
    two = join(house, "2026-11-04 10:00", party=2)
    one = join(house, "2026-11-04 10:00")
    cancel(house, bookings[0])
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, two, one) == ["waiting", "offered"]
    for booking in bookings[1:]:
        cancel(house, booking)
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, two, one) == ["offered", "offered"]
    leave_nothing(house)


@pytest.mark.parametrize(("wish", "expected"), [("2026-11-04 10:00", 1), ("2026-11-04", 0)])
def test_case_087_a_small_place_waits_only_where_the_first_would_take_it(wish: str, expected: int) -> None:
    house = yoga(2)
    bookings = [house.book("yoga", f"2026-11-04 {hour}:00") for hour in (10, 10, 11, 11)]
    join(house, wish, party=2)
    join(house, "2026-11-04 11:00")
    cancel(house, bookings[3])
    assert waiting.offer(house.id, now=NOW) == expected


def test_case_058_holders_of_offers_can_book_while_the_public_sees_none() -> None:
    """Ten seats: four booked, two that wait for the shop, two holds, two offers."""
    house = yoga(10, approval="keeps")
    at = "2026-11-04 10:00"
    bookings = [house.book("yoga", at) for _ in range(8)]
    holds = [house.hold("yoga", at) for _ in range(2)]
    entries = [join(house, at) for _ in range(3)]
    for booking in bookings[:4]:
        reception.approve(house.id, booking.id, now=NOW, by="staff:1")
    for booking in bookings[6:]:
        cancel(house, booking)
    assert waiting.offer(house.id, now=NOW) == 2
    assert house.starts("yoga", "2026-11-04") == ["11:00"], "none for the public"
    with pytest.raises(SlotTaken):
        house.hold("yoga", at)
    assert states(house, *entries) == ["offered", "offered", "waiting"]
    for entry in entries[:2]:
        assert waiting.accept(house.id, entry.id, now=NOW).booking.status == Status.PENDING
    with shop(house.id):
        assert ClassSession.objects.get(start=when(at)).booked == 10
    assert len(holds) == 2
    leave_nothing(house)


def test_it_accepts_once_and_gives_the_same_booking_again() -> None:
    house, [nine, _] = full_salon()
    entry = join(house)
    with pytest.raises(NothingOffered):
        waiting.accept(house.id, entry.id, now=NOW)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    one, two = (waiting.accept(house.id, entry.id, now=NOW) for _ in range(2))
    assert (one.booking.id, one.token) == (two.booking.id, two.token)
    assert links.resolve(one.token).booking_id == one.booking.id
    assert house.booking(one.booking.id).agreed["consent"] == 1
    with pytest.raises(AlreadyBooked):
        waiting.leave(house.id, entry.id, now=NOW)
    waiting.decline_offer(house.id, entry.id, now=NOW)
    assert state(house, entry) == "booked"


def test_it_does_not_accept_what_is_over() -> None:
    house, [nine, _] = full_salon()
    entry = join(house)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    with pytest.raises(HoldExpired):
        waiting.accept(house.id, entry.id, now=NOW + timedelta(hours=4))
    assert waiting.accept(house.id, entry.id, now=NOW + timedelta(hours=4, seconds=-1))


@pytest.mark.parametrize("deed", [waiting.decline_offer, waiting.leave])
def test_who_lets_an_offer_go_makes_way_at_once(deed: Any, module_app_db: AppDatabase) -> None:
    house, [nine, _] = full_salon()
    one, two = join(house), join(house)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    before = offers(module_app_db, house)
    for _again in range(2):
        deed(house.id, one.id, now=NOW)
    assert offers(module_app_db, house) == before + 1
    assert house.starts("cut", DAY) == ["09:00"]
    assert waiting.offer(house.id, now=NOW) == 1
    assert state(house, two) == "offered"
    with pytest.raises(HoldExpired):
        waiting.accept(house.id, one.id, now=NOW)


def test_declining_where_nothing_is_offered_is_nothing() -> None:
    house, _ = full_salon()
    entry = join(house)
    waiting.decline_offer(house.id, entry.id, now=NOW)
    assert state(house, entry) == "waiting"


def test_an_offer_is_decided_as_of_the_moment_of_joining() -> None:
    """With two days of notice, what is freed on the day before is still hers who joined in time."""
    house, [nine, _] = full_salon()
    with shop(house.id), rules.change():
        Service.objects.update(lead={"minutes": 2880})
    entry = join(house)
    late = when("2026-11-04 12:00")
    cancel(house, nine, late)
    assert house.starts("cut", DAY, now=late) == []
    assert waiting.offer(house.id, now=late) == 1
    assert waiting.accept(house.id, entry.id, now=late).booking.status == Status.CONFIRMED


def test_what_the_shop_approves_later_is_decided_as_of_then_too() -> None:
    house = found(
        {"aoi": {}},
        {
            "cut": {
                "needs": {"staff": ["aoi"]},
                "approval": "free",
                "waiting": RULE,
                "lead": {"minutes": 2880},
            }
        },
        hours=((540, 600),),
    )
    first = house.book("cut", f"{DAY} 09:00")
    reception.approve(house.id, first.id, now=NOW, by="staff:1")
    entry = join(house)
    late = when("2026-11-04 12:00")
    cancel(house, house.booking(first.id), late)
    waiting.offer(house.id, now=late)
    asked = waiting.accept(house.id, entry.id, now=late).booking
    assert (asked.status, asked.takes) == (Status.PENDING, False)
    assert reception.approve(house.id, asked.id, now=late, by="staff:1").status == Status.CONFIRMED


def test_the_free_minutes_after_booking_begin_when_she_says_yes() -> None:
    house, [nine, _] = full_salon()
    with shop(house.id), rules.change():
        tier = {"since": {"minutes": 43200}, "percent": 50}
        Service.objects.update(fees={"tiers": [tier], "free_minutes": 60}, price=4000)
    entry = join(house)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    yes = NOW + timedelta(hours=3)
    booking = waiting.accept(house.id, entry.id, now=yes).booking
    with shop(house.id):
        costs = [agreement.fee(booking, now=yes + timedelta(minutes=m)).fee for m in (60, 61)]
    assert costs == [0, 2000]


def test_it_offers_only_with_whom_she_asked_for() -> None:
    house, bookings = full_salon(2)
    wanted = house.resources["stylist1"]
    entry = join(house, staff=wanted)
    for booking in bookings:
        if booking.staff_id != wanted:
            cancel(house, booking)
    assert waiting.offer(house.id, now=NOW) == 0
    cancel(house, next(each for each in bookings if each.staff_id == wanted))
    assert waiting.offer(house.id, now=NOW) == 1
    assert held(house, entry).asked_staff_id == wanted


def test_it_waits_for_a_stay() -> None:
    house = found(
        {"hut": {"kind": "room"}},
        {
            "stay": {
                "needs": {"room": ["hut"]},
                "stay": {"out": 600, "least": [1] * 7, "most": 7},
                "grid": {"kind": "clock", "interval": 60, "offset": 0},
                "waiting": RULE,
            }
        },
        hours=((0, 1440),),
    )
    taken = actions.HoldRequest(house.services["stay"], when(f"{DAY} 15:00"), None, 1, nights=4)
    hold = actions.hold(house.id, taken, now=NOW)
    booking = actions.confirm(house.id, hold.id, person(), now=NOW, locale="ja", consent=1)
    entry = join(house, "2026-11-07", nights=2)
    assert entry.last_day == date(2026, 11, 9)
    cancel(house, booking)
    assert waiting.offer(house.id, date(2026, 11, 9), date(2026, 11, 9), now=NOW) == 1
    assert (held(house, entry).end - held(house, entry).start) > timedelta(days=1)
    leave_nothing(house)
    assert house.sheet_rows() == 0


@pytest.mark.parametrize(
    ("wish", "more", "refusal"),
    [
        (DAY, {"service": "plain"}, NoWaitingList),
        (DAY, {"party": 2}, PartyTooLarge),
        ("2026-11-01", {}, InThePast),
        ("2026-11-02 09:00", {}, InThePast),
        ("2026-11-02 09:20", {}, TooLate),
        ("2026-11-02", {"now": when("2026-11-02 23:45")}, TooLate),
        ("2027-11-05", {}, OutsideHorizon),
        ("2027-11-05 09:00", {}, OutsideHorizon),
        (f"{DAY} 09:30", {}, NotOffered),
        (f"{DAY} 20:00", {}, NotOffered),
        ("2026-11-09", {}, NotOffered),
        ("2026-11-06", {}, SlotFree),
        ("2026-11-06 10:00", {}, SlotFree),
        (DAY, {"staff": 999_999}, NotOffered),
    ],
)
def test_it_refuses_what_nobody_can_wait_for(
    wish: str, more: dict[str, Any], refusal: type[NorenError]
) -> None:
    cut = {"needs": {"staff": ["aoi"]}, "grid": {"kind": "opening", "interval": 60}}
    house = found({"aoi": {}}, {"cut": {**cut, "waiting": RULE}, "plain": cut}, hours=((540, 660),))
    with shop(house.id), rules.change():
        week = [[] if day == 0 else [[540, 660]] for day in range(7)]
        OpeningHours.objects.update(weekly=week)
    for hour in ("09", "10"):
        house.book("cut", f"{DAY} {hour}:00")
    with pytest.raises(refusal):
        join(house, wish, **more)
    with shop(house.id):
        assert not Waiting.objects.exists()


def test_it_tells_what_is_free_to_who_need_not_wait() -> None:
    house = salon()
    with pytest.raises(SlotFree) as refused:
        join(house)
    assert [f"{start.at:%H:%M}" for start in refused.value.facts["nearest"]] == ["09:00", "10:00"]


def test_it_knows_no_service_that_is_not_there() -> None:
    house = salon()
    with pytest.raises(ServiceUnknown):
        waiting.join(house.id, JoinRequest(999_999, day=date(2026, 11, 5)), person(), now=NOW)


def test_nobody_waits_for_a_class_that_is_not_there_or_a_part_of_a_course() -> None:
    house = yoga(1)
    with pytest.raises(NotOffered):
        join(house, "2026-11-05 10:00")
    course = yoga(1, course=True)
    with pytest.raises(NoWaitingList):
        join(course, "2026-11-04 10:00")


def test_one_can_wait_for_any_class_of_a_day() -> None:
    house = yoga(1)
    bookings = [house.book("yoga", f"2026-11-04 {hour}:00") for hour in (10, 11)]
    entry = join(house, "2026-11-04")
    cancel(house, bookings[1])
    assert waiting.offer(house.id, now=NOW) == 1
    assert held(house, entry).start == when("2026-11-04 11:00")


def test_a_customer_is_kept_as_long_as_she_waits(
    module_vault: VaultProcess, module_app_db: AppDatabase
) -> None:
    house, _ = full_salon()
    entry = join(house, who=HANA, locale="en")
    assert jobs(module_app_db, house, "keep", person_id=str(entry.person_id)) == [None]
    assert jobs(module_app_db, house, "tell", waiting_id=entry.id, kind="joined") == [None]
    with module_app_db.connect("owner") as conn:
        [row] = conn.execute("SELECT w::text FROM booking_waiting w WHERE id = %s", [entry.id]).fetchall()
    assert "花" not in repr(row)
    assert "hana" not in repr(row)


def test_nothing_is_left_when_the_vault_is_away_or_refuses(module_vault: VaultProcess) -> None:
    house, _ = full_salon()
    with override_settings(VAULT_SOCKET="/nowhere"), pytest.raises(CannotTakeNewCustomers):
        join(house, who=HANA)
    with pytest.raises(BadField):
        join(house, who=Customer(name="花", mail="no mail"))
    with shop(house.id):
        assert not Waiting.objects.exists()


# -- what frees


def offers(database: AppDatabase, house: House) -> int:
    return len(jobs(database, house, "offer"))


def test_every_deed_that_frees_writes_the_job_that_offers(module_app_db: AppDatabase) -> None:
    house, bookings = full_salon(2)
    nine, other, ten, _ = bookings
    block = blocks.block(
        house.id, house.resources["stylist0"], when(f"{DAY} 12:00"), when(f"{DAY} 13:00"), now=NOW, by="x"
    )
    early = when(f"{DAY} 10:00")
    move = when("2026-11-06 09:00")
    deeds: list[tuple[str, Any]] = [
        ("cancel", lambda: cancel(house, nine)),
        ("release", lambda: actions.release(house.id, house.hold("cut", f"{DAY} 09:00").id, now=NOW)),
        ("expire", lambda: _expire(house)),
        ("move", lambda: actions.move(house.id, other.id, move, None, now=NOW, by="staff:1")),
        ("check out", lambda: _check_out(house, ten, early)),
        ("unblock", lambda: blocks.unblock(house.id, block)),
    ]
    for what, deed in deeds:
        before = offers(module_app_db, house)
        deed()
        assert offers(module_app_db, house) == before + 1, what


def _expire(house: House) -> None:
    hold = house.hold("cut", f"{DAY} 09:00")
    actions.expire(house.id, hold.id, now=NOW)
    actions.expire(house.id, hold.id, now=hold.expires_at)


def _check_out(house: House, booking: Booking, now: datetime) -> None:
    reception.check_in(house.id, booking.id, now=now, by="staff:1")
    reception.check_out(house.id, booking.id, now=now + timedelta(minutes=5), by="staff:1")


def test_declined_and_lapsed_and_not_attended_free_as_well(module_app_db: AppDatabase) -> None:
    house = found(
        {"aoi": {}},
        {
            "cut": {
                "needs": {"staff": ["aoi"]},
                "approval": "keeps",
                "waiting": RULE,
                "check_in": {"release_minutes": 15},
            }
        },
    )
    asked = [house.book("cut", f"{DAY} {hour}:00") for hour in (10, 11, 12)]
    reception.approve(house.id, asked[2].id, now=NOW, by="staff:1")
    reception.decline(house.id, asked[0].id, now=NOW, by="staff:1")
    assert offers(module_app_db, house) == 1
    reception.lapse(house.id, asked[1].id, now=when(f"{DAY} 11:00"))
    assert offers(module_app_db, house) == 2
    reception.release_unattended(house.id, asked[2].id, now=when(f"{DAY} 12:15"))
    assert offers(module_app_db, house) == 3


def test_what_a_writer_swept_is_offered_for_the_rest(module_app_db: AppDatabase) -> None:
    house = found(
        {"aoi": {}},
        {
            "cut": {"needs": {"staff": ["aoi"]}, "minutes": 120, "waiting": RULE},
            "trim": {"needs": {"staff": ["aoi"]}},
        },
    )
    hold = house.hold("cut", f"{DAY} 10:00")
    over = hold.expires_at + timedelta(seconds=1)
    house.hold("trim", f"{DAY} 10:00", now=over)
    assert house.booking(hold.id).status == Status.EXPIRED
    assert offers(module_app_db, house) == 0
    actions.expire(house.id, hold.id, now=over)
    assert offers(module_app_db, house) == 1


def test_a_request_that_keeps_no_time_frees_it(module_app_db: AppDatabase) -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "approval": "free", "waiting": RULE}})
    house.book("cut", f"{DAY} 10:00")
    assert offers(module_app_db, house) == 1


def test_a_shop_without_a_waiting_list_writes_none(module_app_db: AppDatabase) -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}}})
    cancel(house, house.book("cut", f"{DAY} 10:00"))
    assert offers(module_app_db, house) == 0


def test_where_there_are_limits_a_whole_month_is_looked_at(module_app_db: AppDatabase) -> None:
    """One a week: who cancels on Thursday makes room for who waits for Friday."""
    house = salon(limits=[{"of": "service", "period": "week", "most": 1}])
    booking = house.book("cut", f"{DAY} 09:00")
    entry = join(house, "2026-11-06")
    cancel(house, booking)
    with module_app_db.connect("owner") as conn:
        [last] = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name LIKE '%%.offer' ORDER BY id DESC LIMIT 1"
        ).fetchall()
    days = [date.fromisoformat(last[0][each]) for each in ("first", "last")]
    assert days[0] <= entry.day <= days[1]
    assert waiting.offer(house.id, *days, now=NOW) == 1


def test_new_hours_are_offered_first_to_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    house, _ = full_salon()
    entry = join(house)
    with shop(house.id), rules.change():
        OpeningHours.objects.update(weekly=[[[540, 720]]] * 7)
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    tasks.follow_rules(house.id)
    assert held(house, entry).start == when(f"{DAY} 11:00")


def test_what_the_job_says_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    house, [nine, _] = full_salon()
    entry = join(house)
    cancel(house, nine)
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    tasks.offer(house.id, "2026-11-06", "2026-11-07")
    assert state(house, entry) == "waiting"
    tasks.offer(house.id, "2026-11-04", DAY)
    assert state(house, entry) == "offered"


# -- classes that change, rules that change


def test_who_waits_goes_with_a_class_that_is_moved() -> None:
    house = yoga(1)
    booking = house.book("yoga", "2026-11-04 10:00")
    waits = join(house, "2026-11-04 10:00")
    with shop(house.id):
        ClassSession.objects.filter(start=booking.start).update(
            start=when(f"{DAY} 15:00"), end=when(f"{DAY} 16:00")
        )
    waiting.offer(house.id, now=NOW)
    now = waiting.of_entry(house.id, waits.id)
    assert (now.start, now.day, now.ends_at) == (
        when(f"{DAY} 15:00"),
        date(2026, 11, 5),
        when(f"{DAY} 14:40"),
    )


def test_whose_offer_the_shop_took_away_is_asked_again_first() -> None:
    house = yoga(1)
    booking = house.book("yoga", "2026-11-04 10:00")
    one, two = join(house, "2026-11-04 10:00"), join(house, "2026-11-04 10:00")
    cancel(house, booking)
    waiting.offer(house.id, now=NOW)
    first = held(house, one)
    actions.release(house.id, first.id, now=NOW, by="system")
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, one, two) == ["offered", "waiting"]
    assert held(house, one).id != first.id


def test_nobody_waits_for_a_class_that_does_not_take_place() -> None:
    house = yoga(1)
    booking = house.book("yoga", "2026-11-04 10:00")
    entry = join(house, "2026-11-04 10:00")
    with shop(house.id):
        ClassSession.objects.filter(start=booking.start).update(cancelled=True)
    waiting.offer(house.id, now=NOW)
    assert state(house, entry) == "expired"


def test_a_date_that_leaves_the_timetable_lets_those_go_who_wait_for_it() -> None:
    house = yoga(1)
    hold = house.hold("yoga", "2026-11-04 10:00")
    entry = join(house, "2026-11-04 10:00")
    actions.release(house.id, hold.id, now=NOW)
    with shop(house.id):
        Booking.objects.update(session_id=None)
        Event.objects.all().delete()
        Booking.objects.all().delete()

    def drop() -> bool:
        return bool(Service.objects.filter(key="yoga").update(timetable=[]))

    changes.change(house.id, drop, now=NOW, by="staff:1")
    waiting.offer(house.id, now=NOW)
    assert state(house, entry) == "expired"


def test_a_block_over_what_is_offered_puts_her_back_in_front() -> None:
    house, [nine, ten] = full_salon()
    one, two = join(house), join(house)
    cancel(house, nine)
    waiting.offer(house.id, now=NOW)
    place = held(house, one)
    blocks.block(house.id, house.resources["stylist0"], place.start, place.end, now=NOW, by="staff:1")
    assert waiting.offer(house.id, now=NOW) == 0
    assert states(house, one, two) == ["waiting", "waiting"]
    cancel(house, ten)
    assert waiting.offer(house.id, now=NOW) == 1
    assert states(house, one, two) == ["offered", "waiting"]
    assert house.findings() == []


def test_nobody_waits_where_there_is_no_list_any_more() -> None:
    house, [nine, _] = full_salon()
    entry = join(house)
    with shop(house.id), rules.change():
        Service.objects.update(waiting={})
    cancel(house, nine)
    assert waiting.offer(house.id, now=NOW) == 0
    assert state(house, entry) == "expired"


def test_the_day_passes() -> None:
    house, _ = full_salon()
    entry = join(house)
    waiting.offer(house.id, now=when(f"{DAY} 23:39"))
    assert state(house, entry) == "waiting"
    waiting.offer(house.id, now=when(f"{DAY} 23:40"))
    assert state(house, entry) == "expired"


# -- links


def test_its_link_is_its_own() -> None:
    house, [nine, _] = full_salon()
    made = joined(house)
    assert made.token.startswith("w.")
    assert links.resolve_waiting(made.token) == links.WaitingLink(house.id, made.entry.id)
    with pytest.raises(LinkUnknown):
        links.resolve(made.token)
    with pytest.raises(LinkUnknown):
        links.resolve_waiting(links.token(house.id, nine.id, 1))
    with pytest.raises(LinkUnknown):
        links.resolve_waiting("w." + links.token(house.id, nine.id, 1))
    with pytest.raises(LinkUnknown):
        links.resolve(made.token.removeprefix("w."))
    assert made.token not in repr(made)


def test_its_link_is_revoked_by_a_new_generation() -> None:
    house, _ = full_salon()
    made = joined(house)
    with shop(house.id):
        Waiting.objects.filter(id=made.entry.id).update(generation=2)
    with pytest.raises(LinkRevoked):
        links.resolve_waiting(made.token)
