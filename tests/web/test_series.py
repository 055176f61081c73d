"""Several dates at once, without JavaScript: the report, what she ticks, one form, and what follows."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from noren import clock, people
from noren.booking import actions, classes, series
from noren.booking.models import Booking, Status
from noren.errors import LimitReached
from noren.shops.models import Service, Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from noren.web import reserve
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

WEEK = timedelta(days=7)
TOKYO = ZoneInfo("Asia/Tokyo")


def dates(made: Salon, base: str = "/salon", **said: Any) -> Visitor:
    """A customer at the report of a rhythm that begins tomorrow at noon."""
    wanted = {"at": int(TOMORROW.timestamp()), "every": 1, "times": 4, **said}
    customer = Visitor()
    customer.open(f"{base}/book/{made.cut}/dates?{urlencode(wanted)}")
    return customer


def stamps(*at: datetime) -> list[str]:
    return [str(int(each.timestamp())) for each in at]


def ticked(customer: Visitor) -> list[str]:
    [form] = [form for form in customer.forms() if "key" in form.values]
    return list(form.values.get("date", []))


def offered(customer: Visitor) -> list[str]:
    return re.findall(r'name="date" value="(\d+)"', customer.text)


def take(made: Salon, at: datetime) -> None:
    """Everybody who serves is busy then."""
    for staff in made.staff:
        actions.hold(made.id, actions.HoldRequest(made.cut, at, staff, 1, f"{at}{staff}"), now=clock.now())


def rows(made: Salon, **only: Any) -> list[Booking]:
    with shop(made.id):
        return list(Booking.objects.filter(**only).order_by("start", "id"))


def change_service(made: Salon, service: int, **columns: Any) -> None:
    with shop(made.id), change():
        Service.objects.filter(id=service).update(**columns)


# -- the way there


def test_it_leads_from_a_chosen_time_to_its_dates(made: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/?staff={made.staff[0]}")
    customer.press("at", stamps(TOMORROW)[0])
    [more] = re.findall(r'href="(/salon/book/\d+/dates\?[^"]+)"', customer.text)
    customer.open(more.replace("&amp;", "&"))
    # Her own hold does not stand in her way, and is let go when she goes on.
    assert ticked(customer) == stamps(*(TOMORROW + n * WEEK for n in range(4)))
    customer.press("step", "hold")
    assert [row.start for row in rows(made, status=Status.HELD)] == [TOMORROW + n * WEEK for n in range(4)]


@pytest.mark.parametrize("columns", [{"series": {}}, {"series": {"most": 1}}])
def test_it_is_nowhere_that_the_shop_does_not_offer_it(made: Salon, columns: dict[str, Any]) -> None:
    change_service(made, made.cut, **columns)
    customer = dates(made)
    assert customer.now_at.startswith(f"/salon/book/{made.cut}/?") or customer.now_at.endswith(f"{made.cut}/")
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at")
    assert "/dates" not in customer.text
    posted = customer.client.post(f"/salon/book/{made.cut}/dates", {"date": stamps(TOMORROW)})
    assert posted.status_code == 302
    assert "/you" not in posted["Location"]


# -- the report


def test_case_075_it_reports_on_every_date_and_she_chooses(made: Salon) -> None:
    take(made, TOMORROW + WEEK)
    customer = dates(made)
    assert "4日のうち3日が空いています" in customer.text
    free = stamps(TOMORROW, TOMORROW + 2 * WEEK, TOMORROW + 3 * WEEK)
    assert ticked(customer) == free
    # The nearest is offered, and is hers only when she ticks it.
    [near] = [each for each in offered(customer) if each not in free]
    customer.press("step", "hold", date=[*free, near])
    held = rows(made, status=Status.HELD, series_id__isnull=False)
    assert sorted(stamps(*(row.start for row in held))) == sorted([*free, near])


def test_case_075_she_skips_what_is_not_free(made: Salon) -> None:
    take(made, TOMORROW + WEEK)
    customer = dates(made)
    customer.press("step", "hold")
    held = rows(made, status=Status.HELD, series_id__isnull=False)
    assert [row.start for row in held] == [TOMORROW + n * WEEK for n in (0, 2, 3)]
    assert "全3回" in customer.text


def test_case_076_the_count_includes_the_first_and_the_last_day_its_own(made: Salon) -> None:
    assert len(ticked(dates(made, times=3))) == 3
    until = (TOMORROW + 2 * WEEK).date()
    assert len(ticked(dates(made, until=until))) == 3
    assert len(ticked(dates(made, until=until - timedelta(days=1)))) == 2


def test_case_027_it_stays_at_the_time_on_the_wall(made: Salon) -> None:
    with shop(made.id), change():
        Shop.objects.update(zone="Europe/Berlin")
    change_service(made, made.cut, horizon={"kind": "days", "days": 400})
    at = datetime(2027, 3, 22, 11, tzinfo=ZoneInfo("Europe/Berlin"))
    found = [datetime.fromtimestamp(int(each), at.tzinfo) for each in ticked(dates(made, at=stamps(at)[0]))]
    assert [each.hour for each in found] == [11] * 4
    assert len({each.utcoffset() for each in found}) == 2


@pytest.mark.parametrize("every", ["2", "4", "month"])
def test_it_knows_other_rhythms(made: Salon, every: str) -> None:
    first, second = (int(each) for each in ticked(dates(made, every=every, times=2)))
    days = (second - first) // 86_400
    # The fourth Wednesday of November and that of December.
    assert days == {"2": 14, "4": 28, "month": 28}[every]


@pytest.mark.parametrize(
    ("said", "status"),
    [({"times": 101}, 422), ({"until": "2026-11-01"}, 422), ({"every": "x"}, 200), ({"times": "٣"}, 200)],
)
def test_it_says_what_is_wrong_and_keeps_the_question(made: Salon, said: Any, status: int) -> None:
    customer = dates(made, **said)
    assert customer.page.status_code == status
    assert 'name="every"' in customer.text


def test_it_asks_for_a_tick(made: Salon) -> None:
    customer = dates(made)
    customer.press("step", "hold", date=[])
    assert customer.page.status_code == 422
    assert "日時を選んでください" in customer.text
    assert rows(made) == []


def test_reading_the_report_writes_nothing(made: Salon) -> None:
    dates(made)
    assert rows(made) == []


def test_going_back_and_ticking_others_lets_the_first_ones_go(made: Salon) -> None:
    customer = dates(made)
    before, at = customer.page, customer.now_at
    customer.press("step", "hold")
    customer.page, customer.now_at = before, at
    customer.press("step", "hold")  # twice is once
    assert len(rows(made, status=Status.HELD)) == 4
    customer.page, customer.now_at = before, at
    customer.press("step", "hold", date=ticked_of(before)[:2])
    assert [row.start for row in rows(made, status=Status.HELD)] == [TOMORROW, TOMORROW + WEEK]


def ticked_of(page: Any) -> list[str]:
    return re.findall(r'name="date" value="(\d+)"', page.content.decode())


# -- to the booking


def booked(made: Salon, **said: Any) -> Visitor:
    customer = dates(made, **said)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    return customer


def test_it_books_all_dates_with_one_form(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    for words in ("26,400円", "11月25日（水）", "12月16日（水）", "全4回", "それぞれの日から数えて"):
        assert words in customer.text
    customer.press("step", "book")
    assert customer.now_at.startswith("/b/")
    found = rows(made)
    assert {row.status for row in found} == {Status.CONFIRMED}
    assert len({row.person_id for row in found}) == 1
    assert len({row.series_id for row in found}) == 1
    links = set(re.findall(r'<li[^>]*><a href="(/b/[^"]+)"', customer.text))
    assert len(links) == 3
    for link in links:
        customer.open(link)
        assert "まとめて予約した4回" in customer.text


def test_a_lost_race_keeps_the_form_and_shows_the_report_anew(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault
    slow = dates(made)
    slow.press("step", "hold")
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=30))
    take(made, TOMORROW + WEEK)
    slow.press("step", "final", **CUSTOMER)
    assert slow.page.status_code == 409
    assert 'value="山田 花子"' in slow.text
    assert "4日のうち3日が空いています" in slow.text
    assert rows(made, series_id__isnull=False, status=Status.HELD) == []
    slow.press("step", "dates")
    assert "この日程を確保しました" in slow.text
    assert "全3回" in slow.text
    slow.press("step", "book")
    assert slow.now_at.startswith("/b/")
    assert len(rows(made, status=Status.CONFIRMED)) == 3


def test_a_race_lost_on_the_report_shows_it_anew(made: Salon) -> None:
    slow = dates(made)
    take(made, TOMORROW + WEEK)
    slow.press("step", "hold")
    assert slow.page.status_code == 409
    assert ticked(slow) == stamps(TOMORROW, TOMORROW + 2 * WEEK, TOMORROW + 3 * WEEK)
    assert rows(made, series_id__isnull=False) == []


def test_it_takes_the_dates_again_when_the_holds_ran_out_and_nobody_came(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=30))
    customer.press("step", "book")
    assert len(rows(made, status=Status.CONFIRMED)) == 4


def test_pressed_twice_it_is_booked_once(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    before, at = customer.page, customer.now_at
    customer.press("step", "book")
    there = customer.now_at
    customer.page, customer.now_at = before, at
    customer.press("step", "book")
    assert customer.now_at == there
    assert len(rows(made)) == 4


def test_a_limit_of_hers_lets_the_dates_go_and_keeps_the_form(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault

    def refuse(*_args: Any, **_named: Any) -> None:
        raise LimitReached

    monkeypatch.setattr(series, "confirm_series", refuse)
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert customer.page.status_code == LimitReached.status
    assert 'value="山田 花子"' in customer.text
    assert rows(made, status=Status.HELD) == []


def test_without_the_vault_nothing_is_held_and_the_form_stays(made: Salon) -> None:
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert customer.page.status_code == 503
    assert 'value="山田 花子"' in customer.text
    assert rows(made, status=Status.HELD) == []


def test_she_chooses_other_dates_and_the_first_ones_are_free(made: Salon) -> None:
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "other")
    assert "/dates?" in customer.now_at
    assert rows(made, status=Status.HELD) == []
    assert ticked(customer) == stamps(*(TOMORROW + n * WEEK for n in range(4)))


def test_choosing_another_single_time_lets_all_dates_go(made: Salon) -> None:
    customer = dates(made)
    customer.press("step", "hold")
    held = re.findall(r'name="held" value="([^"]+)"', customer.text)[0]
    answer = customer.client.post(f"/salon/book/{made.cut}/", {"at": stamps(TOMORROW)[0], "held": held})
    assert answer.status_code == 302
    assert [row.series_id for row in rows(made, status=Status.HELD)] == [None]


def test_who_is_signed_in_books_on_her_own_person(made: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    her = UUID(int=7)

    class Her:
        grant, person, fields = "grant", her, {"name": "山田 花子"}

    said: list[str] = []
    monkeypatch.setattr(reserve, "signed_in", lambda *_: Her())
    monkeypatch.setattr(people, "own_word", lambda _grant, word: said.append(word))
    customer = dates(made)
    customer.press("step", "hold")
    customer.press("step", "final", note="窓側で")
    customer.press("step", "book")
    assert {row.person_id for row in rows(made)} == {her}
    assert said == ["窓側で"]


def test_it_goes_all_the_way_inside_a_frame(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = dates(made, "/salon/embed", lang="ja")
    customer.press("step", "hold")
    assert customer.now_at.startswith("/salon/embed/book/")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert customer.now_at.startswith("/salon/embed/done/")
    assert "まとめて予約した4回" in customer.text
    assert not customer.client.cookies


# -- classes and courses


def lessons(made: Salon) -> Visitor:
    classes.schedule(made.id, now=NOON)
    customer = Visitor()
    customer.open(f"/salon/book/{made.lesson}/")
    [link] = re.findall(rf'href="(/salon/book/{made.lesson}/dates[^"]*)"', customer.text)
    customer.open(link)
    return customer


def test_dates_of_a_class_are_ticked(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = lessons(made)
    assert ticked(customer) == []
    those = offered(customer)
    assert len(those) > 5
    customer.press("step", "hold", date=those[:6])
    assert customer.page.status_code == 422  # five at once
    assert ticked(customer) == those[:6]
    customer.press("step", "hold", date=[those[0], those[3]])
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert stamps(*(row.start for row in rows(made))) == [those[0], those[3]]


def test_a_course_is_booked_whole(made: Salon, vault: VaultProcess) -> None:
    assert vault
    change_service(made, made.lesson, course=True, series={}, horizon={"kind": "days", "days": 20})
    classes.schedule(made.id, now=NOON)
    customer = Visitor()
    customer.open(f"/salon/book/{made.lesson}/")
    assert "このコースの全日程" in customer.text
    count = len(re.findall(r"<li><span>\d+月", customer.text))
    assert count > 1
    assert offered(customer) == []
    customer.press("step", "hold")
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    assert len(rows(made, status=Status.CONFIRMED)) == count


def test_a_course_with_a_full_date_says_so(made: Salon) -> None:
    classes.schedule(made.id, now=NOON)
    first = NOON.replace(hour=1) + timedelta(days=1)
    for number in range(2):
        wish = actions.HoldRequest(made.lesson, first, None, 4, f"full-{number}")
        actions.hold(made.id, wish, now=NOON)
    change_service(made, made.lesson, course=True, series={})
    customer = Visitor()
    customer.open(f"/salon/book/{made.lesson}/")
    assert "現在はお申し込みいただけません" in customer.text
    assert customer.forms() == [] or "hold" not in str(customer.forms()[0].buttons)


# -- afterwards


def test_one_is_cancelled_by_itself_and_then_all_that_are_left(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = booked(made)
    first = customer.now_at.split("?", maxsplit=1)[0]
    link = re.findall(r'<li[^>]*><a href="(/b/[^"]+)"', customer.text)[0]
    customer.client.post(f"{link}/cancel", {"fee": "0"})
    customer.open(first)
    assert "残り3回をすべてキャンセルする" in customer.text
    [form] = [form for form in customer.forms() if form.action.endswith("/cancel-rest")]
    customer.client.post(form.action, {**form.values, "fee": "1"})
    assert len(rows(made, status=Status.CONFIRMED)) == 3  # it costs something else than she agreed to
    customer.client.post(form.action, form.values)
    assert {row.status for row in rows(made)} == {Status.CANCELLED}
    customer.client.post(form.action, form.values)  # and again: nothing happens
    customer.open(first)
    assert "cancel-rest" not in customer.text


def test_the_rest_is_what_she_may_still_cancel(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault
    customer = booked(made)
    monkeypatch.setattr(clock, "now", lambda: TOMORROW - timedelta(minutes=30))
    customer.open(customer.now_at.split("?", maxsplit=1)[0])
    [form] = [form for form in customer.forms() if form.action.endswith("/cancel-rest")]
    customer.client.post(form.action, form.values)
    assert [row.status for row in rows(made)] == [Status.CONFIRMED, *[Status.CANCELLED] * 3]


def test_a_link_made_invalid_takes_those_of_the_other_dates_with_it(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = booked(made)
    first = customer.now_at.split("?", maxsplit=1)[0]
    others = re.findall(r'<li[^>]*><a href="(/b/[^"]+)"', customer.text)
    customer.client.post(f"{others[0]}/relink")
    assert [customer.client.get(each).status_code for each in (first, *others)] == [410] * 4


def test_a_booking_made_alone_tells_of_no_series(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = booked(made, times=2)
    assert "まとめて予約した2回" in customer.text
    alone = dates(made)
    alone.press("step", "hold", date=stamps(TOMORROW + timedelta(hours=2)))
    alone.press("step", "final", **CUSTOMER)
    alone.press("step", "book")
    assert "まとめて" not in alone.text
    alone.client.post(f"{alone.now_at.split('?')[0]}/cancel-rest", {})
    assert {row.status for row in rows(made)} == {Status.CONFIRMED}
