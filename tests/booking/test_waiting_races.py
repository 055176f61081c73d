"""Many at once around a waiting list, each with a control that takes the protection out."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, jobs, waiting, wishes
from noren.booking.book import Booked
from noren.booking.models import Booking, Waiting
from noren.errors import AlreadyWaiting, HoldExpired, SlotTaken
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, person
from tests.booking.test_waiting import DAY, cancel, full_salon, held, join, state, states
from tests.servers import AppDatabase

ROUNDS = 8


def elsewhere(deed: Callable[[], Any]) -> None:
    """Do it on a connection of its own, and wait until it is done."""
    assert [type(answer) for answer in at_once([deed]) if isinstance(answer, BaseException)] == []


@pytest.mark.usefixtures("module_app_db")
def test_two_places_freed_at_once_go_to_the_first_two_of_three() -> None:
    for _ in range(ROUNDS):
        house, bookings = full_salon()
        entries = [join(house, now=NOW + timedelta(seconds=n)) for n in range(3)]

        def free(house: House, booking: Booking) -> int:
            cancel(house, booking)
            return waiting.offer(house.id, now=NOW)

        at_once([partial(free, house, booking) for booking in bookings])
        assert states(house, *entries) == ["offered", "offered", "waiting"]
        assert len({held(house, entry).id for entry in entries[:2]}) == 2
        assert house.findings() == []


@pytest.mark.usefixtures("module_app_db")
def test_many_passes_at_once_offer_one_place_once() -> None:
    for _ in range(ROUNDS):
        house, [nine, _] = full_salon()
        entries = [join(house) for _ in range(3)]
        cancel(house, nine)
        made = at_once([partial(waiting.offer, house.id, now=NOW)] * 6)
        assert sum(each for each in made if isinstance(each, int)) == 1, made
        assert states(house, *entries) == ["offered", "waiting", "waiting"]
        assert house.findings() == []


def run_out(house: House, hold: int, now: datetime) -> int:
    actions.expire(house.id, hold, now=now)
    return waiting.offer(house.id, now=now)


@pytest.mark.usefixtures("module_app_db")
def test_who_accepts_at_the_last_moment_has_it_or_has_not() -> None:
    for _ in range(ROUNDS * 2):
        house, [nine, _] = full_salon()
        one, two = join(house), join(house, now=NOW + timedelta(seconds=1))
        cancel(house, nine)
        waiting.offer(house.id, now=NOW)
        over = NOW + timedelta(hours=4)
        hold = held(house, one)

        deeds: list[Callable[[], Any]] = [
            partial(waiting.accept, house.id, one.id, now=over - timedelta(seconds=1)),
            partial(run_out, house, hold.id, over),
        ]
        answer, _ = at_once(deeds)
        waiting.offer(house.id, now=over)
        outcome = (type(answer), *states(house, one, two))
        assert outcome in {(Booked, "booked", "waiting"), (HoldExpired, "passed", "offered")}
        assert house.findings() == []


@pytest.mark.usefixtures("module_app_db")
def test_a_place_is_either_the_publics_or_offered() -> None:
    for _ in range(ROUNDS):
        house, [nine, _] = full_salon()
        entry = join(house)
        cancel(house, nine)
        wish = house.wish("cut", f"{DAY} 09:00")
        public = [partial(actions.hold, house.id, wish, now=NOW)] * 3
        deeds: list[Callable[[], Any]] = [partial(waiting.offer, house.id, now=NOW), *public]
        answers: list[Any] = at_once(deeds)
        won = [each for each in answers if isinstance(each, actions.Hold)]
        assert len(won) + (state(house, entry) == "offered") == 1
        assert len(won) + len([each for each in answers if isinstance(each, SlotTaken)]) == 3
        assert house.findings() == []


def joins(house: House) -> int:
    """Join eight times at once as the same person; give how many wait then."""
    who = person()
    answers = at_once([partial(join, house, who=who)] * 8)
    assert {type(each) for each in answers} <= {Waiting, AlreadyWaiting}
    with shop(house.id):
        return Waiting.objects.filter(person_id=who).count()


@pytest.mark.usefixtures("module_app_db")
def test_case_086_the_same_person_twice_at_once() -> None:
    house, _ = full_salon()
    assert [joins(house) for _ in range(ROUNDS)] == [1] * ROUNDS


def test_without_the_unique_key_both_would_wait(app_db: AppDatabase) -> None:
    house, _ = full_salon()
    with app_db.connect("owner") as conn:
        conn.execute("DROP INDEX booking_waiting_person_key")
    assert max(joins(house) for _ in range(ROUNDS)) > 1


@pytest.mark.usefixtures("module_app_db")
@pytest.mark.parametrize(
    ("snapshot", "offered"), [(True, ["waiting", "waiting"]), (False, ["waiting", "offered"])]
)
def test_what_is_freed_while_the_list_is_gone_through_passes_nobody_over(
    snapshot: bool, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes free after the first was looked at and before the second is. The control looks twice."""
    house, [nine, _] = full_salon()
    one, two = join(house), join(house)
    asked: list[Any] = []
    really = wishes.places

    def places(wish: wishes.Wish, **named: Any) -> Any:
        found = really(wish, **named)
        asked.append(wish)
        if len(asked) == 1:
            elsewhere(partial(cancel, house, nine))
        return found

    monkeypatch.setattr(wishes, "places", places)
    if not snapshot:
        monkeypatch.setattr(waiting, "_as_of_one_moment", lambda: None)
    waiting.offer(house.id, now=NOW)
    assert states(house, one, two) == offered
    if snapshot:
        waiting.offer(house.id, now=NOW)
        assert states(house, one, two) == ["offered", "waiting"]


@pytest.mark.usefixtures("module_app_db")
def test_who_joins_while_a_place_is_freed_is_offered_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who frees does not see who joins at this moment, nor she what is freed: so the job asks, afterwards."""
    house, [nine, _] = full_salon()
    joined, freed = threading.Event(), threading.Event()
    seen: list[bool] = []
    write = jobs._write

    def slowly(*those: Any) -> list[int]:
        written = write(*those)
        seen.append(Waiting.objects.exists())
        freed.set()
        joined.wait(30)
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_write", slowly)
        thread = threading.Thread(target=lambda: at_once([partial(cancel, house, nine)]))
        thread.start()
        assert freed.wait(30)
        patch.setattr(jobs, "_write", write)
        entry = join(house)
        assert waiting.offer(house.id, now=NOW) == 0, "her own job comes before the place is free"
        joined.set()
        thread.join(30)
    assert seen == [False], "who frees did not see her either"
    assert waiting.offer(house.id, date(2026, 11, 4), date(2026, 11, 6), now=NOW) == 1, (
        "the job of who freed it"
    )
    assert state(house, entry) == "offered"
