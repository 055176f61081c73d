"""Two records joined: the bookings follow, whoever books meanwhile; a crash between halves is made good."""

import threading
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from noren import errors, people
from noren.booking import actions, book, desk, doctor, jobs, merging, persons, series, waiting
from noren.booking.models import Booking, Merge, MergeState, Waiting, WaitingState
from noren.booking.report import SeriesRequest
from noren.people import card
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.accounts.house import staffed
from tests.booking.rush import at_once, before_first, met, until_somebody_waits, without
from tests.booking.scene import NOW, House, salon, when
from tests.servers import AppDatabase, Sink, VaultProcess

BY = "staff:owner.salon"
SHARED = (
    "PERFORM pg_advisory_xact_lock_shared(hashtextextended(concat_ws(' ', 'person', p_shop, p_person), 0));"
)


@pytest.fixture(scope="module")
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> tuple[House, str]:
    """A shop of four stylists whose owner is signed in."""
    assert module_app_db
    assert module_vault
    made = salon(4)
    with shop(made.id), change():
        Service.objects.filter(id=made.services["cut"]).update(waiting={"hours": 4})
    return made, staffed(made.id, made.slug, module_mail)["owner"].grant


def guest(made: House, number: int, at: str) -> tuple[UUID, Booking]:
    """Somebody who has booked, kept in the vault."""
    person = people.put(made.id, f"guest-{number}", {"name": f"客{number}", "mail": f"g{number}@example.jp"})
    people.keep(made.id, person)
    return person, booked(made, person, at)


def booked(made: House, person: UUID, at: str) -> Booking:
    held = made.hold("cut", at)
    return actions.confirm(made.id, held.id, person, now=NOW, locale="ja", consent=1)


def whose(made: House, *bookings: Booking) -> set[UUID | None]:
    return {made.booking(each.id).person_id for each in bookings}


def whole(made: House) -> None:
    assert doctor.of_shop(made.id) == []
    assert doctor.merges(made.id) == []


def test_bookings_and_places_go_over_and_come_back(house: tuple[House, str]) -> None:
    """Also what was booked as the other since; what was given to somebody else meanwhile stays with her."""
    made, grant = house
    (kept, first), (double, second) = (guest(made, n, f"2026-11-03 1{n}:00") for n in (0, 1))
    third, away = booked(made, double, "2026-11-03 12:00"), guest(made, 2, "2026-11-03 13:00")
    row = merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    assert merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY).id == row.id
    assert whose(made, first, second, third) == {kept}
    late = booked(made, double, "2026-11-03 14:00")
    assert late.person_id == kept
    assert persons.kept_of(made.id, double) == kept
    desk.comes_instead(made.id, third.id, away[0], told=False, now=NOW, by=BY)
    whole(made)
    for _ in range(2):
        merging.undo(made.id, row.id, grant=grant, now=NOW, by=BY)
    assert whose(made, first) == {kept}
    assert whose(made, second, late) == {double}
    assert whose(made, third) == {away[0]}
    assert booked(made, double, "2026-11-03 15:00").person_id == double
    whole(made)


def test_nobody_waits_twice_for_the_same(house: tuple[House, str]) -> None:
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-04 1{n - 10}:00")[0] for n in (10, 11))
    at = when("2026-11-04 16:00")
    for number in range(4):
        booked(made, guest(made, 20 + number, f"2026-11-05 1{number}:00")[0], "2026-11-04 16:00")
    wish = waiting.JoinRequest(made.services["cut"], start=at)
    mine, hers = (waiting.join(made.id, wish, each, now=NOW).entry for each in (kept, double))
    merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    with shop(made.id):
        states = {each.id: each.state for each in Waiting.objects.filter(person_id=kept)}
    assert states == {mine.id: WaitingState.WAITING, hers.id: WaitingState.LEFT}
    with pytest.raises(errors.AlreadyWaiting):
        waiting.join(made.id, wish, double, now=NOW)
    whole(made)


class Crash(BaseException):
    """The process ends here."""


def _crash(*_args: Any, **_kwargs: Any) -> None:
    raise Crash


@pytest.mark.parametrize("after", [True, False])
def test_a_crash_between_the_halves_is_made_good(
    house: tuple[House, str], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Ended before the vault's half nothing has happened; ended after it the job does the rest."""
    made, grant = house
    base = 30 if after else 40
    (kept, first), (double, second) = (
        guest(made, base + n, f"2026-11-{6 if after else 7:02} 1{n}:00") for n in (0, 1)
    )
    with monkeypatch.context() as patch:
        patch.setattr(merging, "finish", _crash) if after else patch.setattr(card, "merge", _crash)
        with pytest.raises(Crash):
            merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    with shop(made.id):
        row = Merge.objects.get(double=double)
    assert row.state == MergeState.MERGING
    assert whose(made, second) == {double}
    for _ in range(2):
        merging.follow(made.id, row.id, now=NOW + timedelta(minutes=3))
    assert whose(made, first) == {kept}
    assert whose(made, second) == {kept if after else double}
    with shop(made.id):
        row.refresh_from_db()
    assert row.state == (MergeState.MERGED if after else MergeState.DROPPED)
    whole(made)
    if not after:
        merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    _undone(made, grant, double, second, monkeypatch, after=after)


def _undone(
    made: House, grant: str, double: UUID, second: Booking, patches: pytest.MonkeyPatch, *, after: bool
) -> None:
    """The same of its undoing."""
    with shop(made.id):
        row = Merge.objects.get(double=double, state=MergeState.MERGED)
    with patches.context() as patch:
        patch.setattr(merging, "finish_undo", _crash) if after else patch.setattr(card, "unmerge", _crash)
        with pytest.raises(Crash):
            merging.undo(made.id, row.id, grant=grant, now=NOW, by=BY)
    merging.follow(made.id, row.id, now=NOW + timedelta(minutes=3))
    assert whose(made, second) == ({double} if after else {row.kept})
    whole(made)


def test_a_vault_that_is_away_leaves_it_to_the_job(
    house: tuple[House, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether it was done: the job asks; a refusal is the end of it."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-09 1{n - 50}:00")[0] for n in (50, 51))
    with monkeypatch.context() as patch:
        merge = card.merge

        def lost(*args: Any) -> None:
            merge(*args)
            raise errors.VaultUnavailable

        patch.setattr(card, "merge", lost)
        with pytest.raises(errors.VaultUnavailable):
            merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    assert merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY).state == MergeState.MERGED
    with pytest.raises(errors.MergeRefused):
        merging.merge(made.id, kept, guest(made, 52, "2026-11-09 15:00")[0], [], grant=grant, now=NOW, by=BY)
    whole(made)


def test_a_booking_that_the_double_makes_meanwhile_is_brought_over(
    house: tuple[House, str], monkeypatch: pytest.MonkeyPatch, module_app_db: AppDatabase
) -> None:
    """Who confirms holds the person; joining waits for it and sees the booking."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-10 1{n - 60}:00")[0] for n in (60, 61))
    held = made.hold("cut", "2026-11-10 14:00")
    confirm = partial(actions.confirm, made.id, held.id, double, now=NOW, locale="ja", consent=1)
    merge = partial(merging.merge, made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    answers = met(module_app_db, monkeypatch, "noren.booking.jobs.booked", confirm, merge)
    assert [type(each) for each in answers] == [Booking, Merge]
    assert made.booking(held.id).person_id == kept
    whole(made)


def test_without_the_lock_it_would_be_left_behind(
    house: tuple[House, str], monkeypatch: pytest.MonkeyPatch, module_app_db: AppDatabase
) -> None:
    """The control: the race that the lock prevents is there, and the doctor sees what it leaves."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-11 1{n - 70}:00")[0] for n in (70, 71))
    held = made.hold("cut", "2026-11-11 14:00")
    merge = partial(merging.merge, made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    with without(module_app_db, "booking_person", (SHARED, "")):
        before_first(monkeypatch, "noren.booking.jobs.booked", merge, jobs.booked)
        actions.confirm(made.id, held.id, double, now=NOW, locale="ja", consent=1)
    assert made.booking(held.id).person_id == double
    [finding] = doctor.of_shop(made.id)
    assert finding.what == "merge_not_followed"
    with shop(made.id):
        Booking.objects.filter(id=held.id).update(person_id=kept)


def test_many_join_and_book_at_once(house: tuple[House, str]) -> None:
    """Whoever is first: in the end all bookings are the kept one's, and each record was joined once."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-12 1{n - 80}:00")[0] for n in (80, 81))
    holds = [made.hold("cut", f"2026-11-1{3 + n // 4} 1{n % 4}:00") for n in range(8)]
    merge = partial(merging.merge, made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    confirms = [
        partial(actions.confirm, made.id, held.id, double, now=NOW, locale="ja", consent=1) for held in holds
    ]
    deeds: list[Any] = [*confirms[:4], merge, *confirms[4:], merge]
    answers = at_once(deeds)
    assert not [each for each in answers if isinstance(each, BaseException)]
    assert {made.booking(held.id).person_id for held in holds} == {kept}
    with shop(made.id):
        assert Merge.objects.filter(double=double).count() == 1
    whole(made)


def test_the_same_request_again_gives_the_booking_after_a_merge(house: tuple[House, str]) -> None:
    """An idempotency key is hers under either id."""
    made, grant = house
    kept = guest(made, 90, "2026-11-16 10:00")[0]
    customer = book.Customer("同じ 人", "same@example.jp")
    wish = book.BookRequest(
        made.services["cut"], when("2026-11-16 11:00"), None, 1, customer, "ja", idempotency_key="again"
    )
    first = book.book(made.id, wish, now=NOW).booking
    assert first.person_id is not None
    people.keep(made.id, first.person_id)
    merging.merge(made.id, first.person_id, kept, [], grant=grant, now=NOW, by=BY)
    assert book.book(made.id, wish, now=NOW).booking.id == first.id
    whole(made)


def test_who_books_as_the_double_while_the_two_are_parted_waits_for_nobody_who_waits_for_her(
    house: tuple[House, str], monkeypatch: pytest.MonkeyPatch, module_app_db: AppDatabase
) -> None:
    """She holds her person and notes her booking in the merge; parting takes the two in the same order."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-18 1{n - 100}:00")[0] for n in (100, 101))
    row = merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    held = made.hold("cut", "2026-11-18 14:00")
    noted = persons.noted
    reached = threading.Event()

    def when_parting_waits(*args: Any) -> None:
        if not reached.is_set():
            reached.set()
            until_somebody_waits(module_app_db)
        noted(*args)

    def before() -> object:
        return actions.confirm(made.id, held.id, double, now=NOW, locale="ja", consent=1)

    def after() -> object:
        reached.wait(60)
        return merging.undo(made.id, row.id, grant=grant, now=NOW, by=BY)

    monkeypatch.setattr(persons, "noted", when_parting_waits)
    answers = at_once([before, after])
    assert [type(each) for each in answers] == [Booking, Merge]
    assert made.booking(held.id).person_id == double
    whole(made)


def test_whatever_is_made_as_the_double_goes_back_to_her(house: tuple[House, str]) -> None:
    """Dates that were booked together, a place on the waiting list, and a booking given to her."""
    made, grant = house
    kept, double = (guest(made, n, f"2026-11-19 1{n - 110}:00")[0] for n in (110, 111))
    row = merging.merge(made.id, double, kept, [], grant=grant, now=NOW, by=BY)
    starts = tuple(when(f"2026-11-2{n} 10:00") for n in (0, 1))
    held = series.hold_series(made.id, SeriesRequest(made.services["cut"], None, 1, starts), now=NOW)
    dates = series.confirm_series(made.id, held.id, double, now=NOW, locale="ja", consent=1)
    at = when("2026-11-19 15:00")
    for _ in range(4):
        made.book("cut", "2026-11-19 15:00")
    place = waiting.join(made.id, waiting.JoinRequest(made.services["cut"], start=at), double, now=NOW).entry
    stranger = guest(made, 112, "2026-11-19 16:00")[1]
    desk.comes_instead(made.id, stranger.id, double, told=False, now=NOW, by=BY)
    assert whose(made, *dates, stranger) == {kept}
    merging.undo(made.id, row.id, grant=grant, now=NOW, by=BY)
    assert whose(made, *dates, stranger) == {double}
    with shop(made.id):
        assert Waiting.objects.get(id=place.id).person_id == double
    whole(made)
