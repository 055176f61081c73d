"""After any history of a waiting list: no place is missed, nobody is passed over, every offer is a hold."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from noren.booking import actions, availability, blocks, classes, turns, waiting
from noren.booking.models import LIVE, Booking, Status, Waiting, WaitingState
from noren.errors import InThePast, NorenError, SlotFree, TooLate
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, person
from tests.servers import AppDatabase

DAY = date(2026, 11, 4)  # a Wednesday
LISTED = {"hours": 2, "stop_minutes": 30}
SERVICES = ("cut", "yoga", "gym")
Job = tuple[str, dict[str, Any]]


def studio() -> House:
    """Two stylists who cut until noon, and two classes of three seats: in one a smaller party goes first."""
    at_ten = [{"weekday": 2, "start": 600}]
    of_three = {"capacity": 3, "party_max": 2, "timetable": at_ten}
    house = found(
        {"aoi": {}, "ren": {}, "yui": {}, "mio": {}},
        {
            "cut": {
                "needs": {"staff": ["aoi", "ren"]},
                "grid": {"kind": "opening", "interval": 60},
                "waiting": LISTED,
            },
            "yoga": {"needs": {"staff": ["yui"]}, **of_three, "waiting": LISTED},
            "gym": {"needs": {"staff": ["mio"]}, **of_three, "waiting": {**LISTED, "pass_over": True}},
        },
        hours=((540, 720),),
        quiet={"from": 22 * 60, "to": 8 * 60},
    )
    classes.schedule(house.id, now=NOW)
    return house


class Listed(RuleBasedStateMachine):
    """The last hours before a busy day, lived at random. Jobs run when they are due, as in a worker."""

    queue: psycopg.Connection[Any]

    def __init__(self) -> None:
        super().__init__()
        self.house = studio()
        self.now = NOW + timedelta(hours=30)
        self.bookings: list[int] = []
        self.entries: list[int] = []
        self.blocks: list[int] = []

    # -- what people do

    @initialize()
    def it_is_full(self) -> None:
        for service in ("cut", "cut", "yoga"):
            self.join(service, None, 1, 0)

    @rule(service=st.sampled_from(SERVICES), number=st.integers(0, 9), party=st.integers(1, 2))
    def book(self, service: str, number: int, party: int) -> None:
        starts = self._offered(service, party)
        if starts:
            at = starts[number % len(starts)].at
            wish = actions.HoldRequest(self.house.services[service], at, None, self._party(service, party))
            held = actions.hold(self.house.id, wish, now=self.now)
            actions.confirm(self.house.id, held.id, person(), now=self.now, locale="ja", consent=1)
            self.bookings.append(held.id)

    @rule(
        service=st.sampled_from(SERVICES),
        hour=st.sampled_from([None, 9]),
        party=st.integers(1, 2),
        priority=st.integers(0, 1),
    )
    def join(self, service: str, hour: int | None, party: int, priority: int) -> None:
        """Join; where nobody needs to wait the public books first whatever there is."""
        at = hour if service == "cut" or hour is None else 10
        request = waiting.JoinRequest(
            self.house.services[service],
            day=DAY,
            start=None if at is None else datetime(2026, 11, 4, at - 9, tzinfo=NOW.tzinfo),
            party=self._party(service, party),
            priority=priority,
        )
        while True:
            try:
                joined = waiting.join(self.house.id, request, person(), now=self.now)
            except SlotFree:
                self.book(service, 0, 1)
            except (InThePast, TooLate):
                return
            else:
                break
        self.entries.append(joined.entry.id)
        self._work()

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        if (booking := self._some(self.bookings, number)) is not None:
            self.bookings.remove(booking)
            actions.cancel(self.house.id, booking, now=self.now, by="staff:1")
            self._work()

    @rule(number=st.integers(0, 99))
    def accept(self, number: int) -> None:
        if (entry := self._entry(number)) is None:
            return
        before = waiting.of_entry(self.house.id, entry)
        live = before.state == WaitingState.OFFERED and before.offer_ends and before.offer_ends > self.now
        try:
            booked = waiting.accept(self.house.id, entry, now=self.now)
        except NorenError:
            assert not live, "what is offered can be booked"
        else:
            assert live or before.state == WaitingState.BOOKED
            if before.state != WaitingState.BOOKED:
                self.bookings.append(booked.booking.id)

    @rule(number=st.integers(0, 99), deed=st.sampled_from([waiting.decline_offer, waiting.leave]))
    def let_go(self, number: int, deed: Callable[..., None]) -> None:
        if (entry := self._entry(number)) is not None:
            try:
                deed(self.house.id, entry, now=self.now)
            except NorenError:
                assert waiting.of_entry(self.house.id, entry).state == WaitingState.BOOKED
            self._work()

    @rule(who=st.sampled_from(["aoi", "ren"]), hour=st.integers(0, 2))
    def block(self, who: str, hour: int) -> None:
        start = datetime(2026, 11, 4, hour, tzinfo=NOW.tzinfo)
        end = start + timedelta(hours=1)
        self.blocks.append(
            blocks.block(self.house.id, self.house.resources[who], start, end, now=self.now, by="staff:1")
        )

    @rule(number=st.integers(0, 99))
    def unblock(self, number: int) -> None:
        if (block := self._some(self.blocks, number)) is not None:
            self.blocks.remove(block)
            blocks.unblock(self.house.id, block)
            self._work()

    @rule(minutes=st.integers(1, 150))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._work()

    # -- what must be true

    @invariant()
    def nothing_is_amiss(self) -> None:
        assert self.house.findings() == []

    @invariant()
    def no_place_is_missed(self) -> None:
        with shop(self.house.id):
            assert turns.following(DAY, DAY, now=self.now, refused=set()) is None

    @invariant()
    def every_offer_is_a_hold_that_ends_in_time(self) -> None:
        with shop(self.house.id):
            for entry in Waiting.objects.filter(state=WaitingState.OFFERED):
                hold = Booking.objects.get(id=entry.hold_id or 0)
                assert (hold.status, hold.expires_at, hold.party) == (
                    Status.HELD,
                    entry.offer_ends,
                    entry.party,
                )
                assert hold.expires_at is not None
                assert self.now < hold.expires_at <= hold.start - timedelta(minutes=30)
                assert entry.start in (None, hold.start)

    @invariant()
    def nobody_is_passed_over(self) -> None:
        """Of those who wait for quite the same, who is offered a place comes before who still waits."""
        with shop(self.house.id):
            rows = list(Waiting.objects.filter(state__in=LIVE).order_by("-priority", "joined_at", "id"))
        still: set[tuple[Any, ...]] = set()
        for row in rows:
            wish = (row.service_id, row.start, row.party, row.priority)
            assert row.state == WaitingState.WAITING or wish not in still
            if row.state == WaitingState.WAITING:
                still.add(wish)

    def teardown(self) -> None:
        """Everybody goes: nothing may be left."""
        for entry in self.entries:
            if waiting.of_entry(self.house.id, entry).state in LIVE:
                waiting.leave(self.house.id, entry, now=self.now)
        for booking in self.bookings:
            actions.cancel(self.house.id, booking, now=self.now, by="staff:1")
        for block in self.blocks:
            blocks.unblock(self.house.id, block)
        assert self.house.findings() == []
        with shop(self.house.id):
            assert not Booking.objects.filter(takes=True).exists()
            assert not Waiting.objects.filter(state__in=LIVE).exists()

    # -- how

    def _offered(self, service: str, party: int) -> tuple[availability.Start, ...]:
        return availability.month(
            self.house.id,
            self.house.services[service],
            DAY,
            DAY,
            now=self.now,
            staff=None,
            party=self._party(service, party),
        ).days.get(DAY, ())

    def _party(self, service: str, party: int) -> int:
        return 1 if service == "cut" else party

    def _some(self, those: list[int], number: int) -> int | None:
        return those[number % len(those)] if those else None

    def _entry(self, number: int) -> int | None:
        """Choose among those with an offer, if there are any."""
        with shop(self.house.id):
            offered = list(
                Waiting.objects.filter(state=WaitingState.OFFERED).order_by("id").values_list("id", flat=True)
            )
        return self._some(offered or self.entries, number)

    def _work(self) -> None:
        """Run the jobs that are due, in order, and those that they write."""
        while jobs := self._due():
            for task, args in jobs:
                if task.endswith(".expire"):
                    actions.expire(self.house.id, args["booking_id"], now=self.now)
                elif task.endswith(".offer"):
                    first, last = (date.fromisoformat(args[each]) for each in ("first", "last"))
                    waiting.offer(self.house.id, first, last, now=self.now)

    def _due(self) -> list[Job]:
        """Take the due jobs of this shop from the queue."""
        due = self.queue.execute(
            "WITH due AS (DELETE FROM procrastinate_jobs WHERE (args->>'shop_id')::bigint = %s "
            "AND (scheduled_at IS NULL OR scheduled_at <= %s) RETURNING id, task_name, args) "
            "SELECT task_name, args FROM due ORDER BY id",
            [self.house.id, self.now],
        ).fetchall()
        self.queue.commit()
        return due


def test_after_any_history(module_app_db: AppDatabase) -> None:
    with module_app_db.connect("owner") as conn:
        _live(conn)


def _live(conn: psycopg.Connection[Any]) -> None:
    class Lived(Listed):
        queue = conn

    run_state_machine_as_test(
        Lived,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
