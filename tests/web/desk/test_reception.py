"""At the desk: each button fits the status, says why it is refused, and pressed twice is pressed once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.db import IntegrityError
from django.test import Client

from noren import clock
from noren.booking.models import Booking, Event, Status
from noren.booking.transact import note
from noren.shops import rules
from noren.shops.models import Service
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.web.conftest import booked

_days = count(2)
_today = count(6)


@pytest.fixture
def at(staff: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Let time go by until a moment; who is signed in looks at a page now and then."""

    def wait(moment: datetime) -> None:
        passing = clock.now()
        while passing < moment:
            passing = min(moment, passing + timedelta(minutes=10))
            monkeypatch.setattr(clock, "now", lambda passing=passing: passing)
            assert staff.get("/console/why").status_code == 200

    return wait


@contextmanager
def ruled(made: Salon, **columns: object) -> Iterator[None]:
    """The cut with other rules, as long as it is asked for."""
    with shop(made.id), rules.change():
        before = Service.objects.filter(id=made.cut).values(*columns).get()
        Service.objects.filter(id=made.cut).update(**columns)
    yield
    with shop(made.id), rules.change():
        Service.objects.filter(id=made.cut).update(**before)


def _someday(made: Salon) -> Booking:
    return booked(made, NOON + timedelta(days=next(_days))).booking


def _later(made: Salon) -> Booking:
    """A booking of today, while the sign-in lasts: three an hour from 14:00 on."""
    return booked(made, NOON + timedelta(hours=next(_today) // 3)).booking


def _status(made: Salon, booking: Booking) -> str:
    with shop(made.id):
        return Booking.objects.get(id=booking.id).status


def _events(made: Salon, booking: Booking, what: str) -> list[Event]:
    with shop(made.id):
        return list(Event.objects.filter(booking_id=booking.id, what=what))


def _press(client: Client, booking: Booking, deed: str, /, **sent: str) -> tuple[int, str]:
    answer = client.post(f"/console/bookings/{booking.id}/{deed}", sent)
    return answer.status_code, answer.content.decode()


def _page(staff: Client, booking: Booking) -> str:
    return staff.get(f"/console/bookings/{booking.id}").content.decode()


def _buttons(page: str) -> set[str]:
    deeds = ("approve", "decline", "check-in", "undo-check-in", "no-show", "check-out", "cancel", "move")
    return {deed for deed in deeds if f'/{deed}"' in page}


def test_a_pending_booking_is_approved_or_declined(made: Salon, staff: Client) -> None:
    with ruled(made, approval="keeps"):
        booking, other = _someday(made), _someday(made)
        assert _buttons(_page(staff, booking)) == {"approve", "decline", "cancel", "move"}
        assert "お店の確認待ち" in _page(staff, booking)
        assert _press(staff, booking, "approve")[0] == 302
        assert _status(made, booking) == Status.CONFIRMED
        _press(staff, other, "decline", reason="full")
    assert _status(made, other) == Status.DECLINED
    assert [event.why for event in _events(made, other, "declined")] == ["full"]
    page = _page(staff, other)
    assert "その時間が空いていなかった" in page
    assert "aoi.salon" in page
    assert _buttons(page) == set()


def test_it_takes_no_free_text_as_a_reason(made: Salon, staff: Client) -> None:
    with ruled(made, approval="keeps"):
        booking = _someday(made)
        _press(staff, booking, "decline", reason="印付 花子 has a fever")
    assert [event.why for event in _events(made, booking, "declined")] == ["other"]
    assert "fever" not in _page(staff, booking)


def test_no_free_text_can_lie_in_a_history(made: Salon) -> None:
    booking = _someday(made)
    with pytest.raises(IntegrityError), shop(made.id):
        note(booking.id, "kept", now=NOON, by="staff:aoi.salon", why="Hanako has a fever")


def test_she_is_checked_in_and_out(made: Salon, staff: Client, at: Callable[[datetime], None]) -> None:
    booking = _later(made)
    assert _buttons(_page(staff, booking)) == {"cancel", "move"}
    assert "チェックインできるのは" in _page(staff, booking)
    status, refused = _press(staff, booking, "check-in")
    assert status == 409
    assert "チェックインにはまだ早すぎます" in refused
    at(booking.start)
    assert _buttons(_page(staff, booking)) == {"check-in", "no-show", "cancel", "move"}
    assert _press(staff, booking, "check-in")[0] == 302
    assert _buttons(_page(staff, booking)) == {"check-out", "undo-check-in"}
    at(booking.start + timedelta(minutes=20))
    assert _press(staff, booking, "check-out")[0] == 302
    page = _page(staff, booking)
    assert _buttons(page) == set()
    assert "チェックアウト済み" in page
    with shop(made.id):
        assert Booking.objects.get(id=booking.id).end == booking.start + timedelta(minutes=20)


def test_who_did_not_come_may_come_late(made: Salon, staff: Client, at: Callable[[datetime], None]) -> None:
    booking = _later(made)
    at(booking.start + timedelta(minutes=10))
    _press(staff, booking, "no-show")
    page = _page(staff, booking)
    assert "来店なし" in page
    assert _buttons(page) == {"check-in"}
    _press(staff, booking, "check-in")
    assert _status(made, booking) == Status.CHECKED_IN


DEEDS = [("check-in", "checked_in"), ("no-show", "no_show"), ("cancel", "cancelled")]


@pytest.mark.parametrize(("deed", "what"), DEEDS)
def test_a_double_click_is_one_deed(
    made: Salon, staff: Client, at: Callable[[datetime], None], deed: str, what: str
) -> None:
    booking = _later(made)
    at(booking.start + timedelta(minutes=1))
    assert [_press(staff, booking, deed)[0] for _ in range(2)] == [302, 302]
    assert len(_events(made, booking, what)) == 1


def test_a_double_check_out_is_one(made: Salon, staff: Client, at: Callable[[datetime], None]) -> None:
    booking = _later(made)
    at(booking.start)
    _press(staff, booking, "check-in")
    at(booking.start + timedelta(minutes=30))
    assert [_press(staff, booking, "check-out")[0] for _ in range(2)] == [302, 302]
    at(booking.start + timedelta(minutes=40))
    _press(staff, booking, "check-out")
    assert len(_events(made, booking, "checked_out")) == 1


def test_a_check_in_on_the_wrong_line_is_taken_back(
    made: Salon, staff: Client, at: Callable[[datetime], None]
) -> None:
    booking = _later(made)
    assert _press(staff, booking, "undo-check-in")[0] == 302, "there is nothing to take back"
    at(booking.start)
    _press(staff, booking, "check-in")
    assert [_press(staff, booking, "undo-check-in")[0] for _ in range(2)] == [302, 302]
    assert len(_events(made, booking, "not_here")) == 1
    page = _page(staff, booking)
    assert _buttons(page) == {"check-in", "no-show", "cancel", "move"}
    assert "来店していませんでした" in page, "it is in the history"
    _press(staff, booking, "check-in")
    at(booking.start + timedelta(minutes=10))
    _press(staff, booking, "check-out")
    status, refused = _press(staff, booking, "undo-check-in")
    assert status == 409, refused
    assert _status(made, booking) == Status.CHECKED_IN


def test_a_stale_page_does_not_undo(made: Salon, staff: Client, at: Callable[[datetime], None]) -> None:
    booking = _later(made)
    _press(staff, booking, "cancel", reason="shop")
    at(booking.start)
    status, page = _press(staff, booking, "check-in")
    assert status == 409
    assert 'role="alert"' in page
    assert _status(made, booking) == Status.CANCELLED


def test_it_moves_to_a_time_that_is_offered_once(made: Salon, staff: Client) -> None:
    booking = _someday(made)
    there = booking.start + timedelta(hours=2)
    page = staff.get(f"/console/bookings/{booking.id}/move").content.decode()
    assert f'value="{int(there.timestamp())}"' in page
    sent = {"at": str(int(there.timestamp()))}
    assert [_press(staff, booking, "move", **sent)[0] for _ in range(2)] == [302, 302]
    [event] = _events(made, booking, "moved")
    assert datetime.fromisoformat(event.facts["to"]) == there
    page = _page(staff, booking)
    assert "日時変更" in page
    assert "12:00 から" in page
    assert "14:00 へ" in page


def test_a_move_is_refused_in_words_with_what_is_free(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=next(_days))
    mine = booked(made, day).booking
    for _ in made.staff[1:]:
        booked(made, day)
    other = booked(made, day + timedelta(hours=3)).booking
    status, page = _press(staff, other, "move", at=str(int(day.timestamp())))
    assert status == 409
    assert "この時間が予約できない理由" in page
    assert f'value="{int((day + timedelta(hours=1)).timestamp())}"' in page
    assert _status(made, other) == _status(made, mine) == Status.CONFIRMED


def test_case_098_staff_insist_with_a_reason_and_on_record(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=next(_days))
    for _ in made.staff:
        booked(made, day)
    other = booked(made, day + timedelta(hours=3)).booking
    wish = {"insist": "1", "date": f"{day:%Y-%m-%d}", "time": "12:00", "staff": str(made.staff[0])}
    status, page = _press(staff, other, "move", **wish)
    assert (status, _events(made, other, "moved")) == (422, [])
    assert "理由を選んでください" in page
    assert _press(staff, other, "move", **wish, reason="none of the codes")[0] == 422
    assert [_press(staff, other, "move", **wish, reason="helper")[0] for _ in range(2)] == [302, 302]
    [event] = _events(made, other, "moved")
    assert (event.by, event.why, event.facts["over"]) == ("staff:aoi.salon", "helper", True)
    page = _page(staff, other)
    assert "ほかの予定に重ねて入れました" in page
    assert "ほかの者が手伝う" in page


def test_it_says_so_when_there_is_no_such_time(made: Salon, staff: Client) -> None:
    booking = _someday(made)
    wish = {"insist": "1", "reason": "fits", "date": "2026-02-30", "time": "99:00"}
    assert _press(staff, booking, "move", **wish)[0] == 422
    assert _press(staff, booking, "move", at="never")[0] == 422
    assert not _events(made, booking, "moved")


def test_it_shows_and_does_nothing_of_another_shop(made: Salon, staff: Client) -> None:
    assert made
    other = salon("elsewhere")
    theirs = booked(other, NOON + timedelta(days=1)).booking
    for deed in (
        "approve",
        "decline",
        "check-in",
        "undo-check-in",
        "no-show",
        "check-out",
        "cancel",
        "move",
        "nothing",
    ):
        assert _press(staff, theirs, deed)[0] == 404
    assert staff.get(f"/console/bookings/{theirs.id}/move").status_code == 404
    assert _status(other, theirs) == Status.CONFIRMED


@pytest.mark.parametrize("deed", ["approve", "cancel", "move"])
def test_a_get_and_a_forged_form_change_nothing(made: Salon, staff: Client, deed: str) -> None:
    booking = _someday(made)
    assert staff.get(f"/console/bookings/{booking.id}/{deed}").status_code == (200 if deed == "move" else 405)
    staff.handler.enforce_csrf_checks = True
    try:
        assert _press(staff, booking, deed)[0] == 403
    finally:
        staff.handler.enforce_csrf_checks = False
    assert _status(made, booking) == Status.CONFIRMED
