"""Cases 70 and 71: sessions and their seats."""

from dataclasses import replace
from datetime import date

from noren.engine import classes
from noren.engine.limits import Tally, Used
from noren.engine.model import Deadline, Limit, LimitOf, Period, Reason, Session, Why
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


def test_it_offers_sessions_with_seats_for_the_whole_party_and_for_one_unless_told() -> None:
    shop = yoga()
    sessions = [session(shop, left, "12:00", booked=8 - left) for left in (0, 1, 2, 3)]
    for party, offered in ((1, [1, 2, 3]), (2, [2, 3]), (3, [3])):
        found = classes.offered(shop.rules, 1, sessions, now=shop.now, party=party)
        assert [each.id for each in found] == offered
    assert [each.id for each in classes.offered(shop.rules, 1, sessions, now=shop.now)] == [1, 2, 3]
    assert classes.why_not(shop.rules, sessions[1], now=shop.now) is None


def test_it_takes_parties_between_the_smallest_and_the_largest_both_included() -> None:
    pairs = desk(service(60, capacity=8, party_min=2, party_max=4))
    empty = session(pairs, 1, "10:00")
    refused = [classes.why_not(pairs.rules, empty, now=pairs.now, party=party) for party in range(1, 6)]
    assert refused == [Reason(Why.PARTY), None, None, None, Reason(Why.PARTY)]


def test_it_offers_no_session_of_a_service_that_is_not_offered() -> None:
    shop = yoga()
    closed = shop.with_(services={1: replace(shop.rules.services[1], bookable=False)})
    assert classes.why_not(closed.rules, session(shop, 1, "10:00"), now=shop.now) == Reason(Why.NOT_OFFERED)


def test_it_orders_sessions_that_begin_together_by_number() -> None:
    shop = yoga()
    sessions = [session(shop, number, "10:00") for number in (3, 1, 2)]
    assert [each.id for each in classes.offered(shop.rules, 1, sessions, now=shop.now)] == [1, 2, 3]


def test_it_says_why_a_session_comes_too_soon() -> None:
    shop = yoga()
    now = shop.clock(f"{DAY} 09:30:01")
    assert classes.why_not(shop.rules, session(shop, 1, "10:00"), now=now) == Reason(Why.NOTICE)
    assert classes.why_not(shop.rules, session(shop, 1, "09:30"), now=now) == Reason(Why.PAST)


def test_it_offers_no_session_in_a_period_whose_limit_is_reached() -> None:
    limited = desk(service(60, capacity=8, limits=(Limit(LimitOf.CUSTOMER, Period.DAY, most=1),)))
    used = {Tally(LimitOf.CUSTOMER, 0, 1, Period.DAY, date(2026, 12, 1)): Used(1)}
    begin = limited.at(f"{DAY} 23:00")
    today, tomorrow = Session(1, 1, begin, begin + 60, 8), Session(2, 1, begin + 60, begin + 120, 8)
    assert classes.why_not(limited.rules, today, now=limited.now, used=used) == Reason(Why.LIMIT)
    assert classes.why_not(limited.rules, tomorrow, now=limited.now, used=used) is None
    assert classes.why_not(limited.rules, today, now=limited.now) is None
    for counted, offered in ((used, (tomorrow,)), (None, (today, tomorrow))):
        found = classes.offered(limited.rules, 1, [tomorrow, today], now=limited.now, used=counted)
        assert found == offered
