"""After any history the sheets equal the claims; what is offered can be booked, and nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from noren.booking import actions, availability, blocks
from noren.booking.models import Booking, Status
from noren.errors import HoldExpired, NorenError
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, person
from tests.clocks import FROZEN

DAY = date(2026, 11, 4)
SERVICES = ("colour", "cut", "court", "hall", "kit")
# Whom they share serves both; a court and the hall of which it is a part come one after the other.
VISITS = ("colour cut", "kit cut", "hall court")


def parlour(policy: str, zone: str) -> House:
    """Everything that makes sheets interesting: buffers, segments, a stock of three, a hall of two courts."""
    return found(
        {
            "aoi": {},
            "ren": {},
            "chair": {"kind": "chair"},
            "a": {"kind": "court"},
            "b": {"kind": "court"},
            "hall": {"kind": "court", "parts": ["a", "b"]},
            "kit": {"kind": "equipment", "stock": 3},
        },
        {
            "colour": {
                "needs": {"staff": ["aoi", "ren"], "chair": ["chair"]},
                "segments": [
                    {"minutes": 30, "roles": ["staff", "chair"]},
                    {"minutes": 30, "roles": ["chair"]},
                    {"minutes": 30, "roles": ["staff", "chair"]},
                ],
                "before": 10,
                "after": 20,
            },
            "cut": {"needs": {"staff": ["aoi", "ren"]}, "minutes": 45, "after": 15},
            "court": {"needs": {"court": ["a", "b"]}, "after": 10},
            "hall": {"needs": {"court": ["hall"]}, "minutes": 120},
            "kit": {"needs": {"kit": {"pool": ["kit"], "units": 2}}, "minutes": 90, "before": 5},
        },
        hours=((0, 1440),),
        buffer_policy=policy,
        zone=zone,
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC: minutes added to it are real ones."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


class History(RuleBasedStateMachine):
    """A day of a shop, lived at random. The clock goes on by itself."""

    make: Callable[[], House]
    day: date = DAY
    begin: datetime = NOW

    def __init__(self) -> None:
        super().__init__()
        self.house = type(self).make()
        self.now = self.begin
        self.holds: list[int] = []
        self.bookings: list[int] = []
        self.blocks: list[int] = []

    def offered(self, service: str) -> tuple[availability.Start, ...]:
        first, *also = self.house.named(service)
        return tuple(
            start
            for starts in availability.month(
                self.house.id, first, self.day, self.day, now=self.now, staff=None, also=tuple(also)
            ).days.values()
            for start in starts
        )

    def wish(self, service: str, start: datetime) -> actions.HoldRequest:
        first, *also = self.house.named(service)
        return actions.HoldRequest(first, start, None, 1, also=tuple(also))

    def some(self, those: list[int], number: int) -> int | None:
        return those[number % len(those)] if those else None

    @rule(service=st.sampled_from(SERVICES + VISITS), number=st.integers(0, 60))
    def hold_what_is_offered(self, service: str, number: int) -> None:
        starts = self.offered(service)
        if starts:
            start = starts[number % len(starts)]
            held = actions.hold(self.house.id, self.wish(service, start.at), now=self.now)
            self.holds.append(held.id)

    @rule(service=st.sampled_from(SERVICES + VISITS), minute=st.integers(0, 1439))
    def hold_anything(self, service: str, minute: int) -> None:
        zone = ZoneInfo(self.house.zone)
        start = (midnight(self.day, zone) + timedelta(minutes=minute)).astimezone(zone)
        among = start.timestamp() in {each.stamp for each in self.offered(service)}
        try:
            held = actions.hold(self.house.id, self.wish(service, start), now=self.now)
        except NorenError:
            assert not among, "what is offered can be booked"
        else:
            assert among, "what is not offered cannot be booked"
            self.holds.append(held.id)

    @rule(number=st.integers(0, 99))
    def confirm(self, number: int) -> None:
        if (hold := self.some(self.holds, number)) is not None:
            try:
                actions.confirm(self.house.id, hold, person(), now=self.now, locale="ja", consent=1)
            except HoldExpired:
                return  # its claims stay until somebody sweeps them or its job ends it
            self.holds.remove(hold)
            self.bookings.append(hold)

    @rule(number=st.integers(0, 99))
    def release(self, number: int) -> None:
        if (hold := self.some(self.holds, number)) is not None:
            self.holds.remove(hold)
            actions.release(self.house.id, hold, now=self.now)

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        if (booking := self.some(self.bookings, number)) is not None:
            self.bookings.remove(booking)
            actions.cancel(self.house.id, booking, now=self.now, by="staff:1")

    @rule(number=st.integers(0, 99), shift=st.integers(-8, 8))
    def move(self, number: int, shift: int) -> None:
        if (booking_id := self.some(self.bookings, number)) is not None:
            booking = self.house.booking(booking_id)
            start = booking.start + timedelta(minutes=15 * shift)
            try:
                actions.move(self.house.id, booking_id, start, None, now=self.now, by="staff:1")
            except NorenError:
                assert self.house.booking(booking_id).start == booking.start

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(number=st.integers(0, 99))
    def expire(self, number: int) -> None:
        if (hold := self.some(self.holds, number)) is not None:
            actions.expire(self.house.id, hold, now=self.now)

    @rule(who=st.sampled_from(["aoi", "hall", "kit"]), hour=st.integers(0, 22), minutes=st.integers(1, 600))
    def block(self, who: str, hour: int, minutes: int) -> None:
        start = datetime(self.day.year, self.day.month, self.day.day, hour, tzinfo=ZoneInfo("UTC"))
        end = start + timedelta(minutes=minutes)
        block = blocks.block(
            self.house.id, self.house.resources[who], start, end, now=self.now, by="staff:1", reason="pause"
        )
        self.blocks.append(block)

    @rule(number=st.integers(0, 99))
    def unblock(self, number: int) -> None:
        if (block := self.some(self.blocks, number)) is not None:
            self.blocks.remove(block)
            blocks.unblock(self.house.id, block)

    @invariant()
    def the_sheets_equal_the_claims(self) -> None:
        assert self.house.findings() == []

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        """Of one member of staff, two bookings whose services need her throughout never overlap."""
        with shop(self.house.id):
            cuts = Booking.objects.filter(status=Status.CONFIRMED, service_id=self.house.services["cut"])
            rows = list(cuts.exclude(agreed__has_key="parts").order_by("staff_id", "start"))
        for one, two in pairwise(rows):
            assert one.staff_id != two.staff_id or one.end <= two.start

    def teardown(self) -> None:
        """Give everything back: nothing may be left."""
        for hold in self.holds:
            actions.release(self.house.id, hold, now=self.now)
        for booking in self.bookings:
            actions.cancel(self.house.id, booking, now=self.now, by="staff:1")
        for block in self.blocks:
            blocks.unblock(self.house.id, block)
        assert self.house.findings() == []
        assert self.house.sheet_rows() == 0


def live(machine: type[History], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("module_app_db")
@pytest.mark.parametrize("policy", ["shared", "added"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_after_any_history(policy: str, zone: str) -> None:
    class Lived(History):
        make = staticmethod(lambda: parlour(policy, zone))

    live(Lived, examples=8, steps=30)


@pytest.mark.usefixtures("module_app_db")
@pytest.mark.parametrize(("zone", "on"), FROZEN)
def test_case_029_after_any_history_on_any_date(zone: str, on: str) -> None:
    """The day itself is lived, from half an hour before it on."""
    lived_on = date.fromisoformat(on)

    class Lived(History):
        make = staticmethod(lambda: parlour("shared", zone))
        day = lived_on
        begin = midnight(lived_on, ZoneInfo(zone)) - timedelta(minutes=30)

    live(Lived, examples=2, steps=25)
