"""A message to many: one mail a person, of what is true still, stopped, gone on with, never twice."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from noren.booking import actions, book, classes
from noren.booking.models import Booking, Work, WorkState
from noren.errors import NothingHere, WordsChanged
from noren.messages import calls, log, sample, to_many
from noren.messages.deliver import deliver
from noren.messages.models import Addressed, Message, State, ToMany
from noren.messages.notice import Kind
from noren.messages.to_many import Pick
from noren.shops.models import Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import text_of
from tests.servers import AppDatabase, Sink, VaultProcess

AOI = "staff:aoi.salon"
DAY = timedelta(days=1)
FRIDAY = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # 10:00 in Tokyo
MIDNIGHT = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
WORDS = {
    "ja": {"subject": "【{shop}】断水のお知らせ", "opening": "{name}様、{day}は断水します。"},
    "en": {"subject": "No water", "opening": "Dear {name}, the water is off."},
}
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    assert module_app_db
    assert module_vault
    module_mail.refuse, module_mail.hold = None, False
    module_mail.messages.clear()
    return salon(f"many{next(_numbers)}")


def booked(house: Salon, at: datetime, who: str, locale: str = "ja", **more: Any) -> Booking:
    customer = book.Customer(name=who, mail=more.pop("mail", f"{who}@example.com"))
    request = book.BookRequest(more.pop("service", house.cut), at, None, 1, customer, locale)
    return book.book(house.id, request, now=NOON).booking


def same_person(house: Salon, *bookings: Booking) -> None:
    """Make them one customer's, as joining two records does."""
    with shop(house.id):
        Booking.objects.filter(id__in=[each.id for each in bookings]).update(person_id=bookings[0].person_id)


def drafted(house: Salon, pick: Pick | None = None, words: Any = WORDS) -> int:
    number = to_many.draft(house.id, pick or Pick(MIDNIGHT, MIDNIGHT + DAY), now=NOON, by=AOI)
    to_many.keep(house.id, number, words, seen=0)
    return number


def begun(house: Salon, number: int) -> int:
    """Send it to whom it reaches now; gives the work."""
    row = to_many.one(house.id, number)
    persons = len(to_many.reach(house.id, row, now=NOON).persons)
    assert to_many.send(house.id, number, seen=row.version, persons=persons, now=NOON, by=AOI)
    work_id = to_many.one(house.id, number).work_id
    assert work_id is not None
    return work_id


def run(house: Salon, work_id: int, steps: int = 50) -> Work:
    for _ in range(steps):
        to_many.step(house.id, work_id, now=NOON)
    with shop(house.id):
        return Work.objects.get(id=work_id)


def jobs(database: AppDatabase, house: Salon, task: str) -> list[tuple[int, Any]]:
    with database.connect("owner") as conn:
        return conn.execute(
            "SELECT priority, args FROM procrastinate_jobs WHERE task_name = %s "
            "AND args->>'shop_id' = %s ORDER BY id",
            [f"noren.messages.tasks.{task}", str(house.id)],
        ).fetchall()


def to(mail: Sink) -> list[str]:
    return sorted(str(each["To"]) for each in mail.messages)


def test_each_person_gets_one_mail_in_her_language_and_nobody_else(house: Salon, module_mail: Sink) -> None:
    """Of a stretch: not who comes the day after, has cancelled, or is over already."""
    booked(house, FRIDAY, "hana")
    booked(house, FRIDAY, "kate", "en")
    booked(house, FRIDAY + DAY, "later")
    gone = booked(house, FRIDAY, "gone")
    actions.cancel(house.id, gone.id, now=NOON, by="customer")
    number = drafted(house)
    reach = to_many.reach(house.id, to_many.one(house.id, number), now=NOON)
    assert (reach.bookings, len(reach.persons), dict(reach.languages)) == (2, 2, {"ja": 1, "en": 1})
    work = run(house, begun(house, number))
    assert (work.state, work.total, work.done) == (WorkState.DONE, 2, 2)
    assert to(module_mail) == ["hana@example.com", "kate@example.com"]
    first, second = sorted(module_mail.messages, key=lambda each: str(each["To"]))
    assert first["Subject"] == "【サロン青葉】断水のお知らせ"
    assert "hana様、2026年11月27日(金)は断水します。" in text_of(first)
    assert "日時  2026年11月27日(金) 10:00〜11:00\n" in text_of(first)
    assert "/b/" in text_of(first)
    assert "お店からお知らせがあります" not in text_of(first)
    assert second["Subject"] == "No water"
    assert not [part for part in first.walk() if part.get_content_type() == "text/calendar"]
    with shop(house.id):
        assert {(each.kind, each.many_id, each.state) for each in Message.objects.all()} == {
            ("many", number, "sent")
        }


def test_a_person_with_several_bookings_is_told_once_of_all_of_them(house: Salon, module_mail: Sink) -> None:
    classes.schedule(house.id, now=NOON)
    lesson = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
    one, other = booked(house, FRIDAY, "hana"), booked(house, lesson, "hana", service=house.lesson)
    same_person(house, one, other)
    run(house, begun(house, drafted(house, Pick(MIDNIGHT, MIDNIGHT + 9 * DAY))))
    [mail] = module_mail.messages
    text = text_of(mail)
    assert "2026年11月27日(金) 10:00〜11:00 カット" in text
    assert "2026年12月2日(水) 10:00〜11:30 講座" in text
    assert text.count("/b/") == 2
    assert "内容  カット＋講座\n" in text


def test_it_picks_by_service_and_by_who_serves_and_by_the_hour(house: Salon) -> None:
    rows = [booked(house, FRIDAY, f"c{n}") for n in range(3)]
    booked(house, FRIDAY + timedelta(hours=3), "afternoon")

    def found(**said: Any) -> int:
        pick = Pick(**{"since": MIDNIGHT, "until": MIDNIGHT + DAY, **said})
        row = to_many.one(house.id, to_many.draft(house.id, pick, now=NOON, by=AOI))
        return to_many.reach(house.id, row, now=NOON).bookings

    assert found() == 4
    assert found(service=house.lesson) == 0
    assert found(staff=rows[0].staff_id) in (1, 2)
    assert sum(found(staff=each) for each in house.staff) == 4
    # The water is off from half past ten: who sits there then is told, who comes at one is not.
    assert found(since=FRIDAY + timedelta(minutes=30), until=FRIDAY + timedelta(hours=2)) == 3
    assert found(until=FRIDAY) == 0


def test_what_is_true_no_more_is_not_told(house: Salon, module_mail: Sink) -> None:
    """Cancelled, or moved out of the stretch, between the press and her turn."""
    gone, moved, stays = (booked(house, FRIDAY, name) for name in ("gone", "moved", "stays"))
    number = drafted(house)
    work_id = begun(house, number)
    actions.cancel(house.id, gone.id, now=NOON, by="customer")
    actions.move(house.id, moved.id, FRIDAY + DAY, None, now=NOON, by="customer")
    work = run(house, work_id)
    assert (work.state, work.done) == (WorkState.DONE, 3)
    assert to(module_mail) == ["stays@example.com"]
    assert to_many.sent(house.id, to_many.one(house.id, number)) == to_many.Sent(3, {"sent": 1}, 2)
    assert stays.id


def test_no_mail_reaches_her_she_is_called_and_the_others_are_told(house: Salon, module_mail: Sink) -> None:
    """Told by phone, she is still counted as one whom no mail reached."""
    none = booked(house, FRIDAY, "none", mail="")
    booked(house, FRIDAY, "hana")
    number = drafted(house)
    work = run(house, begun(house, number))
    assert (work.state, work.done) == (WorkState.DONE, 2)
    assert to_many.sent(house.id, to_many.one(house.id, number)).states == {"sent": 1, "failed": 1}
    assert to(module_mail) == ["hana@example.com"]
    [call] = calls.waiting(house.id, now=NOON)
    assert (call.booking.id, call.kind, call.many) == (none.id, Kind.MANY, number)
    calls.said(house.id, call.message, now=NOON, by=AOI)
    assert log.troubles(house.id, now=NOON) == 0
    assert to_many.sent(house.id, to_many.one(house.id, number)).states == {"sent": 1, "failed": 1}


def test_a_message_hides_no_other_call(house: Salon, module_mail: Sink) -> None:
    """Whom no mail told of her new time is called for that, too."""
    none = booked(house, FRIDAY, "none", mail="")
    actions.move(house.id, none.id, FRIDAY + timedelta(hours=1), None, now=NOON, by=AOI)
    deliver(house.id, none.id, Kind.MOVED, now=NOON)
    run(house, begun(house, drafted(house)))
    assert module_mail.messages == []
    assert sorted(each.kind for each in calls.waiting(house.id, now=NOON)) == ["many", "moved"]


def test_what_is_not_taken_now_goes_later_behind_all_else(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    booking = booked(house, FRIDAY, "hana")
    number = drafted(house)
    work_id = begun(house, number)
    assert [priority for priority, _ in jobs(module_app_db, house, "many_step")] == [-1]
    module_mail.refuse = "451 later"
    assert run(house, work_id).state == WorkState.DONE
    module_mail.refuse = None
    [(priority, args)] = [one for one in jobs(module_app_db, house, "send") if "many" in one[1]]
    wanted = {"booking_id": booking.id, "kind": "many", "others": [], "many": number}
    assert (priority, args) == (-1, {"shop_id": house.id, **wanted})
    assert deliver(house.id, booking.id, Kind.MANY, many=number, now=NOON) is State.SENT
    assert to_many.sent(house.id, to_many.one(house.id, number)).states == {"sent": 1}


def test_it_stops_between_two_steps_and_goes_on(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    for number in range(8):
        booked(house, FRIDAY + timedelta(hours=number // 3), f"c{number}")
    many = drafted(house)
    work_id = begun(house, many)
    assert run(house, work_id, steps=1).done == 5
    to_many.stop(house.id, many)
    assert run(house, work_id).done == 5
    assert len(module_mail.messages) == 5
    to_many.resume(house.id, many)
    to_many.resume(house.id, many)
    assert len(jobs(module_app_db, house, "many_step")) == 3  # begun, its second step, gone on with once
    work = run(house, work_id)
    assert (work.state, work.done) == (WorkState.DONE, 8)
    assert to(module_mail) == [f"c{number}@example.com" for number in range(8)]


@pytest.mark.parametrize("keyed", [True, False], ids=["as it is", "control: without its own key"])
def test_a_step_that_dies_is_taken_up_and_mails_nobody_twice(
    house: Salon, module_mail: Sink, monkeypatch: pytest.MonkeyPatch, *, keyed: bool
) -> None:
    """It dies when a mail has gone and nobody has noted it. The control sends under another key each time."""
    for number in range(3):
        booked(house, FRIDAY, f"c{number}")
    work_id = begun(house, drafted(house))
    sent: Any = deliver
    attempts = count(1)
    dying = [True]

    def dies(*args: Any, **named: Any) -> None:
        sent(*args, **named, again=0 if keyed else next(attempts))
        if dying[0] and len(module_mail.messages) == 2:
            raise SystemExit

    monkeypatch.setattr(to_many, "deliver", dies)
    with pytest.raises(SystemExit):
        to_many.step(house.id, work_id, now=NOON)
    assert to(module_mail) == ["c0@example.com", "c1@example.com"]
    with shop(house.id):
        assert Addressed.objects.filter(done=True).count() == 1
    dying[0] = False
    assert run(house, work_id).done == 3
    twice = [] if keyed else ["c1@example.com"]
    assert to(module_mail) == sorted([*(f"c{number}@example.com" for number in range(3)), *twice])


def test_words_are_kept_once_for_all_and_not_over_anothers(house: Salon) -> None:
    booked(house, FRIDAY, "hana")
    number = drafted(house)
    to_many.keep(house.id, number, WORDS, seen=0)  # the same again
    with pytest.raises(WordsChanged):
        to_many.keep(house.id, number, {"ja": {"opening": "ほか"}}, seen=0)
    with pytest.raises(ValueError, match="refused"):
        to_many.keep(house.id, number, {"ja": {"opening": "{nmae}"}}, seen=1)
    with pytest.raises(ValueError, match="refused"):
        to_many.keep(house.id, number, {"ja": {"subject": "{name}様"}}, seen=1)
    begun(house, number)
    with pytest.raises(NothingHere):
        to_many.keep(house.id, number, {}, seen=1)
    with pytest.raises(NothingHere):
        to_many.pick_anew(house.id, number, Pick(NOON, FRIDAY))
    with pytest.raises(NothingHere):
        to_many.drop(house.id, number)


def test_it_goes_only_to_as_many_as_were_agreed_to_and_once(house: Salon, module_app_db: AppDatabase) -> None:
    booked(house, FRIDAY, "hana")
    number = drafted(house)

    def send(persons: int, seen: int = 1) -> bool:
        return to_many.send(house.id, number, seen=seen, persons=persons, now=NOON, by=AOI)

    booked(house, FRIDAY, "new")
    assert not send(1)
    assert not send(2, seen=0)
    assert send(2)
    assert send(2)
    assert len(jobs(module_app_db, house, "many_step")) == 1
    with shop(house.id):
        assert (Work.objects.count(), Addressed.objects.count()) == (1, 2)


def test_nothing_is_sent_that_says_nothing(house: Salon) -> None:
    booked(house, FRIDAY, "hana")
    for words in ({}, {"ja": {"subject": "件名だけ"}}, {"ja": WORDS["ja"], "en": {"subject": "only"}}):
        number = drafted(house, words=words)
        row = to_many.one(house.id, number)
        with pytest.raises(NothingHere):
            to_many.send(house.id, number, seen=row.version, persons=1, now=NOON, by=AOI)


def test_who_reads_what_is_not_written_gets_what_is(house: Salon, module_mail: Sink) -> None:
    booked(house, FRIDAY, "kate", "en")
    booked(house, FRIDAY, "yasashii", "ja-easy")
    run(house, begun(house, drafted(house, words={"ja": WORDS["ja"]})))
    texts = {str(each["To"]): text_of(each) for each in module_mail.messages}
    assert texts["kate@example.com"].startswith("Dear kate,\n\nkate様、Friday 27 November 2026は断水します。")
    assert texts["yasashii@example.com"].startswith("yasashiiさん\n\nyasashii様、2026年11月27日")


def test_it_is_sent_again_as_the_one_it_was(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    booking = booked(house, FRIDAY, "hana")
    number = drafted(house)
    module_mail.refuse = "550 5.7.1 no"
    run(house, begun(house, number))
    module_mail.refuse = None
    with shop(house.id):
        row = Message.objects.get()
    assert row.state == State.FAILED
    log.again(house.id, row.id, now=NOON + timedelta(minutes=2), by=AOI)
    [(_, args)] = [one for one in jobs(module_app_db, house, "send") if "again" in one[1]]
    assert (args["booking_id"], args["many"], args["again"]) == (booking.id, number, 0)


def test_a_shop_that_is_not_open_writes_to_nobody(house: Salon, module_mail: Sink) -> None:
    booked(house, FRIDAY, "hana")
    work_id = begun(house, drafted(house))
    with shop(house.id):
        Shop.objects.update(published=False)
    run(house, work_id)
    assert module_mail.messages == []


def test_a_test_of_a_draft_goes_to_nobody_who_works_there_no_more(house: Salon, module_mail: Sink) -> None:
    number = drafted(house)
    assert not sample.mail_many(house.id, "nobody.here", number, "ja", minute=1, now=NOON)
    assert module_mail.messages == []
    with shop(house.id):
        assert ToMany.objects.count() == 1
