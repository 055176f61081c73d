"""Whatever becomes of random series, the sheets equal the claims; and what is reported is what is held."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from noren.booking import actions, series
from noren.booking.models import Booking, Status
from noren.booking.report import Mode, SeriesRequest
from noren.engine.series import Rhythm, Unit
from noren.errors import AlreadyCancelled, HoldExpired, NorenError, SeriesNotFree
from noren.shops.tenancy import shop
from tests.booking.scene import House, person
from tests.booking.test_history import SERVICES, parlour

RHYTHMS = st.builds(Rhythm, st.sampled_from(Unit), st.integers(1, 2), st.integers(1, 5))


class Series(RuleBasedStateMachine):
    """A shop in the weeks of a clock change. The clock goes on by itself."""

    house: ClassVar[House]
    begin: ClassVar[datetime]

    def __init__(self) -> None:
        super().__init__()
        self.now = self.begin
        self.held: list[int] = []
        self.booked: list[int] = []

    def rows(self, series_id: int) -> list[Booking]:
        with shop(self.house.id):
            return list(Booking.objects.filter(series_id=series_id).order_by("start"))

    def tried(self, wanted: SeriesRequest) -> series.HeldSeries | SeriesNotFree:
        try:
            return series.hold_series(self.house.id, wanted, now=self.now)
        except SeriesNotFree as refused:
            return refused

    @rule(
        service=st.sampled_from(SERVICES),
        minute=st.integers(0, 3 * 96).map(lambda quarter: quarter * 15),
        rhythm=RHYTHMS,
        mode=st.sampled_from(Mode),
    )
    def hold(self, service: str, minute: int, rhythm: Rhythm, mode: Mode) -> None:
        start = self.begin + timedelta(days=1, minutes=minute)
        wanted = SeriesRequest(self.house.services[service], None, 1, (start,), rhythm, mode)
        seen = series.look(self.house.id, wanted, now=self.now)
        free = [line.wanted for line in seen if not line.refusal]
        near = [line.nearest for line in seen if line.nearest is not None]
        held = self.tried(wanted)
        if not isinstance(held, series.HeldSeries):
            assert held.facts["report"] == seen
            assert not free or (mode is Mode.ALL_OR_NOTHING and len(free) < len(seen))
            return
        rows = self.rows(held.id)
        taken = {Mode.SKIP: free, Mode.NEAREST: free + near, Mode.ALL_OR_NOTHING: free}[mode]
        assert [row.start for row in rows] == sorted(taken)
        assert all(one.end <= two.start for one, two in pairwise(rows)), "two of a series at one time"
        assert mode is not Mode.ALL_OR_NOTHING or len(rows) == len(seen)
        walls = {row.wall[11:] for row in rows if row.start in free}
        assert len(walls) <= 1, "the wall time has changed"
        self.held.append(held.id)

    @rule(number=st.integers(0, 99))
    def confirm(self, number: int) -> None:
        if not self.held:
            return
        key = self.held.pop(number % len(self.held))
        try:
            series.confirm_series(self.house.id, key, person(), now=self.now, locale="ja", consent=1)
        except HoldExpired:
            assert {row.status for row in self.rows(key)} <= {Status.HELD, Status.EXPIRED, Status.RELEASED}
        else:
            assert {row.status for row in self.rows(key)} == {Status.CONFIRMED}
            self.booked.append(key)

    @rule(number=st.integers(0, 99))
    def release(self, number: int) -> None:
        if self.held:
            key = self.held.pop(number % len(self.held))
            series.release_series(self.house.id, key, now=self.now)
            assert not any(row.takes for row in self.rows(key))

    @rule(number=st.integers(0, 99), days=st.integers(0, 30))
    def cancel_the_rest(self, number: int, days: int) -> None:
        if self.booked:
            key, since = self.booked[number % len(self.booked)], self.begin + timedelta(days=days)
            try:
                gone = series.cancel_rest(self.house.id, key, since, now=self.now, by="staff:1")
            except AlreadyCancelled:
                gone = []
            rows = self.rows(key)
            assert not any(row.takes and row.start >= since for row in rows)
            assert all(row.start >= since for row in gone)

    @rule(number=st.integers(0, 99), minutes=st.integers(-200, 200))
    def move_one(self, number: int, minutes: int) -> None:
        if self.booked:
            rows = self.rows(self.booked[number % len(self.booked)])
            row, others = rows[number % len(rows)], [each.id for each in rows]
            start = row.start + timedelta(minutes=minutes)
            before = {each.id: each.start for each in rows if each.id != row.id}
            with suppress(NorenError):
                actions.move(self.house.id, row.id, start, None, now=self.now, by="staff:1")
            after = {each.id: each.start for each in self.rows(rows[0].series_id or 0) if each.id != row.id}
            assert (before, sorted(others)) == (after, sorted([*after, row.id]))

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_sheets_equal_the_claims(self) -> None:
        assert self.house.findings() == []

    def teardown(self) -> None:
        """After everything is given back no sheet is left."""
        with shop(self.house.id):
            rows = list(Booking.objects.filter(takes=True))
        for row in rows:
            if row.status == Status.HELD:
                actions.release(self.house.id, row.id, now=self.now)
            else:
                actions.cancel(self.house.id, row.id, now=self.now, by="staff:1")
        assert self.house.findings() == []
        assert self.house.sheet_rows() == 0


@pytest.mark.parametrize(
    ("policy", "zone", "day"),
    [
        ("shared", "Asia/Tokyo", "2026-11-02"),
        ("added", "America/New_York", "2026-10-25"),
        ("shared", "Australia/Lord_Howe", "2026-09-27"),
    ],
)
@pytest.mark.usefixtures("module_app_db")
def test_any_series(policy: str, zone: str, day: str) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    house = parlour(policy, zone)
    machine = type("Machine", (Series,), {"house": house, "begin": begin})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
