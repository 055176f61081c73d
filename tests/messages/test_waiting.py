"""What who waits is told: through the real vault to a real SMTP server."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from noren.booking import actions, book, links, waiting
from noren.booking.models import Booking, Waiting
from noren.messages.deliver import deliver_waiting
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import HANAKO, text_of
from tests.servers import AppDatabase, Sink, VaultProcess

AT = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)  # a Friday, 14:00 in Tokyo
JIRO = book.Customer(name="佐藤 二郎", mail="jiro@example.com")
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    module_mail.refuse = None
    module_mail.messages.clear()
    made = salon(f"waiting{next(_numbers)}", names=("aoi",))
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(waiting={"hours": 4})
    return made


def full(house: Salon) -> Booking:
    request = book.BookRequest(house.cut, AT, None, 1, HANAKO, "ja")
    return book.book(house.id, request, now=NOON).booking


def joined(house: Salon, locale: str = "ja") -> waiting.Joined:
    wish = waiting.JoinRequest(house.cut, start=AT, locale=locale)
    return waiting.join(house.id, wish, JIRO, now=NOON)


def offered(house: Salon, locale: str = "ja") -> waiting.Joined:
    booking = full(house)
    entry = joined(house, locale)
    actions.cancel(house.id, booking.id, now=NOON, by="staff:1")
    assert waiting.offer(house.id, now=NOON) == 1
    return entry


def tell(house: Salon, made: waiting.Joined, kind: Kind, now: datetime = NOON) -> State | None:
    return deliver_waiting(house.id, made.entry.id, kind, now=now)


def test_it_tells_that_she_is_on_the_list(house: Salon, module_mail: Sink) -> None:
    full(house)
    made = joined(house)
    assert tell(house, made, Kind.JOINED) is State.SENT
    [message] = module_mail.wait()
    assert message["To"] == "jiro@example.com"
    assert message["Subject"] == "【サロン青葉】キャンセル待ちを承りました(2026年11月27日(金))"
    text = text_of(message)
    assert text.startswith("佐藤 二郎 様\n\nキャンセル待ちを承りました。")
    assert "日時  2026年11月27日(金) 14:00\n" in text
    assert f"/w/{made.token}\n" in text
    assert "{" not in text
    assert not [part for part in message.walk() if part.get_content_type() == "text/calendar"]


def test_who_waits_for_a_day_is_told_the_day(house: Salon, module_mail: Sink) -> None:
    with shop(house.id), change():
        Service.objects.filter(id=house.cut).update(segments=[{"minutes": 540, "roles": ["staff"]}])
    book.book(
        house.id,
        book.BookRequest(house.cut, AT - timedelta(hours=4), None, 1, HANAKO, "ja"),
        now=NOON,
    )
    wish = waiting.JoinRequest(house.cut, day=date(2026, 11, 27), locale="en")
    made = waiting.join(house.id, wish, JIRO, now=NOON)
    tell(house, made, Kind.JOINED)
    [message] = module_mail.wait()
    assert message["Subject"] == "Salon Aoba: you are on the waiting list for Friday 27 November 2026"
    assert "When     Friday 27 November 2026\n" in text_of(message)


def test_it_tells_of_an_offer_once_and_until_when_it_is_kept(house: Salon, module_mail: Sink) -> None:
    made = offered(house)
    for _again in range(2):
        assert tell(house, made, Kind.OFFERED) is State.SENT
    [message] = module_mail.wait()
    text = text_of(message)
    assert message["Subject"] == "【サロン青葉】空きが出ました(2026年11月27日(金))"
    assert "日時  2026年11月27日(金) 14:00〜15:00\n期限  2026年11月24日(火) 16:00\n" in text
    assert "キャンセルについて\n前日の20時まで取り消せます。" in text
    token = text.split("/w/")[1].split()[0]
    assert links.resolve_waiting(token).waiting_id == made.entry.id
    assert len(module_mail.messages) == 1
    with shop(house.id):
        assert [(row.kind, row.booking_id, row.state) for row in Message.objects.all()] == [
            ("offered", None, "sent")
        ]


def test_it_writes_in_her_language(house: Salon, module_mail: Sink) -> None:
    tell(house, offered(house, "en"), Kind.OFFERED)
    [message] = module_mail.wait()
    assert message["Subject"] == "Salon Aoba: a place is free on Friday 27 November 2026"
    assert "Until    Tuesday 24 November 2026 16:00 (UTC+9)\n" in text_of(message)


def test_it_says_nothing_of_an_offer_that_is_over(house: Salon, module_mail: Sink) -> None:
    made = offered(house)
    assert tell(house, made, Kind.OFFERED, NOON + timedelta(hours=4)) is None
    waiting.decline_offer(house.id, made.entry.id, now=NOON)
    assert tell(house, made, Kind.OFFERED) is None
    assert tell(house, made, Kind.JOINED) is None
    assert not module_mail.messages


def test_it_says_nothing_of_an_offer_that_the_shop_took_away(house: Salon, module_mail: Sink) -> None:
    made = offered(house)
    with shop(house.id):
        hold = Waiting.objects.get(id=made.entry.id).hold_id
    assert hold is not None
    actions.release(house.id, hold, now=NOON, by="system")
    assert tell(house, made, Kind.OFFERED) is None
    assert not module_mail.messages


def test_a_second_offer_is_told_anew(house: Salon, module_mail: Sink) -> None:
    made = offered(house)
    tell(house, made, Kind.OFFERED)
    with shop(house.id):
        hold = Waiting.objects.get(id=made.entry.id).hold_id
    assert hold is not None
    actions.release(house.id, hold, now=NOON, by="system")
    assert waiting.offer(house.id, now=NOON) == 1
    assert tell(house, made, Kind.OFFERED) is State.SENT
    assert len(module_mail.wait(2)) == 2
