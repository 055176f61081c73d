"""Whatever is changed, decided and stopped while bookings follow: none is lost, or done twice, or unseen."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from noren.booking import actions, changes, following, resettle, work
from noren.booking.changes import Choice
from noren.booking.models import Booking, Event, LineState, Work, WorkLine, WorkState
from noren.errors import ChangeTouchesBookings, NorenError
from noren.shops.tenancy import shop
from tests.booking.scene import NOW
from tests.booking.test_change_history import Changes


class Following(Changes):
    """As there, but all that is moved or cancelled follows by steps, which stop and go on."""

    def change(self, write: Callable[[], bool], choice: Choice) -> None:
        try:
            changes.change(self.house.id, write, now=NOW, by="staff:1")
        except ChangeTouchesBookings:
            changes.change(self.house.id, write, choice, now=NOW, by="staff:1")

    def works(self, *states: WorkState) -> list[int]:
        with shop(self.house.id):
            return list(Work.objects.filter(state__in=states).order_by("id").values_list("id", flat=True))

    @rule()
    def step(self) -> None:
        for each in self.works(WorkState.RUNNING):
            work.step(self.house.id, each, now=NOW)

    @rule()
    def stop_all(self) -> None:
        for each in self.works(WorkState.RUNNING):
            work.stop(self.house.id, each)

    @rule()
    def go_on_to_the_end(self) -> None:
        for each in self.works(WorkState.STOPPED):
            work.resume(self.house.id, each)
        for _ in range(50):
            self.step()
        assert self.works(WorkState.RUNNING) == []
        with shop(self.house.id):
            assert not WorkLine.objects.filter(state=LineState.WAITING).exists()

    @rule(number=st.integers(0, 99))
    def keep(self, number: int) -> None:
        with suppress(NorenError):
            booking_id = self.any_of(number)
            actions.keep(self.house.id, booking_id, now=NOW, by="staff:2")
            self.looked_at.add(booking_id)

    @rule(hours=st.lists(st.integers(8, 18), min_size=3, max_size=8))
    def book_many(self, hours: list[int]) -> None:
        for at in hours:
            self.book("cut", at * 3, 1)

    @rule(shut=st.booleans(), choice=st.sampled_from([Choice.MOVE, Choice.CANCEL]), number=st.integers(0, 99))
    def decide_in_the_middle(self, choice: Choice, number: int, *, shut: bool) -> None:
        self.close_or_open_the_day(shut, choice)
        self.step()
        self.keep(number)
        self.step()

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        with suppress(NorenError):
            actions.cancel(self.house.id, self.any_of(number), now=NOW, by="staff:2")

    @rule(number=st.integers(0, 99))
    def move(self, number: int) -> None:
        with suppress(NorenError):
            resettle.move_nearest(self.house.id, self.any_of(number), now=NOW, by="staff:2")

    def any_of(self, number: int) -> int:
        """One that waits for a look, while there is any."""
        with shop(self.house.id):
            waiting = list(Booking.objects.exclude(attention="").order_by("id").values_list("id", flat=True))
        ids = waiting or sorted(self.made)
        return ids[number % len(ids)] if ids else 0

    @invariant()
    def none_is_lost(self) -> None:
        with shop(self.house.id):
            there = dict(Booking.objects.values_list("id", "status"))
            ended = Counter(Event.objects.filter(what="cancelled").values_list("booking_id", flat=True))
        assert there.keys() == self.made.keys()
        assert set(there.values()) <= {"confirmed", "cancelled"}
        assert ended == {each: 1 for each, status in there.items() if status == "cancelled"}

    @invariant()
    def what_is_marked_as_done_was_done(self) -> None:
        with shop(self.house.id):
            lines = list(WorkLine.objects.filter(state=LineState.MADE))
            found = Booking.objects.in_bulk([line.booking_id for line in lines])
            rows = Event.objects.filter(what="moved", why="rules", by="staff:1")
            moves = Counter(rows.values_list("booking_id", flat=True))
        done = Counter(line.booking_id for line in lines if not Choice(line.choice).cancels)
        assert moves == done, "a move that was not made, or made twice"
        for line in lines:
            assert found[line.booking_id or 0].status == "cancelled" or not Choice(line.choice).cancels

    @invariant()
    def nobody_who_has_decided_is_overruled(self) -> None:
        with shop(self.house.id):
            rows = Event.objects.filter(what__in=["touched", "kept", "fits_again", "moved", "cancelled"])
            events = list(rows.exclude(what="moved", why="staff").order_by("id"))
        open_: set[int] = set()
        """Those of whom a change has said last what becomes of them."""
        for each in events:
            if each.what == "touched":
                open_.add(each.booking_id)
                continue
            if each.what in ("moved", "cancelled") and each.by == "staff:1":
                assert each.booking_id in open_, "somebody is overruled"
            open_.discard(each.booking_id)

    @invariant()
    def who_waits_for_a_step_has_one_answer(self) -> None:
        with shop(self.house.id):
            rows = WorkLine.objects.filter(state=LineState.WAITING)
            answers = Counter(rows.values_list("booking_id", flat=True))
        assert set(answers.values()) <= {1}


def live(max_examples: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Following,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=30,
            phases=tuple(phases),
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def _all_by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "AT_ONCE", 0)
    monkeypatch.setattr(work, "LINES_A_STEP", 2)


@pytest.mark.usefixtures("module_app_db")
def test_after_any_changes_and_steps() -> None:
    live(15, [Phase.generate])


@pytest.mark.usefixtures("module_app_db")
def test_control_a_step_that_asks_nothing_overrules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same histories, each line done whatever has become of its booking since."""
    monkeypatch.setattr(following, "_over", lambda *_args: "")
    with pytest.raises(AssertionError, match="overruled"):
        live(15, [Phase.generate])
