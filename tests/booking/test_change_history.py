"""No change of the rules ever loses a booking, leaves one unseen, or leaves the doctor discontent."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from noren.booking import blocks, changes, classes, impact, resettle
from noren.booking.blocks import Over
from noren.booking.changes import Choice
from noren.booking.models import Booking
from noren.engine.standing import Judge
from noren.errors import ChangeTouchesBookings, NorenError
from noren.shops.models import OpeningHours, Override, Resource, Service
from noren.shops.rules import known
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, when
from tests.booking.test_classes import WEDNESDAY
from tests.booking.test_impact import snapshot

DAY = date(2026, 11, 4)
"""A Wednesday."""
CHOICES = st.sampled_from(Choice)


def house_of_all() -> House:
    house = found(
        {"aoi": {}, "ren": {}, "hall": {"kind": "room"}, "kit": {"kind": "equipment", "stock": 3}},
        {
            "cut": {"needs": {"staff": ["aoi", "ren"]}, "minutes": 45, "after": 15},
            "kit": {"needs": {"kit": ["kit"]}, "minutes": 90},
            "yoga": {
                "needs": {"staff": ["aoi"], "room": ["hall"]},
                "capacity": 4,
                "party_max": 3,
                "timetable": [{"weekday": WEDNESDAY, "start": 600}, {"weekday": WEDNESDAY, "start": 960}],
            },
        },
        holiday_rule="closed",
    )
    classes.schedule(house.id, now=NOW)
    return house


class Changes(RuleBasedStateMachine):
    """Bookings are made, and the rules are changed under them."""

    def __init__(self) -> None:
        super().__init__()
        self.house = house_of_all()
        self.made: dict[int, str] = {}
        """What became of each booking, as far as anybody has chosen."""
        self.looked_at: set[int] = set()
        """Those that somebody has kept as they are, whatever the rules say."""

    def change(self, write: Callable[[], bool], choice: Choice) -> None:
        before = snapshot(self.house)
        try:
            changes.change(self.house.id, write, now=NOW, by="staff:1")
        except ChangeTouchesBookings as refusal:
            assert snapshot(self.house) == before, "nothing is saved before it is chosen"
            touched = [each.booking_id for each in refusal.facts["touched"]]
        else:
            return
        done = changes.change(self.house.id, write, choice, now=NOW, by="staff:1")
        assert [each.booking_id for each in done.touched] == touched
        for booking_id in touched:
            if choice.cancels:
                self.made[booking_id] = "cancelled"
            elif choice.moves:
                resettle.move_waiting(self.house.id, booking_id, now=NOW)

    @rule(service=st.sampled_from(["cut", "kit", "yoga"]), number=st.integers(0, 40), party=st.integers(1, 3))
    def book(self, service: str, number: int, party: int) -> None:
        party = party if service == "yoga" else 1
        starts = self.house.starts(service, f"{DAY}", party=party)
        if starts:
            booking = self.house.book(service, f"{DAY} {starts[number % len(starts)]}", party=party)
            self.made[booking.id] = "confirmed"

    @rule(first=st.integers(8, 13), last=st.integers(13, 20), choice=CHOICES)
    def change_hours(self, first: int, last: int, choice: Choice) -> None:
        weekly = [[[first * 60, last * 60]]] * 7
        self.change(lambda: bool(OpeningHours.objects.update(weekly=weekly)), choice)

    @rule(shut=st.booleans(), choice=CHOICES)
    def close_or_open_the_day(self, shut: bool, choice: Choice) -> None:
        def write() -> bool:
            Override.objects.all().delete()
            if shut:
                Override.objects.create(date=DAY, ranges=[])
            return True

        self.change(write, choice)

    @rule(who=st.sampled_from(["aoi", "ren", "hall", "kit"]), there=st.booleans(), choice=CHOICES)
    def retire_or_return(self, who: str, there: bool, choice: Choice) -> None:
        self.change(lambda: bool(Resource.objects.filter(key=who).update(bookable=there)), choice)

    @rule(stock=st.integers(1, 4), choice=CHOICES)
    def change_the_stock(self, stock: int, choice: Choice) -> None:
        self.change(lambda: bool(Resource.objects.filter(key="kit").update(stock=stock)), choice)

    @rule(seats=st.integers(1, 5), choice=CHOICES)
    def change_the_seats(self, seats: int, choice: Choice) -> None:
        self.change(lambda: bool(Service.objects.filter(key="yoga").update(capacity=seats)), choice)

    @rule(needs=st.sampled_from([["aoi"], ["ren"], ["aoi", "ren"]]), choice=CHOICES)
    def change_who_cuts(self, needs: list[str], choice: Choice) -> None:
        pool = [self.house.resources[each] for each in needs]
        requirements = [{"role": "staff", "pool": pool}]
        self.change(lambda: bool(Service.objects.filter(key="cut").update(requirements=requirements)), choice)

    @rule(who=st.sampled_from(["aoi", "ren"]), hour=st.integers(8, 18), over=st.sampled_from(Over))
    def black_out(self, who: str, hour: int, over: Over) -> None:
        start = when(f"{DAY} {hour:02}:00")
        span = [(start, start + timedelta(hours=2))]
        with suppress(ChangeTouchesBookings):
            (done,) = blocks.blackout(
                self.house.id, self.house.resources[who], span, now=NOW, by="staff:1", over=over
            )
            if over is Over.CANCEL:
                self.made |= dict.fromkeys((each.booking_id for each in done.touched), "cancelled")

    @rule(number=st.integers(0, 99), to=st.sampled_from(["aoi", "ren"]))
    def reassign(self, number: int, to: str) -> None:
        standing = sorted(each for each, status in self.made.items() if status == "confirmed")
        if standing:
            with suppress(NorenError):
                booking_id = standing[number % len(standing)]
                resettle.reassign(self.house.id, booking_id, self.house.resources[to], now=NOW, by="staff:1")

    @invariant()
    def none_is_lost(self) -> None:
        with shop(self.house.id):
            there = dict(Booking.objects.values_list("id", "status"))
        assert there == self.made

    @invariant()
    def none_stands_unseen_where_it_would_not_be_offered(self) -> None:
        with shop(self.house.id):
            judge = Judge(known().rules)
            future = impact.future(NOW)
            unseen = [
                row.id
                for row in future.bookings
                if not row.attention
                and row.id not in self.looked_at
                and judge.lacks(impact.standing(row, future.claims(row)))
            ]
        assert unseen == [], "some stand unseen"

    @invariant()
    def the_doctor_is_content(self) -> None:
        assert self.house.findings() == []


def live(max_examples: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Changes,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=25,
            phases=tuple(phases),
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("module_app_db")
def test_after_any_changes() -> None:
    live(12)


@pytest.mark.usefixtures("module_app_db")
def test_control_without_the_look_bookings_stand_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same histories, the rules changed without looking at what they touch."""
    monkeypatch.setattr(impact, "compare", lambda *_args: impact.Impact())
    with pytest.raises(AssertionError, match="unseen"):
        live(12, [Phase.generate])
