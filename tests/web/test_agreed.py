"""What a customer agrees to and is told after: approval, fees, nights, limits; and her booking's states."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, links, reception
from noren.booking.models import Booking, Event, Status
from noren.shops import rules
from noren.shops.models import Resource, Service
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor

pytestmark = pytest.mark.usefixtures("vault")
TIERS = {
    "free_minutes": 30,
    "tiers": [
        {"since": {"days": 1, "at": 1080, "minutes": 0}, "percent": 30},
        {"since": {"minutes": 240, "days": 0, "at": None}, "percent": 80},
    ],
}


def _rule(made: Salon, **columns: object) -> None:
    with shop(made.id), rules.change():
        Service.objects.filter(id=made.cut).update(**columns)


def _one(made: Salon) -> Booking:
    with shop(made.id):
        return Booking.objects.get()


def _final(made: Salon, at: datetime) -> Visitor:
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at", str(int(at.timestamp())))
    customer.press("step", "final", **CUSTOMER)
    return customer


def _own(made: Salon) -> str:
    booking = _one(made)
    token = links.token(made.id, booking.id, booking.generation)
    answer = Client(headers={"Accept-Language": "ja"}).get(f"/b/{token}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("kind", "words"), [("keeps", "取っておきます"), ("free", "ほかのお客様も")])
def test_a_service_with_approval_says_so_before_and_after(made: Salon, kind: str, words: str) -> None:
    _rule(made, approval=kind)
    customer = Visitor()
    customer.open("/salon/")
    assert "申し込み制" in customer.text
    customer = _final(made, TOMORROW)
    assert "まだ確定ではありません" in customer.text
    assert words in customer.text
    assert "この内容で申し込む" in customer.text
    customer.press("step", "book")
    assert "お申し込みを承りました" in customer.text
    assert "お店の確認待ち" in customer.text
    assert "ご予約を承りました" not in customer.text
    assert _one(made).status == Status.PENDING


def test_case_079_the_final_screen_names_the_tiers(made: Salon) -> None:
    _rule(made, fees=TIERS)
    page = _final(made, TOMORROW).text
    assert "現在：無料" in page
    assert "11月24日（火） 18:00を過ぎると：料金の30%（1,980円）" in page
    assert "11月25日（水） 8:00を過ぎると：料金の80%（5,280円）" in page


def test_it_shows_the_fee_before_it_is_owed(made: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    _rule(made, fees=TIERS)
    _final(made, TOMORROW).press("step", "book")
    booking = _one(made)
    token = links.token(made.id, booking.id, 1)
    customer = Visitor()
    customer.open(f"/b/{token}")
    assert "いま取り消す場合：無料" in customer.text
    monkeypatch.setattr(clock, "now", lambda: TOMORROW - timedelta(hours=5))
    customer.press("")
    assert customer.page.status_code == 409
    assert "取り消し料が変わりました" in customer.text
    assert "いま取り消す場合：料金の30%（1,980円）" in customer.text
    assert _one(made).status == Status.CONFIRMED
    customer.press("")
    assert "取り消し料：30%（1,980円）" in customer.text
    with shop(made.id):
        assert Event.objects.get(what="cancelled").facts == {"fee": 1980, "fee_percent": 30}


def test_who_has_only_asked_owes_nothing(made: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    _rule(made, fees=TIERS, approval="keeps")
    _final(made, TOMORROW).press("step", "book")
    monkeypatch.setattr(clock, "now", lambda: TOMORROW - timedelta(hours=5))
    page = _own(made)
    assert "お店がお受けするまでは、無料で取り消せます" in page
    assert "いま取り消す場合：無料" in page
    actions.cancel(made.id, _one(made).id, now=clock.now(), by="customer")
    with shop(made.id):
        assert Event.objects.get(what="cancelled").facts["fee"] == 0


def _decline(made: Salon) -> None:
    _rule(made, approval="keeps")
    booking = booked(made, TOMORROW).booking
    reception.decline(made.id, booking.id, now=NOON, by="staff:aoi.salon", reason="staff")


def _cancel(made: Salon) -> None:
    booking = booked(made, TOMORROW).booking
    actions.cancel(made.id, booking.id, now=NOON, by="staff:aoi.salon", reason="shop")


def _miss(made: Salon) -> None:
    reception.no_show(made.id, booked(made, TOMORROW).booking.id, now=TOMORROW, by="staff:aoi.salon")


def _check_in(made: Salon) -> None:
    reception.check_in(made.id, booked(made, TOMORROW).booking.id, now=TOMORROW, by="staff:aoi.salon")


def _release(made: Salon) -> None:
    _rule(made, check_in={"opens_minutes": 60, "release_minutes": 15})
    booking = booked(made, TOMORROW).booking
    reception.release_unattended(made.id, booking.id, now=TOMORROW + timedelta(minutes=15))


STATES = [
    (_decline, "お店がお受けできませんでした", "お断り"),
    (_cancel, "ご予約を取り消しました", "取り消し"),
    (_miss, "ご来店を確認できませんでした", "来店なし"),
    (_check_in, "チェックイン済みです", "チェックイン"),
    (_release, "この時間は解放されました", "時間を解放"),
]


@pytest.mark.parametrize(("deed", "heading", "event"), STATES)
def test_her_page_says_how_her_booking_stands(
    made: Salon, deed: Callable[[Salon], None], heading: str, event: str
) -> None:
    deed(made)
    page = _own(made)
    assert heading in page
    assert f"<b>{event}</b>" in page
    assert "/cancel" not in page


def test_her_page_tells_no_handle_and_no_reason_of_the_shop(made: Salon) -> None:
    _decline(made)
    page = _own(made)
    assert "お店" in page
    assert "aoi" not in page.replace(">aoi<", "")
    assert "担当できる者がいない" not in page


def test_her_page_shows_from_where_to_where_it_was_moved(made: Salon) -> None:
    booking = booked(made, TOMORROW).booking
    there = TOMORROW + timedelta(hours=2)
    actions.move(made.id, booking.id, there, None, now=NOON, by="staff:aoi.salon")
    page = _own(made)
    assert "11月25日（水） 12:00 から 11月25日（水） 14:00 へ" in page


def test_a_limit_is_told_with_other_times(made: Salon) -> None:
    _rule(made, limits=[{"of": "service", "period": "day", "most": 1}])
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/")
    booked(made, TOMORROW)
    customer.press("at", str(int((TOMORROW + timedelta(hours=2)).timestamp())))
    assert customer.page.status_code == 409
    assert "この日はこれ以上ご予約を承れません" in customer.text
    assert customer.times()


# -- stays


@pytest.fixture
def cottage(made: Salon) -> int:
    """A house for rent from Tuesday, two nights at the fewest from Fridays."""
    with shop(made.id), rules.change():
        house = Resource.objects.create(key="house", kind="cottage", texts={"name": {"ja": "白樺"}})
        return Service.objects.create(
            key="stay",
            texts={"name": {"ja": "コテージ", "en": "Cottage"}},
            segments=[{"minutes": 60, "roles": ["house"]}],
            requirements=[{"role": "house", "pool": [house.id]}],
            grid={"kind": "clock", "interval": 60, "offset": 900},
            stay={"out": 660, "least": [1, 1, 1, 1, 2, 2, 1], "most": 5},
            price=10_000,
            party_max=2,
            after=120,
        ).id


FRIDAY = datetime.fromisoformat("2026-11-27T15:00:00+09:00")


def test_a_stay_is_offered_with_the_fewest_nights_of_each_day(made: Salon, cottage: int) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{cottage}/")
    assert "2泊 · チェックアウト 11月29日（日） 11:00" in customer.text
    assert "1泊 · チェックアウト 11月26日（木） 11:00" in customer.text
    assert "1泊・税込" in customer.text
    customer.press("at", str(int(FRIDAY.timestamp())))
    customer.press("step", "final", **CUSTOMER)
    assert "2026年11月27日（金）" in customer.text
    assert "2026年11月29日（日）" in customer.text
    assert "20,000円" in customer.text
    customer.press("step", "book")
    assert "2泊" in customer.text
    booking = _one(made)
    assert (booking.agreed["nights"], booking.agreed["price"]) == (2, 20_000)
    assert booking.end == FRIDAY + timedelta(days=1, hours=20)


def test_she_chooses_how_many_nights(made: Salon, cottage: int) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{cottage}/?nights=1")
    assert str(int(FRIDAY.timestamp())) not in customer.times()
    customer.open(f"/salon/book/{cottage}/?nights=3&party=2")
    assert "3泊 · チェックアウト 11月30日（月） 11:00" in customer.text
    customer.press("at", str(int(FRIDAY.timestamp())))
    customer.press("step", "final", **CUSTOMER)
    assert "60,000円" in customer.text
    customer.press("step", "book")
    assert _one(made).agreed["nights"] == 3


def test_a_stay_that_was_lost_tells_the_nearest_of_as_many_nights(made: Salon, cottage: int) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{cottage}/?nights=3")
    taken = actions.HoldRequest(cottage, FRIDAY + timedelta(days=1), None, 1, nights=2)
    actions.hold(made.id, taken, now=NOON)
    customer.press("at", str(int(FRIDAY.timestamp())))
    assert customer.page.status_code == 409
    free = {int(stamp) for stamp in customer.times()}
    assert int((FRIDAY - timedelta(days=1)).timestamp()) not in free
    assert int((FRIDAY + timedelta(days=3)).timestamp()) in free


@pytest.mark.parametrize("nights", ["0", "99", "-1", "x", "1" * 50])
def test_nights_that_cannot_be_are_taken_as_can_be(made: Salon, cottage: int, nights: str) -> None:
    assert made
    answer = Client().get(f"/salon/book/{cottage}/", {"nights": nights})
    assert answer.status_code == 200
