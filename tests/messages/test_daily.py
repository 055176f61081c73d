"""The owners' mail of the morning, through the real vault to a real SMTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

import noren_verify
from noren import clock, people
from noren.booking import book
from noren.booking import tasks as booking_tasks
from noren.messages import daily, tasks
from noren.messages.deliver import NotSentYet
from noren.people import Member
from noren.shops import described
from noren.shops.models import Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.vault import cast

AT = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)  # a Friday, 14:00 in Tokyo
MORNING = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)  # that Friday, 07:00 in Tokyo
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Iterator[Salon]:
    """A shop with two owners and one more, of whom one owner has not joined yet."""
    assert module_app_db
    module_mail.refuse = None
    number = next(_numbers)
    made = salon(f"daily{number}")
    roles = {"aoi": "owner", "sora": "owner", "ren": "staff"}
    people.found_shop(made.id, made.slug, [_member(who, role, number) for who, role in roles.items()])
    for who in ("aoi", "ren"):
        cast.join(cast.invitation_of(module_mail, f"{who}{number}@staff.example.jp"))
    module_mail.messages.clear()
    with override_settings(LEDGER=module_vault.ledger):
        yield made


def _member(handle: str, role: str, number: int) -> Member:
    mail = f"{handle}{number}@staff.example.jp"
    return Member(handle=handle, role=role, staff=handle, name=f"{handle}さん", mail=mail)


def _text(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def _booked(house: Salon, at: datetime) -> None:
    customer = book.Customer(
        name="山田 花子", mail="hanako@example.com", kana="ヤマダ", phone="090-1234-5678"
    )
    book.book(house.id, book.BookRequest(house.cut, at, None, 1, customer, "ja"), now=NOON)


def test_it_writes_to_each_owner_once_a_day(
    house: Salon, module_mail: Sink, module_vault: VaultProcess
) -> None:
    """Today's number, and the checkpoint word for word: it verifies out of the mail. Nobody else gets it."""
    _booked(house, AT)
    _booked(house, AT + timedelta(days=1))
    assert daily.deliver(house.id, now=MORNING) == 1
    assert daily.deliver(house.id, now=MORNING + timedelta(hours=1)) == 1
    (mail,) = module_mail.messages
    assert str(mail["To"]).startswith("aoi")
    assert "本日のご予約 1件(2026年11月27日(金))" in str(mail["Subject"])
    text = _text(mail)
    assert text.startswith("aoiさん 様\n")
    assert "本日のご予約は1件です。" in text
    assert "確認をお待ち" not in text
    note = text[text.index("noren/") : text.rindex("\n\n") + 1]
    (module_vault.folder / "mailed").write_text(note)
    vkey = (module_vault.ledger / "vkey").read_text().strip()
    kept = str(module_vault.folder / "mailed")
    assert noren_verify.main([str(module_vault.ledger), "--key", vkey, "--checkpoint", kept]) == 0


def test_it_writes_english_and_of_what_waits(house: Salon, module_mail: Sink) -> None:
    """In the shop's language; with a link where somebody must look."""
    _booked(house, AT)
    with shop(house.id), change():
        Shop.objects.update(locale="en")
    with shop(house.id), connection.cursor() as cursor:
        cursor.execute("UPDATE booking_booking SET attention = 'hours' WHERE shop_id = %s", [house.id])
    daily.deliver(house.id, now=MORNING)
    text = _text(module_mail.messages[-1])
    assert text.startswith("Dear aoiさん,\n\nGood morning. Bookings today: 1.\n")
    assert "Bookings that wait for your look: 1." in text
    assert "/console/attention" in text


def test_it_writes_nothing_where_the_shop_wants_none(house: Salon, module_mail: Sink) -> None:
    with shop(house.id), change():
        Shop.objects.update(daily_mail=False)
    assert daily.deliver(house.id, now=MORNING) == 0
    assert not module_mail.messages


def test_it_tries_again_what_the_mail_server_refused(house: Salon, module_mail: Sink) -> None:
    module_mail.refuse = "451 later"
    with pytest.raises(NotSentYet):
        daily.deliver(house.id, now=MORNING)
    module_mail.refuse = None
    assert daily.deliver(house.id, now=MORNING) == 1
    assert len(module_mail.messages) == 1


def test_it_is_planned_for_the_next_morning_of_the_shop(
    house: Salon, module_mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the rules plans it, once; and each morning plans the next."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    booking_tasks.follow_rules(house.id)
    booking_tasks.follow_rules(house.id)
    assert _planned(house, "plan_morning") == 2
    tasks.plan_morning(house.id)
    tasks.plan_morning(house.id)
    assert _due(house) == [daily.next_morning(house.id, now=NOON)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing' "
            "WHERE task_name LIKE '%%.morning' AND args @> %s::jsonb",
            [f'{{"shop_id": {house.id}}}'],
        )
    monkeypatch.setattr(clock, "now", lambda: MORNING)
    tasks.morning(house.id)
    assert _due(house)[-1] == MORNING + timedelta(days=1)
    assert len(module_mail.messages) == 1


def _planned(house: Salon, task: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND args @> %s::jsonb",
            [f"noren.messages.tasks.{task}", f'{{"shop_id": {house.id}}}'],
        )
        return int(cursor.fetchone()[0])


def _due(house: Salon) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.morning' "
            "AND args @> %s::jsonb ORDER BY id",
            [f'{{"shop_id": {house.id}}}'],
        )
        return [at for (at,) in cursor.fetchall()]


def test_it_knows_the_next_morning(house: Salon) -> None:
    """Seven by the wall's clock, today's while it is still to come."""
    assert daily.next_morning(house.id, now=MORNING - timedelta(seconds=1)) == MORNING
    assert daily.next_morning(house.id, now=MORNING) == MORNING + timedelta(days=1)


def test_it_has_a_switch_in_the_shops_file() -> None:
    """On where the file does not speak of it."""
    text = (Path(__file__).parents[2] / "examples" / "salon.toml").read_text(encoding="utf-8")
    assert described.read(text).columns["daily_mail"] is True
    assert described.read(f"daily_mail = false\n{text}").columns["daily_mail"] is False
