"""Cases 70 and 71: sessions and their seats."""

from noren.engine import classes
from noren.engine.model import Deadline, Reason, Session, Why
from tests.engine.build import Desk, desk, service

DAY = "2026-12-01"


def yoga() -> Desk:
    return desk(service(60, capacity=8, party_max=4, lead=Deadline(minutes=30)))


def session(shop: Desk, number: int, clock: str, *, capacity: int = 8, booked: int = 0) -> Session:
    start = shop.at(f"{DAY} {clock}")
    return Session(number, 1, start, start + 60, capacity, booked)


def test_case_070_two_seats_are_none_for_three() -> None:
    shop = yoga()
    nearly_full = session(shop, 1, "10:00", booked=6)
    assert classes.why_not(shop.rules, nearly_full, now=shop.now, party=3) == Reason(Why.SEATS)
    assert classes.why_not(shop.rules, nearly_full, now=shop.now, party=2) is None
    assert classes.why_not(shop.rules, nearly_full, now=shop.now, party=5) == Reason(Why.PARTY)


def test_case_071_an_overbooked_session_has_no_seats_and_not_less() -> None:
    shop = yoga()
    assert session(shop, 1, "10:00", capacity=5, booked=6).left == 0


def test_it_offers_sessions_in_order_within_notice() -> None:
    shop = yoga()
    sessions = [session(shop, 1, "12:00"), session(shop, 2, "10:00"), session(shop, 3, "11:00", booked=8)]
    other = Session(4, 2, 0, 60, 8)
    offered = classes.offered(shop.rules, 1, [*sessions, other], now=shop.clock(f"{DAY} 09:30"))
    assert [each.id for each in offered] == [2, 1]
    later = classes.offered(shop.rules, 1, sessions, now=shop.clock(f"{DAY} 09:30:01"))
    assert [each.id for each in later] == [1]
