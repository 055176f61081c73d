"""The page that says why a time is not offered: in the engine's words, without anybody's name."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.booking import actions, blocks, why
from noren.booking.asked import Asked
from noren.booking.models import Booking
from noren.engine.model import Reason, Why
from noren.shops import rules
from noren.shops.models import Service
from noren.shops.tenancy import shop
from noren.web import reasons, shopfront
from tests.api.salon import NOON, Salon, salon
from tests.web.conftest import booked

WEDNESDAY = NOON + timedelta(days=1)


def _ask(client: Client, made: Salon, at: datetime, /, **more: int) -> str:
    here = at.astimezone(shopfront.face(made.id, made.slug).zone)  # type: ignore[union-attr]
    query: dict[str, int | str] = {
        "service": made.cut,
        "date": f"{here:%Y-%m-%d}",
        "time": f"{here:%H:%M}",
        **more,
    }
    answer = client.get("/console/why", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_is_offered_has_no_reason(made: Salon, staff: Client) -> None:
    page = _ask(staff, made, WEDNESDAY)
    assert "この時間は予約できます" in page
    assert "前後の空き時間" not in page


SITUATIONS = [
    (NOON - timedelta(hours=1), {}, "過ぎた時間です"),
    (NOON + timedelta(minutes=30), {}, "受付締め切りを過ぎています"),
    (NOON + timedelta(minutes=30), {}, "いま予約できる最も早い時間は11月24日（火） 13:00です"),
    (NOON + timedelta(days=90), {}, "受付期間外です"),
    (WEDNESDAY + timedelta(hours=9), {}, "営業時間に収まりません"),
    (WEDNESDAY + timedelta(hours=9), {}, "この日の営業時間：10:00–19:00"),
    (WEDNESDAY + timedelta(minutes=10), {}, "この時刻からは始められません"),
    (WEDNESDAY, {"party": 3}, "1名様で承るメニューです"),
    (WEDNESDAY, {"nights": 2}, "泊数で予約するメニューではありません"),
]


@pytest.mark.parametrize(("at", "more", "words"), SITUATIONS)
def test_it_says_what_the_engine_says(
    made: Salon, staff: Client, at: datetime, more: dict[str, int], words: str
) -> None:
    assert words in _ask(staff, made, at, **more)


@pytest.mark.parametrize("reason", [reason for reason in Why if reason is not Why.NOT_OFFERED])
def test_it_has_words_for_every_reason(made: Salon, reason: Why) -> None:
    face = shopfront.face(made.id, made.slug)
    assert face is not None
    answer = why.why_not(made.id, Asked(made.cut, WEDNESDAY, None, 1), now=NOON)
    told = replace(answer, reason=Reason(reason))
    speaker = reasons.Speaker(face, Asked(made.cut, WEDNESDAY, None, 1), told, {})
    assert speaker.verdict()
    assert speaker.verdict() != "この時間は予約できます。"


def test_it_names_what_stands_there_by_its_id_and_nobody(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=3)
    taken = [booked(made, day).booking for _ in made.staff[1:]]
    asked = actions.HoldRequest(made.cut, day, None, 1)
    held = actions.hold(made.id, asked, now=NOON)
    page = _ask(staff, made, day)
    assert "担当できる人が空いていません" in page
    for booking in taken:
        assert f'href="/console/bookings/{booking.id}"' in page
    assert f"予約の入力中（{held.id}番）" in page
    assert "山田" not in page
    assert "time=13%3A00" in page  # the nearest free time
    assert staff.get(f"/console/bookings/{held.id}").status_code == 200


def test_a_block_leads_to_its_place_in_the_day(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=4)
    whom = made.staff[0]
    block = blocks.block(made.id, whom, day, day + timedelta(hours=1), now=NOON, by="staff:aoi.salon")
    page = _ask(staff, made, day, staff=whom)
    there = f"/console/day?date={day:%Y-%m-%d}#block-{block}-{whom}"
    assert f'href="{there}"' in page
    assert f'id="block-{block}-{whom}"' in staff.get(there).content.decode()


def test_a_limit_says_how_much_is_used(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=5)
    booked(made, day)
    with shop(made.id), rules.change():
        limits = [{"of": "service", "period": "day", "most": 1}]
        Service.objects.filter(id=made.cut).update(limits=limits)
    try:
        page = _ask(staff, made, day + timedelta(hours=2))
    finally:
        with shop(made.id), rules.change():
            Service.objects.filter(id=made.cut).update(limits=[])
    assert "予約数の上限に達しています" in page
    assert "1日に1件までの上限に達しています（現在1件）" in page


def test_a_booking_that_is_moved_does_not_stand_in_its_own_way(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=6)
    mine = booked(made, day).booking
    later, whom = day + timedelta(minutes=30), mine.staff_id or 0
    assert "空いていません" in _ask(staff, made, later, staff=whom)
    assert "この時間は予約できます" in _ask(staff, made, later, staff=whom, booking=mine.id)


def test_it_is_asked_from_the_day_and_from_a_booking(made: Salon, staff: Client) -> None:
    mine = booked(made, NOON + timedelta(days=7)).booking
    for address in ("/console/day?date=2026-12-01", f"/console/bookings/{mine.id}"):
        assert 'href="/console/why?' in staff.get(address).content.decode()


@pytest.mark.parametrize(
    "query", [{"time": "25:00"}, {"time": "12:00", "date": "2026-13-01"}, {"time": "x"}, {"time": "12:00Z"}]
)
def test_it_says_so_when_there_is_no_such_time(made: Salon, staff: Client, query: dict[str, str]) -> None:
    page = staff.get("/console/why", {"service": str(made.cut), **query}).content.decode()
    assert "日付か時刻が正しくありません" in page


def test_it_knows_no_service_of_another_shop(made: Salon, staff: Client) -> None:
    other = salon("another")
    answer = staff.get(f"/console/why?service={other.cut}&date=2026-11-25&time=12:00")
    assert answer.status_code == 404


def test_it_changes_nothing(made: Salon, staff: Client) -> None:
    with shop(made.id):
        before = list(Booking.objects.order_by("id").values())
    with CaptureQueriesContext(connection) as caught:
        _ask(staff, made, WEDNESDAY)
    with shop(made.id):
        assert list(Booking.objects.order_by("id").values()) == before
    writes = [each["sql"] for each in caught if each["sql"].lstrip().upper().startswith(("INSERT", "DELETE"))]
    assert writes == []
    assert staff.post("/console/why").status_code == 405


def test_it_is_for_members_alone(made: Salon) -> None:
    assert made
    answer = Client().get("/console/why")
    assert answer.status_code == 302
    assert "/console/sign-in" in answer["Location"]
