"""A mail's way: from the job in the booking's transaction through the real vault to a real SMTP server."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from icalendar import Calendar
from procrastinate.jobs import Job

from noren import people
from noren.booking import actions, book, classes, reception, sessions
from noren.booking.book_series import book_series
from noren.booking.models import Booking
from noren.booking.report import SeriesRequest
from noren.booking.series import cancel_rest
from noren.engine.series import Rhythm, Unit
from noren.errors import VaultUnavailable
from noren.messages import about
from noren.messages.deliver import NotSentYet, deliver
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.messages.tasks import RETRY
from noren.shops.models import Service, Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase, Sink, VaultProcess

AT = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)  # a Friday, 14:00 in Tokyo
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
"""
HANAKO = book.Customer(
    name="山田 花子", mail="hanako@example.com", kana="ヤマダ ハナコ", phone="090-1234-5678"
)


_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    """A shop of its own for each test: the vault remembers which keys it has sent."""
    module_mail.refuse = None
    module_mail.messages.clear()
    return salon(f"salon{next(_numbers)}")


def booked(house: Salon, locale: str = "ja") -> Booking:
    request = book.BookRequest(house.cut, AT, None, 1, HANAKO, locale)
    return book.book(house.id, request, now=NOON).booking


def text_of(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def entry_of(message: Any) -> Any:
    [part] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return part, Calendar.from_ical(part.get_content())


def states(house: Salon) -> list[tuple[str, str, int]]:
    with shop(house.id):
        return [(row.kind, row.state, row.attempts) for row in Message.objects.order_by("id")]


def test_it_enqueues_the_mail_in_the_bookings_transaction(house: Salon, module_app_db: AppDatabase) -> None:
    booking = booked(house)
    with module_app_db.connect("owner") as conn:
        jobs = conn.execute("SELECT task_name, args FROM procrastinate_jobs ORDER BY id").fetchall()
    wanted = {"shop_id": house.id, "booking_id": booking.id}
    assert ("noren.messages.tasks.send", wanted | {"kind": "booked"}) in jobs
    assert ("noren.messages.tasks.send", wanted | {"kind": "reminder", "before": 1440}) in jobs


def test_it_sends_a_whole_mail_with_the_name_that_only_the_vault_knows(
    house: Salon, module_mail: Sink
) -> None:
    booking = booked(house)
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT
    [message] = module_mail.wait()
    assert message["To"] == "hanako@example.com"
    assert message["Subject"] == "【サロン青葉】ご予約を承りました(2026年11月27日(金))"
    text = text_of(message)
    assert text.startswith("山田 花子 様\n\nご予約ありがとうございます。")
    assert "日時  2026年11月27日(金) 14:00〜15:00\n" in text
    assert "/b/" in text
    assert "{" not in text
    part, calendar = entry_of(message)
    assert part.get_param("method") == "PUBLISH"
    assert [event.start for event in calendar.events] == [AT]
    assert "hanako" not in part.get_content()
    assert states(house) == [("booked", "sent", 1)]


def test_it_writes_in_the_language_of_the_booking(house: Salon, module_mail: Sink) -> None:
    deliver(house.id, booked(house, "en").id, Kind.BOOKED, now=NOON)
    [message] = module_mail.wait()
    assert message["Subject"] == "Salon Aoba: your booking, Friday 27 November 2026"


def test_it_never_sends_twice(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    for _ in range(2):
        assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT
    assert len(module_mail.messages) == 1


def test_it_tells_of_the_cancellation_with_the_same_uid(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    actions.cancel(house.id, booking.id, now=NOON, by="customer")
    assert deliver(house.id, booking.id, Kind.CANCELLED, now=NOON) is State.SENT
    made, gone = (entry_of(message)[1] for message in module_mail.wait(2))
    assert str(gone["METHOD"]) == "CANCEL"
    [first], [last] = made.events, gone.events
    assert (first["UID"], first.sequence + 1) == (last["UID"], last.sequence)


def test_each_change_has_its_own_sequence_from_the_request_to_the_end(
    house: Salon, module_mail: Sink
) -> None:
    """Published, changed, cancelled (RFC 5546, 4.1); from tentative to confirmed is a change, too (2.1.4)."""
    with shop(house.id), change():
        Service.objects.filter(id=house.cut).update(approval="keeps")
    booking = booked(house)
    deliver(house.id, booking.id, Kind.ASKED, now=NOON)
    reception.approve(house.id, booking.id, now=NOON, by="staff:1")
    deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    actions.move(house.id, booking.id, AT + timedelta(hours=1), None, now=NOON, by="customer")
    deliver(house.id, booking.id, Kind.MOVED, now=NOON)
    actions.cancel(house.id, booking.id, now=NOON, by="customer")
    deliver(house.id, booking.id, Kind.CANCELLED, now=NOON)
    parts = [entry_of(message) for message in module_mail.wait(4)]
    entries = [read for _, read in parts]
    events = [event for read in entries for event in read.events]
    assert [event.sequence for event in events] == [0, 1, 2, 3]
    assert [str(event["STATUS"]) for event in events] == ["TENTATIVE", "CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [str(read["METHOD"]) for read in entries] == ["PUBLISH", "PUBLISH", "PUBLISH", "CANCEL"]
    assert [part.get_param("method") for part, _ in parts] == ["PUBLISH", "PUBLISH", "PUBLISH", "CANCEL"]
    assert len({event["UID"] for event in events}) == 1
    assert all("ORGANIZER" in event and "ATTENDEE" not in event for event in events)


def weekly(house: Salon, locale: str = "ja") -> list[Booking]:
    wanted = SeriesRequest(house.cut, house.staff[0], 1, (AT,), Rhythm(Unit.WEEK, count=3))
    booked = book_series(house.id, wanted, HANAKO, locale=locale, now=NOON)
    return list(booked.bookings.values())


def test_it_tells_of_a_series_in_one_mail_with_a_link_and_an_entry_a_date(
    house: Salon, module_mail: Sink
) -> None:
    bookings = weekly(house)
    first, *others = [each.id for each in bookings]
    assert deliver(house.id, first, Kind.BOOKED, others=others, now=NOON) is State.SENT
    [message] = module_mail.wait()
    assert message["Subject"] == "【サロン青葉】ご予約を承りました(2026年11月27日(金)ほか2回)"
    text = text_of(message)
    links = [about.link(house.id, each.id, each.generation) for each in bookings]
    days = ("2026年11月27日(金)", "2026年12月4日(金)", "2026年12月11日(金)")
    assert all(f"{day} 14:00〜15:00\n{link}\n" in text for day, link in zip(days, links, strict=True))
    assert text.count("/b/") == 3
    assert "料金  19,800円" in text
    assert "{" not in text
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    names = [part.get_filename() for part in parts]
    assert names == [f"booking-{day}-1400.ics" for day in ("2026-11-27", "2026-12-04", "2026-12-11")]
    events = [event for part in parts for event in Calendar.from_ical(part.get_content()).events]
    assert [event.start for event in events] == [each.start for each in bookings]
    assert len({event["UID"] for event in events}) == 3
    assert deliver(house.id, first, Kind.BOOKED, others=others, now=NOON) is State.SENT
    assert len(module_mail.messages) == 1


def test_it_tells_only_of_those_dates_of_a_series_that_still_stand(house: Salon, module_mail: Sink) -> None:
    first, *others = [each.id for each in weekly(house, "en")]
    actions.cancel(house.id, first, now=NOON, by="customer")
    assert deliver(house.id, first, Kind.BOOKED, others=others, now=NOON) is State.SENT
    [message] = module_mail.wait()
    assert message["Subject"] == "Salon Aoba: your booking, Friday 4 December 2026 and 1 more"
    assert "27 November" not in text_of(message)
    for each in others:
        actions.cancel(house.id, each, now=NOON, by="customer")
    assert deliver(house.id, first, Kind.BOOKED, others=others, now=NOON) is None


def test_it_tells_once_that_the_rest_is_cancelled(house: Salon, module_mail: Sink) -> None:
    bookings = weekly(house)
    first, *others = [
        each.id for each in cancel_rest(house.id, bookings[0].id, bookings[1].start, now=NOON, by="customer")
    ]
    assert deliver(house.id, first, Kind.CANCELLED, others=others, now=NOON) is State.SENT
    [message] = module_mail.wait()
    text = text_of(message)
    assert ("2026年11月27日" in text, "2026年12月4日" in text, "2026年12月11日" in text) == (
        False,
        True,
        True,
    )
    methods = [part.get_param("method") for part in message.walk() if part.get_filename()]
    assert methods == ["CANCEL", "CANCEL"]


@pytest.mark.parametrize("kind", [Kind.BOOKED, Kind.REMINDER, Kind.MOVED])
def test_it_says_nothing_of_a_booking_that_no_longer_stands(
    house: Salon, module_mail: Sink, kind: Kind
) -> None:
    booking = booked(house)
    actions.cancel(house.id, booking.id, now=NOON, by="customer")
    assert deliver(house.id, booking.id, kind, now=AT - timedelta(hours=1)) is None
    assert not module_mail.messages


def test_it_does_not_call_cancelled_what_stands(house: Salon, module_mail: Sink) -> None:
    assert deliver(house.id, booked(house).id, Kind.CANCELLED, now=NOON) is None
    assert not module_mail.messages


def test_case_108_it_reminds_once_at_the_right_time_after_three_moves(
    house: Salon, module_mail: Sink
) -> None:
    booking = booked(house)
    for hours in (1, 2, 24):
        actions.move(house.id, booking.id, AT + timedelta(hours=hours), None, now=NOON, by="customer")
    due = AT  # a day before the start, as the shop wants it
    assert deliver(house.id, booking.id, Kind.REMINDER, now=due - timedelta(hours=1)) is None
    assert deliver(house.id, booking.id, Kind.REMINDER, now=due) is State.SENT
    assert deliver(house.id, booking.id, Kind.REMINDER, now=due + timedelta(hours=1)) is State.SENT
    assert len(module_mail.messages) == 1
    assert "2026年11月28日(土) 14:00" in text_of(module_mail.messages[0])


def test_a_reminder_before_the_quiet_hours_is_due_there(house: Salon, module_mail: Sink) -> None:
    """At 14:00 of the day before it would be quiet: it goes out at 12:59, and not before."""
    with shop(house.id), change():
        Shop.objects.update(quiet={"from": 13 * 60, "to": 15 * 60})
    booking = booked(house)
    due = AT - timedelta(days=1, minutes=61)
    assert deliver(house.id, booking.id, Kind.REMINDER, now=due - timedelta(minutes=2)) is None
    assert deliver(house.id, booking.id, Kind.REMINDER, now=due) is State.SENT
    assert len(module_mail.messages) == 1


def test_it_does_not_remind_of_what_has_begun(house: Salon, module_mail: Sink) -> None:
    assert deliver(house.id, booked(house).id, Kind.REMINDER, now=AT) is None
    assert not module_mail.messages


def test_it_does_not_try_again_what_is_refused_for_good(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    module_mail.refuse = "552 too big"
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.FAILED
    assert states(house) == [("booked", "failed", 1)]


def test_it_tries_again_when_the_mail_server_refuses(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    module_mail.refuse = "451 try again later"
    with pytest.raises(NotSentYet):
        deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    assert states(house) == [("booked", "failed", 1)]
    module_mail.refuse = None
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT
    assert states(house) == [("booked", "sent", 2)]
    assert len(module_mail.messages) == 1


def test_it_tries_again_when_the_vault_is_away(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"), pytest.raises(VaultUnavailable):
        deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    assert states(house) == [("booked", "failed", 1)]
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT


def test_it_does_not_send_again_by_itself_what_may_have_been_sent(
    house: Salon, module_mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = booked(house)
    monkeypatch.setattr(people, "send", lambda *_words, **_named: people.SendState.UNKNOWN)
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.UNKNOWN
    assert states(house) == [("booked", "unknown", 1)]


def test_it_tries_again_when_its_own_database_goes_away(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, and it cannot be noted: the next try finds that it was, and the booking keeps its mail."""
    booking = booked(house)
    send = people.send

    def send_and_cut(*words: Any, **named: Any) -> people.SendState:
        sent = send(*words, **named)
        with module_app_db.connect("web", autocommit=True) as other:
            other.execute(CUT)
        return sent

    monkeypatch.setattr(people, "send", send_and_cut)
    with pytest.raises(OperationalError) as away:
        deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    monkeypatch.undo()
    connection.close()
    job = Job(queue="messages", lock=None, queueing_lock=None, task_name="send")
    assert RETRY.get_retry_decision(exception=away.value, job=job) is not None
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT
    assert (states(house), len(module_mail.messages)) == ([("booked", "sent", 2)], 1)


@pytest.mark.parametrize("deed", ["cancel", "move"])
def test_it_leaves_open_no_mail_that_a_killed_worker_had_begun(house: Salon, deed: str) -> None:
    """What it was to tell is no longer true, so that nobody takes it up: whether it went, nobody knows."""
    booking, kind = booked(house), Kind.BOOKED if deed == "cancel" else Kind.MOVED
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"), pytest.raises(VaultUnavailable):
        deliver(house.id, booking.id, kind, now=NOON)
    with shop(house.id):
        Message.objects.update(state=State.QUEUED)  # a killed worker writes nothing after
    if deed == "cancel":
        actions.cancel(house.id, booking.id, now=NOON, by="customer")
        assert deliver(house.id, booking.id, kind, now=NOON) is None
        assert states(house) == [("booked", "unknown", 1)]
    else:
        actions.move(house.id, booking.id, AT + timedelta(hours=1), None, now=NOON, by="customer")
        assert deliver(house.id, booking.id, kind, now=NOON) is State.SENT
        assert states(house) == [("moved", "unknown", 1), ("moved", "sent", 1)]


LESSON = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # the Wednesday, 10:00 in Tokyo
MOVED_TO = LESSON + timedelta(days=1, hours=4)


def lesson(house: Salon, locale: str = "ja") -> tuple[Booking, int]:
    """A place in a class, and the id of its date."""
    classes.schedule(house.id, now=NOON)
    booking = book.book(
        house.id, book.BookRequest(house.lesson, LESSON, None, 1, HANAKO, locale), now=NOON
    ).booking
    assert booking.session_id is not None
    return booking, booking.session_id


def move_lesson(house: Salon, session_id: int, start: datetime) -> None:
    sessions.move_session(house.id, session_id, start, None, now=NOON, by="staff:1", why="teacher_ill")


def test_case_072_it_tells_of_a_moved_class_with_both_times_and_a_choice(
    house: Salon, module_mail: Sink
) -> None:
    booking, session_id = lesson(house)
    deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    move_lesson(house, session_id, MOVED_TO)
    for _ in range(2):
        assert deliver(house.id, booking.id, Kind.RESCHEDULED, now=NOON) is State.SENT
    first, told = module_mail.wait(2)
    assert told["Subject"] == "【サロン青葉】変更のお知らせ(2026年11月26日(木))"
    text = text_of(told)
    assert "日時  2026年11月26日(木) 14:00〜15:30\n変更前 2026年11月25日(水) 10:00〜11:30\n" in text
    assert "無料で取り消すか" in text
    assert "/b/" in text
    [before], [after] = (entry_of(message)[1].events for message in (first, told))
    assert (before["UID"], before.sequence + 1) == (after["UID"], after.sequence)
    assert (after.start, str(after["STATUS"])) == (MOVED_TO, "CONFIRMED")
    assert "変更前" not in text_of(first)
    assert len(module_mail.messages) == 2


def test_case_072_it_asks_in_her_language_and_not_who_has_answered(house: Salon, module_mail: Sink) -> None:
    booking, session_id = lesson(house, "en")
    move_lesson(house, session_id, MOVED_TO)
    deliver(house.id, booking.id, Kind.RESCHEDULED, now=NOON)
    text = text_of(module_mail.wait()[0])
    assert "Before   Wednesday 25 November 2026 10:00–11:30 (UTC+9)\n" in text
    assert "cancel it free of charge" in text
    actions.keep(house.id, booking.id, now=NOON, by="customer")
    assert deliver(house.id, booking.id, Kind.RESCHEDULED, now=NOON) is None
    move_lesson(house, session_id, MOVED_TO + timedelta(hours=1))
    actions.cancel(house.id, booking.id, now=NOON, by="customer")
    assert deliver(house.id, booking.id, Kind.RESCHEDULED, now=NOON) is None
    assert len(module_mail.messages) == 1


def test_case_072_who_still_waits_for_a_yes_is_told_that_nothing_is_certain(
    house: Salon, module_mail: Sink
) -> None:
    with shop(house.id), change():
        Service.objects.filter(id=house.lesson).update(approval="keeps")
    booking, session_id = lesson(house)
    move_lesson(house, session_id, MOVED_TO)
    assert deliver(house.id, booking.id, Kind.RESCHEDULED, now=NOON) is State.SENT
    [event] = entry_of(module_mail.wait()[0])[1].events
    assert str(event["STATUS"]) == "TENTATIVE"


def test_case_074_it_says_that_a_class_does_not_take_place_and_costs_nothing(
    house: Salon, module_mail: Sink
) -> None:
    booking, session_id = lesson(house)
    assert deliver(house.id, booking.id, Kind.CALLED_OFF, now=NOON) is None
    sessions.cancel_session(house.id, session_id, now=NOON, by="staff:1", why="snow")
    assert deliver(house.id, booking.id, Kind.CALLED_OFF, now=NOON) is State.SENT
    [message] = module_mail.wait()
    assert message["Subject"] == "【サロン青葉】開催中止のお知らせ(2026年11月25日(水))"
    assert "料金はかかりません" in text_of(message)
    assert str(entry_of(message)[1]["METHOD"]) == "CANCEL"


def test_it_keeps_no_address_no_name_and_no_link(house: Salon, module_app_db: AppDatabase) -> None:
    deliver(house.id, booked(house).id, Kind.BOOKED, now=NOON)
    with module_app_db.connect("owner") as conn:
        rows = conn.execute("SELECT m::text FROM messages_message m").fetchall()
    assert rows
    assert not [mark for mark in ("花子", "hanako", "/b/") if mark in repr(rows)]


# -- by the clock: several reminders, and thanks


def test_each_of_several_reminders_is_a_mail_of_its_own(house: Salon, module_mail: Sink) -> None:
    with shop(house.id), change():
        Shop.objects.update(reminder_minutes=4320, more_reminders=[180])
    booking = booked(house)
    for before in (4320, 180, 180):
        due = booking.start - timedelta(minutes=before)
        assert deliver(house.id, booking.id, Kind.REMINDER, before=before, now=due) is State.SENT
    assert len(module_mail.wait(2)) == 2
    early = booking.start - timedelta(minutes=200)
    assert deliver(house.id, booking.id, Kind.REMINDER, before=180, now=early) is None
    assert [kind for kind, _, _ in states(house)] == ["reminder", "reminder"]


def test_she_is_thanked_once_who_has_been_here_and_nobody_else(house: Salon, module_mail: Sink) -> None:
    with shop(house.id), change():
        Shop.objects.update(thanks_hours=2)
    came, stayed_away = booked(house), booked(house)
    due = came.end + timedelta(hours=2)
    assert deliver(house.id, came.id, Kind.THANKS, now=came.start) is None
    reception.no_show(house.id, stayed_away.id, now=came.end, by="staff:1")
    assert deliver(house.id, stayed_away.id, Kind.THANKS, now=due) is None
    for _ in range(2):
        assert deliver(house.id, came.id, Kind.THANKS, now=due) is State.SENT
    [message] = module_mail.wait()
    text = text_of(message)
    assert "このたびはご来店いただき、ありがとうございました。" in text
    assert "ご予約の記録はこちら" in text
    assert not [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert deliver(house.id, came.id, Kind.THANKS, now=due + timedelta(days=3)) is None
