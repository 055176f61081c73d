"""The team is told of bookings: each as she wishes, never of her own deeds, once, and of nobody by name."""

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections

from noren import clock, errors, people
from noren.booking import actions, late, reception
from noren.booking.models import Booking, Event
from noren.messages import answered, tasks, team_mail, telling
from noren.messages.deliver import NotSentYet
from noren.messages.models import TeamTold, Telling
from noren.messages.telling import About, Member, Way
from noren.people import team
from noren.shops import day_requests, rules
from noren.shops.models import Service, Shop, Staff
from noren.shops.rules import change, remembered
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import AT, booked, weekly
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault import cast

LATER = NOON + timedelta(minutes=5)
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    """A shop with its owner Sora, who does not serve, and Aoi and Ren, who do."""
    assert module_app_db
    assert module_vault
    module_mail.refuse, module_mail.hold = None, False
    number = next(_numbers)
    made = salon(f"team{number}")
    members = [
        people.Member(
            handle="sora", role="owner", staff=None, name="空", mail=f"sora{number}@staff.example.jp"
        ),
        people.Member(
            handle="aoi", role="staff", staff="aoi", name="葵", mail=f"aoi{number}@staff.example.jp"
        ),
        people.Member(
            handle="ren", role="staff", staff="ren", name="蓮", mail=f"ren{number}@staff.example.jp"
        ),
    ]
    people.found_shop(made.id, made.slug, members)
    for each in members:
        cast.join(cast.invitation_of(module_mail, each.mail))
    module_mail.messages.clear()
    return made


def member(house: Salon, name: str) -> Member:
    [found] = [each for each in team.of(house.id) if each.handle == f"{name}.{house.slug}"]
    return Member(found.handle, found.staff, found.permissions)


def wish(house: Salon, name: str, way: Way = Way.MAIL, *, own_only: bool = False, hour: int = 8) -> Member:
    who = member(house, name)
    telling.keep(house.id, who, own_only=own_only, ways=dict.fromkeys(About, way), digest_hour=hour)
    return who


def mailed(mail: Sink) -> list[str]:
    return sorted(str(each["To"]).split("@")[0].rstrip("0123456789") for each in mail.messages)


def text_of(message: Any) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def team_jobs(house: Salon) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name FROM procrastinate_jobs WHERE task_name LIKE 'noren.messages.tasks.team%%' "
            "AND args->>'shop_id' = %s ORDER BY id",
            [str(house.id)],
        )
        return [name.rpartition(".")[2] for (name,) in cursor.fetchall()]


# -- what is standard


def test_nobody_is_mailed_who_has_not_asked_for_it_but_of_requests(house: Salon, module_mail: Sink) -> None:
    booking = booked(house)
    assert team_jobs(house) == []
    assert team_mail.tell(house.id, booking.id) == 0
    with shop(house.id), change():
        Service.objects.filter(id=house.cut).update(approval="keeps")
    asked = booked(house)
    assert team_jobs(house) == ["team"]
    assert team_mail.tell(house.id, asked.id) == 1
    assert mailed(module_mail) == ["sora"]
    assert "承認待ちの申し込み" in text_of(module_mail.messages[0])


def test_a_process_that_has_not_looked_since_tells_whoever_wants_it_now(house: Salon) -> None:
    """Each process remembers a shop's rules; what another has written since is asked for, not remembered."""
    booking = booked(house)
    stale = remembered(house.id)
    assert stale is not None
    wish(house, "sora")
    rules._cache[connection.settings_dict["NAME"], house.id] = stale
    reception.no_show(house.id, booking.id, now=AT + timedelta(hours=1), by="system")
    assert team_jobs(house) == ["team"]


def test_who_serves_is_told_of_her_own_and_who_decides_of_all(house: Salon) -> None:
    sora, aoi = (telling.standard(member(house, name)) for name in ("sora", "aoi"))
    assert (sora.own_only, aoi.own_only) == (False, True)
    assert sora.wants(Way.MAIL) == {About.ASKED}
    assert aoi.wants(Way.MAIL) == frozenset()


# -- what she asked for herself


def asked_day(house: Salon, key: str, day: date) -> int:
    with shop(house.id):
        who = Staff.objects.get(key=key)
        return day_requests.ask(who.id, day, day, [], day_requests.Why.LEAVE, now=NOON).id


def test_she_is_told_of_the_answer_only_where_she_wants_a_mail(house: Salon, module_mail: Sink) -> None:
    """Of one answer once, in the shop's language; nobody else is; taken back, nobody is told of it."""
    first, second = (asked_day(house, key, date(2027, 1, 12)) for key in ("aoi", "ren"))
    wish(house, "aoi")
    for each in (first, second):
        with shop(house.id):
            day_requests.decline(each, now=NOON, by="staff:sora")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.answered' "
            "AND args->>'shop_id' = %s",
            [str(house.id)],
        )
        assert len(cursor.fetchall()) == 2
    assert answered.deliver(house.id, first)
    assert answered.deliver(house.id, first)
    assert not answered.deliver(house.id, second)
    [message] = module_mail.messages
    assert message["Subject"] == "【サロン青葉】お休みの希望への返事"
    text = text_of(message)
    assert "葵 様" in text
    assert "2027年1月12日(火)　お休み\n今回は見送りとなりました。" in text
    assert "/console/me\n" in text
    with shop(house.id), change():
        day_requests.reopen(first, date(2027, 1, 1))
    assert not answered.deliver(house.id, first)
    with shop(house.id), change():
        day_requests.accept(first, date(2027, 1, 1), now=NOON + timedelta(hours=1), by="staff:sora")
    assert answered.deliver(house.id, first)
    assert "承認されました。" in text_of(module_mail.messages[1])
    with shop(house.id):
        day_requests.decline(asked_day(house, "aoi", date(2027, 1, 13)), now=NOON, by="staff:sora")
    assert len(module_mail.messages) == 2


def test_her_own_answer_is_no_news(house: Salon, module_mail: Sink) -> None:
    who = wish(house, "aoi")
    mine = asked_day(house, "aoi", date(2027, 1, 12))
    with shop(house.id):
        day_requests.decline(mine, now=NOON, by=who.by)
    assert not answered.deliver(house.id, mine)
    assert module_mail.messages == []


# -- at once


def test_a_mail_says_what_and_when_and_names_no_customer(house: Salon, module_mail: Sink) -> None:
    wish(house, "aoi")
    booking = booked(house)
    assert team_jobs(house) == ["team"]
    assert team_mail.tell(house.id, booking.id) == 1
    [message] = module_mail.messages
    assert message["Subject"] == "【サロン青葉】予約のお知らせ(1件)"
    text = text_of(message)
    assert text.startswith("葵 様\n")
    assert "新しい予約\n2026年11月27日(金) 14:00〜15:00 · カット · " in text
    assert f"/console/bookings/{booking.id}\n" in text
    assert "山田" not in message.as_string()
    assert "{" not in text


def test_nobody_is_told_of_her_own_deed(house: Salon, module_mail: Sink) -> None:
    aoi = wish(house, "aoi")
    wish(house, "ren")
    booking = booked(house)
    team_mail.tell(house.id, booking.id)
    module_mail.messages.clear()
    actions.cancel(house.id, booking.id, now=LATER, by=aoi.by, told=False)
    assert team_mail.tell(house.id, booking.id) == 1
    assert mailed(module_mail) == ["ren"]


def test_who_wants_her_own_alone_is_told_of_what_is_taken_from_her_too(
    house: Salon, module_mail: Sink
) -> None:
    wish(house, "aoi", own_only=True)
    wish(house, "ren", own_only=True)
    booking = booked(house)
    others = [each for each in house.staff if each != booking.staff_id]
    team_mail.tell(house.id, booking.id)
    keys = dict(zip(house.staff, ("aoi", "ren", "mio"), strict=True))
    assert booking.staff_id is not None
    assert mailed(module_mail) == [keys[booking.staff_id]]
    module_mail.messages.clear()
    to = next(each for each in others if keys[each] != "mio")
    actions.move(house.id, booking.id, AT, to, now=LATER, by="staff:x")
    team_mail.tell(house.id, booking.id)
    assert mailed(module_mail) == ["aoi", "ren"]


def test_what_happens_within_the_minutes_is_one_mail(house: Salon, module_mail: Sink) -> None:
    wish(house, "ren")
    booking = booked(house)
    actions.move(house.id, booking.id, AT + timedelta(hours=1), None, now=LATER, by="customer")
    actions.cancel(house.id, booking.id, now=LATER, by="customer")
    assert team_jobs(house) == ["team"] * 3
    assert team_mail.tell(house.id, booking.id) == 1
    assert team_mail.tell(house.id, booking.id) == 0
    [message] = module_mail.messages
    assert "新しい予約 → 変更 → 取り消し" in text_of(message)


def test_a_series_is_one_mail(house: Salon, module_mail: Sink) -> None:
    wish(house, "ren")
    bookings = weekly(house)
    assert team_mail.tell(house.id, bookings[0].id) == 1
    [message] = module_mail.messages
    assert message["Subject"] == "【サロン青葉】予約のお知らせ(3件)"
    assert text_of(message).count("/console/bookings/") == 3


def test_that_she_is_late_or_did_not_come_is_told(house: Salon, module_mail: Sink) -> None:
    wish(house, "ren")
    booking = booked(house)
    team_mail.tell(house.id, booking.id)
    late.tell(house.id, booking.id, 10, now=booking.start - timedelta(minutes=20), by="customer")
    reception.no_show(house.id, booking.id, now=booking.start + timedelta(hours=1), by="staff:x")
    assert team_jobs(house) == ["team"] * 3
    assert team_mail.tell(house.id, booking.id) == 1
    assert "遅れ・無断キャンセル" in text_of(module_mail.messages[-1])


def test_a_hold_that_was_let_go_is_no_news(house: Salon) -> None:
    ren = wish(house, "ren")
    held = actions.hold(house.id, actions.HoldRequest(house.cut, AT, None, 1), now=NOON)
    actions.release(house.id, held.id, now=NOON)
    assert team_mail.tell(house.id, held.id) == 0
    assert telling.news(house.id, ren, telling.of(house.id, ren), now=NOON) == []


def test_it_waits_some_minutes_and_for_the_end_of_quiet_hours(
    house: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert team_mail.due(house.id, now=NOON) == NOON + timedelta(minutes=5)
    with shop(house.id), change():
        Shop.objects.update(quiet={"from": 22 * 60, "to": 8 * 60})
    night = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # 23:00 in Tokyo
    assert team_mail.due(house.id, now=night) == datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    for _ in range(2):
        tasks.team(house.id, 7)
    assert team_jobs(house) == ["team_told"]


def test_a_mail_server_that_is_away_is_asked_again_and_nobody_is_told_twice(
    house: Salon, module_mail: Sink
) -> None:
    wish(house, "ren")
    wish(house, "aoi")
    booking = booked(house)
    module_mail.refuse = "451 later"
    with pytest.raises(NotSentYet):
        team_mail.tell(house.id, booking.id)
    module_mail.refuse = None
    actions.cancel(house.id, booking.id, now=LATER, by="customer")
    assert team_mail.tell(house.id, booking.id) == 4  # what was begun, and then what is new
    assert mailed(module_mail) == ["aoi", "aoi", "ren", "ren"]
    assert team_mail.tell(house.id, booking.id) == 0


def test_killed_in_the_middle_it_tells_of_the_same_and_sends_no_key_twice(
    house: Salon, module_vault: VaultProcess, module_mail: Sink
) -> None:
    """The vault is killed when the mail server has the first mail: it is in doubt, the second goes."""
    wish(house, "aoi")
    wish(house, "ren")
    booking = booked(house)
    module_mail.hold = True

    def send() -> None:
        try:
            with pytest.raises(errors.VaultUnavailable):
                team_mail.tell(house.id, booking.id)
        finally:
            connections.close_all()

    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: len(module_mail.messages) > 0)
    module_vault.kill()
    sending.join(60)
    module_mail.hold = False
    module_vault.start()
    with shop(house.id):
        row = TeamTold.objects.get(about=booking.id)
    assert row.upto > row.done
    for _ in range(2):
        team_mail.tell(house.id, booking.id)
    assert mailed(module_mail) == ["aoi", "ren"]


# -- once a day


def test_a_digest_has_all_of_a_day_and_goes_once(house: Salon, module_mail: Sink) -> None:
    wish(house, "ren", Way.DIGEST, hour=18)
    wish(house, "aoi", Way.DIGEST, hour=9)
    first, second = booked(house), booked(house)
    actions.cancel(house.id, first.id, now=LATER, by="customer")
    assert team_jobs(house) == []
    since, until = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    for _ in range(2):
        assert team_mail.digest(house.id, 18, since=since, until=until) == 1
    assert mailed(module_mail) == ["ren"]
    text = text_of(module_mail.messages[0])
    assert "新しい予約 → 取り消し" in text
    assert f"/console/bookings/{second.id}\n" in text
    assert team_mail.digest(house.id, 18, since=until, until=until + timedelta(days=1)) == 0


def test_each_digest_plans_the_next_as_long_as_somebody_wants_one(
    house: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    ren = wish(house, "ren", Way.DIGEST, hour=18)
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def planned() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT scheduled_at, args->>'since' FROM procrastinate_jobs "
                "WHERE task_name = 'noren.messages.tasks.digest' AND args->>'shop_id' = %s ORDER BY id",
                [str(house.id)],
            )
            return list(cursor.fetchall())

    for _ in range(2):
        tasks.plan_digest(house.id, 18)
    evening = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    [(at, _since)] = planned()
    assert at.astimezone(UTC).hour == evening.hour
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.digest'")
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=1))
    tasks.digest(house.id, 18, NOON.isoformat(), at.isoformat())
    [(following, since)] = planned()
    assert following == at + timedelta(days=1)
    assert datetime.fromisoformat(since) == at
    telling.keep(house.id, ren, own_only=False, ways=dict.fromkeys(About, Way.LIST), digest_hour=18)
    assert not team_mail.wants_digest(house.id, 18)


# -- in the console


def test_the_list_has_what_is_new_until_she_has_looked(house: Salon) -> None:
    sora = member(house, "sora")
    first = booked(house)
    found = telling.news(house.id, sora, telling.of(house.id, sora), now=NOON)
    assert [(each.booking.id, each.about) for each in found] == [(first.id, About.NEW)]
    telling.looked(house.id, sora, upto=found[0].event.id)
    assert telling.news(house.id, sora, telling.of(house.id, sora), now=NOON) == []
    actions.cancel(house.id, first.id, now=NOON, by="customer")
    telling.looked(house.id, sora, upto=1)  # an older page
    found = telling.news(house.id, sora, telling.of(house.id, sora), now=NOON)
    assert [each.about for each in found] == [About.CANCELLED]
    assert telling.news(house.id, sora, telling.of(house.id, sora), now=NOON + timedelta(days=20)) == []


def test_looking_chooses_nothing(house: Salon) -> None:
    aoi = member(house, "aoi")
    booked(house)
    with shop(house.id):
        newest = Event.objects.latest("id").id
        assert Booking.objects.exists()
    telling.looked(house.id, aoi, upto=newest + 1000)
    with shop(house.id):
        row = Telling.objects.get(handle=aoi.handle)
    assert row.seen == newest
    assert telling.choice(aoi, row).ways == telling.standard(aoi).ways
    assert telling.choice(aoi, row).own_only
