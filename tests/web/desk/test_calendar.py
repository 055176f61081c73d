"""The calendar's other views: week, month and list. Each has a table; names come with the day they are of."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import actions, blocks, classes
from noren.booking.models import Booking, ClassSession, Status
from noren.shops import rules
from noren.shops.models import Override, Resource, Service, Shop
from noren.shops.tenancy import shop
from noren.web import calendar_week, lanes, shopfront
from noren.web.lanes import Piece, Span
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked

_days = count(14)
VIEWS = ("/console/day", "/console/calendar/week", "/console/calendar/month", "/console/calendar/list")


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def someday(made: Salon, **customer: str) -> Booking:
    return booked(made, NOON + timedelta(days=next(_days)), **customer).booking


@contextmanager
def ruled(made: Salon, **columns: object) -> Iterator[None]:
    """The shop with other rules, as long as it is asked for."""
    with shop(made.id), rules.change():
        before = Shop.objects.filter().values(*columns).get()
        Shop.objects.filter().update(**columns)
    yield
    with shop(made.id), rules.change():
        Shop.objects.filter().update(**before)


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_leads_to_the_others_of_the_same_day(staff: Client, view: str) -> None:
    page = text(staff, f"{view}?date=2027-02-03")
    for other in VIEWS:
        assert re.search(rf'href="{other}\?date=2027-02-03[^"]*"', page), other
    assert page.count("aria-current") >= 2
    if not view.endswith("list"):
        assert "<table" in page


@pytest.mark.parametrize("view", VIEWS)
def test_a_day_that_cannot_be_is_today(staff: Client, view: str) -> None:
    for day in ("0001-01-01", "9999-12-31", "x", "2026-02-30", "2200-01-01", "2000-01-01"):
        assert staff.get(view, {"date": day}).status_code == 200


def test_week_and_month_show_when_and_what_and_nobody(
    made: Salon, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = someday(made)
    monkeypatch.setattr(people, "reveal", None)
    on = f"{booking.start:%Y-%m-%d}"
    week = text(staff, f"/console/calendar/week?date={on}")
    assert f"/console/bookings/{booking.id}" in week
    assert "カット" in week
    month = text(staff, f"/console/calendar/month?date={on}")
    cell = re.search(rf'<td[^>]*><a href="/console/day\?date={on}"[^>]*>(.*?)</a>', month, re.DOTALL)
    assert cell is not None
    assert "予約 1 件" in cell[1]
    # Three of the staff are there nine hours; one of the hours is taken.
    assert "予約 4 %" in cell[1]
    assert "26時間" in cell[1]
    for page in (week, month):
        assert "山田 花子" not in page
        assert str(booking.person_id)[:6] not in page


def test_the_week_of_one_shows_what_takes_her_time(made: Salon, staff: Client) -> None:
    at = NOON + timedelta(days=next(_days))
    block = blocks.block(made.id, made.staff[0], at, at + timedelta(hours=1), now=NOON, by="staff:1")
    booking = booked(made, at + timedelta(hours=2)).booking
    assert booking.staff_id is not None
    hers, others = (
        text(staff, f"/console/calendar/week?date={at:%Y-%m-%d}&of={who}") for who in made.staff[:2]
    )
    assert f"block-{block}" not in others
    assert "予約不可" in hers
    with_whom = hers if booking.staff_id == made.staff[0] else others
    assert f"/console/bookings/{booking.id}" in with_whom
    blocks.unblock(made.id, block)


def test_the_week_begins_when_the_shops_does(made: Salon, staff: Client) -> None:
    with ruled(made, week_start=6):
        page = text(staff, "/console/calendar/week?date=2026-12-02")
        assert page.index("date=2026-11-29") < page.index('date=2026-12-05"')
        month = text(staff, "/console/calendar/month?date=2026-12-02")
    assert "日曜日" in month.partition("月曜日")[0]


def test_holidays_and_closings_are_named(made: Salon, staff: Client) -> None:
    with ruled(made, holiday_region="JP"):
        with shop(made.id), rules.change():
            Override.objects.create(date=date(2027, 1, 13), ranges=[], why="training")
        pages = [text(staff, f"/console/calendar/{view}?date=2027-01-12") for view in ("week", "month")]
        with shop(made.id), rules.change():
            Override.objects.all().delete()
    for page in pages:
        assert "祝日" in page
        assert "研修" in page
        assert "休み" in page


def test_the_list_shows_names_of_today_and_tomorrow_and_of_a_day_by_a_tap(made: Salon, staff: Client) -> None:
    tomorrow = booked(made, NOON + timedelta(days=1), name="明日 あさこ", mail="asako@example.jp").booking
    other = booked(made, NOON + timedelta(days=3), name="先野 みらい", mail="mirai@example.jp").booking
    page = text(staff, "/console/calendar/list")
    assert "明日 あさこ" in page
    assert "先野 みらい" not in page
    assert f"/console/bookings/{other.id}" in page
    shown = staff.post("/console/calendar/list?date=2026-11-24", {"day": "2026-11-27"}).content.decode()
    assert "先野 みらい" in shown
    for each in (tomorrow, other):
        actions.cancel(made.id, each.id, now=NOON, by="staff:1")


def test_the_list_is_narrowed(made: Salon, staff: Client) -> None:
    booking = someday(made)
    on = f"{booking.start:%Y-%m-%d}"
    there = f"/console/bookings/{booking.id}"
    listed = f"/console/calendar/list?date={on}&last={on}"
    assert there in text(staff, f"{listed}&service={made.cut}&staff={booking.staff_id}&state=confirmed")
    other = next(each for each in made.staff if each != booking.staff_id)
    for narrowed in (f"service={made.lesson}", f"staff={other}", "state=pending"):
        page = text(staff, f"{listed}&{narrowed}")
        assert there not in page
        assert 'class="blank"' in page
    actions.cancel(made.id, booking.id, now=NOON, by="staff:1")
    assert there not in text(staff, listed)
    assert there in text(staff, f"{listed}&state=cancelled")


def test_a_long_list_goes_on(made: Salon, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noren.web.calendar_list.MOST", 2)
    at = NOON + timedelta(days=next(_days))
    rows = [booked(made, at, mail=f"n{n}@example.jp").booking for n in range(3)]
    on = f"{at:%Y-%m-%d}"
    first = text(staff, f"/console/calendar/list?date={on}&last={on}")
    further = re.search(r'href="([^"]*skip=2[^"]*)"', first)
    assert further is not None
    second = text(staff, further[1].replace("&amp;", "&"))
    pages = [{row.id for row in rows if f"/console/bookings/{row.id}" in page} for page in (first, second)]
    assert [len(each) for each in pages] == [2, 1]
    assert pages[0] | pages[1] == {row.id for row in rows}


def test_a_stay_is_on_each_of_its_days_and_a_class_once(made: Salon, staff: Client) -> None:
    with shop(made.id), rules.change():
        house = Resource.objects.create(key="hut", kind="cottage", texts={"name": {"ja": "白樺"}}).id
        cottage = Service.objects.create(
            key="hut",
            texts={"name": {"ja": "コテージ"}},
            segments=[{"minutes": 60, "roles": ["house"]}],
            requirements=[{"role": "house", "pool": [house]}],
            stay={"out": 660, "least": [1] * 7, "most": 5},
        ).id
    monday = datetime(2026, 12, 14, 3, tzinfo=UTC)
    held = actions.hold(made.id, actions.HoldRequest(cottage, monday, None, 1, nights=2), now=NOON)
    actions.confirm(made.id, held.id, uuid4(), now=NOON, locale="ja", consent=1)
    for of in ("", f"&of={house}"):
        week = text(staff, f"/console/calendar/week?date=2026-12-16{of}").partition("as-table")[0]
        assert week.count(f'href="/console/bookings/{held.id}"') == 3, of
    classes.schedule(made.id, now=NOON)
    with shop(made.id):
        session = ClassSession.objects.filter(start__gte=NOON + timedelta(days=10)).earliest("start")
    on = session.start.astimezone(UTC).date()
    grid = text(staff, f"/console/calendar/week?date={on}").partition("as-table")[0]
    assert grid.count("block session") == 1
    assert "講座" in grid


def test_a_night_is_drawn_where_it_begins(made: Salon, staff: Client) -> None:
    with shop(made.id), rules.change():
        Override.objects.create(date=date(2027, 1, 20), ranges=[[600, 1560]])
    at = datetime(2027, 1, 20, 14, 30, tzinfo=UTC)  # 23:30 in Tokyo
    booking = booked(made, at).booking
    for view in ("day", "calendar/week"):
        page = text(staff, f"/console/{view}?date=2027-01-20").partition("as-table")[0]
        assert page.count(f'href="/console/bookings/{booking.id}"') == 1
        assert 'data-h="23" data-m="30" data-lh="1" data-lm="0"' in page
        assert "25:00" in page
    after = text(staff, "/console/day?date=2027-01-21").partition("as-table")[0]
    assert f"/console/bookings/{booking.id}" not in after


def test_what_begins_after_midnight_stands_on_the_evening_it_belongs_to(made: Salon, staff: Client) -> None:
    """Open until two in the morning: one is drawn there, and in the week on its own date."""
    with shop(made.id), rules.change():
        Override.objects.create(date=date(2026, 12, 11), ranges=[[600, 1560]])
    booking = booked(made, datetime(2026, 12, 11, 16, tzinfo=UTC)).booking  # one in the morning in Tokyo
    page = text(staff, "/console/day?date=2026-12-11").partition("as-table")[0]
    assert page.count(f'href="/console/bookings/{booking.id}"') == 1
    assert 'data-h="25" data-m="0" data-lh="1" data-lm="0"' in page
    week = text(staff, f"/console/calendar/week?date=2026-12-11&of={booking.staff_id}")
    assert week.partition("as-table")[0].count(f'href="/console/bookings/{booking.id}"') == 1


@pytest.mark.parametrize(
    ("start", "hour", "length"),
    [
        # In Berlin the clock goes from 2 to 3 on 29 March 2026, and from 3 to 2 on 25 October.
        (datetime(2026, 3, 29, 8, tzinfo=UTC), 10, 60),
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 1, 120),
        (datetime(2026, 10, 25, 9, tzinfo=UTC), 10, 60),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 2, 60),
    ],
)
def test_on_the_day_the_clock_changes_a_visit_stands_where_the_wall_says(
    made: Salon, start: datetime, hour: int, length: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    here = start.astimezone(zone)
    end = (start + timedelta(hours=1)).astimezone(zone)
    span = lanes.span(here, end, here.date())
    assert (span.start // 60, span.end - span.start) == (hour, length)


def test_the_day_is_drawn_by_the_wall_when_the_clock_has_changed(made: Salon, staff: Client) -> None:
    booking = someday(made)
    face = shopfront.face(made.id, made.slug)
    assert face is not None
    for zone in ("Asia/Tokyo", "Europe/Berlin"):
        with ruled(made, zone=zone):
            local = booking.start.astimezone(ZoneInfo(zone))
            page = text(staff, f"/console/day?date={local:%Y-%m-%d}")
        assert f'data-h="{local.hour}" data-m="{local.minute}" data-lh="1"' in page


def test_those_of_one_time_share_a_column_and_none_is_lost() -> None:
    spans = [(600, 660), (600, 720), (630, 700), (720, 780), (790, 800)]
    pieces = [Piece(Span(*span), f"{number}", "", "", "") for number, span in enumerate(spans)]
    placed = calendar_week._placed(pieces, Span(540, 1200))
    assert {(one.piece.title, one.at, one.of) for one in placed} == {
        ("1", 0, 3),
        ("0", 1, 3),
        ("2", 2, 3),
        ("3", 0, 1),
        ("4", 0, 1),
    }


@pytest.mark.parametrize("view", [*VIEWS[1:], "/console/calendar/week?of=1"])
def test_it_asks_for_as_few_rows_where_there_are_more(made: Salon, staff: Client, view: str) -> None:
    at = NOON + timedelta(days=next(_days))
    address = view.replace("of=1", f"of={made.staff[0]}")
    address += f"{'&' if '?' in address else '?'}date={at:%Y-%m-%d}"

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(address).status_code == 200
        return len(caught)

    booked(made, at, mail="q0@example.jp")
    asked()
    one = asked()
    for number in range(1, 7):
        booked(made, at + timedelta(hours=number % 5), mail=f"q{number}@example.jp")
    assert asked() == one


def test_a_pending_visit_says_so_in_each_view(made: Salon, staff: Client) -> None:
    row = someday(made)
    with shop(made.id):
        Booking.objects.filter(id=row.id).update(status=Status.PENDING)
    on = f"{row.start:%Y-%m-%d}"
    assert "お店の確認待ち" in text(staff, f"/console/calendar/week?date={on}")
    assert 'class="block pending' in text(staff, f"/console/calendar/week?date={on}&of={row.staff_id}")
    assert "1件が確認待ち" in text(staff, f"/console/calendar/month?date={on}")
    assert "お店の確認待ち" in text(staff, f"/console/calendar/list?date={on}&last={on}")
