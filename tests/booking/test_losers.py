"""Who comes too late for a start is told so with two looks, and no transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from noren.booking import actions, availability
from noren.booking.asked import Asked
from noren.booking.decide import decide
from noren.engine import availability as engine
from noren.errors import InThePast, NorenError, NotOffered, PartyTooLarge, SlotTaken, TooLate
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, later, salon, when
from tests.booking.test_classes import studio
from tests.booking.test_history import DAY as LIVED
from tests.booking.test_history import SERVICES, History, parlour

DAY = "2026-11-03"
pytestmark = pytest.mark.usefixtures("module_app_db")


def taken(house: House, service: str, at: str, now: datetime = NOW, **more: int) -> bool:
    wanted = replace(Asked(house.services[service], when(at), None, 1), **more)  # type: ignore[arg-type]
    return availability.is_taken(house.id, wanted, now=now)


def test_it_takes_two_looks(django_queries: list[str]) -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    django_queries.clear()
    with pytest.raises(SlotTaken) as refused:
        house.hold("cut", f"{DAY} 10:00")
    assert f"{refused.value.facts['nearest'][0].at:%H:%M}" == "09:00"
    assert len(django_queries) == 2
    assert not any("SET LOCAL" in query for query in django_queries)


def test_a_key_that_is_new_costs_one_more(django_queries: list[str]) -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    django_queries.clear()
    with pytest.raises(SlotTaken):
        house.hold("cut", f"{DAY} 10:00", key="new")
    assert len(django_queries) == 3


def test_what_all_ask_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    asked: list[int] = []
    starts = engine.starts

    def counted(*words: object, **more: object) -> engine.Starts:
        asked.append(1)
        return starts(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "starts", counted)
    near = []
    for _ in range(3):
        with pytest.raises(SlotTaken) as refused:
            house.hold("cut", f"{DAY} 10:00")
        near.append(refused.value.facts["nearest"])
    assert near[0] == near[1] == near[2]
    assert len(asked) == 3, "the day as it is, the day if it were empty, the days around"
    house.book("cut", f"{DAY} 09:00")
    with pytest.raises(SlotTaken) as refused:
        house.hold("cut", f"{DAY} 10:00")
    assert f"{refused.value.facts['nearest'][0].at:%H:%M}" == "11:00"


def test_what_is_free_again_can_be_had_at_once() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    assert taken(house, "cut", f"{DAY} 10:00")
    actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert not taken(house, "cut", f"{DAY} 10:00")
    house.hold("cut", f"{DAY} 10:00")
    assert taken(house, "cut", f"{DAY} 10:00")
    assert not taken(house, "cut", f"{DAY} 10:00", now=later(minutes=11))


def test_every_other_refusal_keeps_its_name() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    with pytest.raises((InThePast, TooLate)):
        house.hold("cut", f"{DAY} 10:00", now=later(days=2))
    with pytest.raises(PartyTooLarge):
        house.hold("cut", f"{DAY} 10:00", party=2)
    with pytest.raises(NotOffered):
        house.hold("cut", f"{DAY} 12:10")
    with pytest.raises(NotOffered):
        house.hold("cut", f"{DAY} 20:00")


def test_a_class_is_full_or_too_small() -> None:
    house = studio(capacity=2)
    house.book("yoga", "2026-11-04 10:00")
    assert not taken(house, "yoga", "2026-11-04 10:00")
    with pytest.raises(PartyTooLarge):
        house.hold("yoga", "2026-11-04 10:00", party=2)
    house.hold("yoga", "2026-11-04 10:00")
    assert taken(house, "yoga", "2026-11-04 10:00")
    assert not taken(house, "yoga", "2026-11-04 10:00", now=later(minutes=11))
    with pytest.raises(SlotTaken) as refused:
        house.hold("yoga", "2026-11-04 10:00")
    assert f"{refused.value.facts['nearest'][0].at:%H:%M}" == "11:00"


def test_a_full_class_takes_four_looks(django_queries: list[str]) -> None:
    house = studio(capacity=1)
    house.book("yoga", "2026-11-04 10:00")
    django_queries.clear()
    with pytest.raises(SlotTaken):
        house.hold("yoga", "2026-11-04 10:00")
    assert not any("SET LOCAL" in query for query in django_queries)


@pytest.mark.parametrize("policy", ["shared", "added"])
def test_who_is_told_so_would_be_told_so_by_the_decision(policy: str) -> None:
    class Lived(History):
        make = staticmethod(lambda: parlour(policy, "Asia/Tokyo"))
        seen = 0

        @rule(service=st.sampled_from(SERVICES), quarter=st.integers(0, 95))
        def ask(self, service: str, quarter: int) -> None:
            zone = ZoneInfo(self.house.zone)
            start = datetime(LIVED.year, LIVED.month, LIVED.day, tzinfo=zone) + timedelta(
                minutes=15 * quarter
            )
            wanted = Asked(self.house.services[service], start, None, 1)
            refusal: type[NorenError] | None = None
            try:
                with shop(self.house.id):
                    decide(wanted, now=self.now)
            except NorenError as error:
                refusal = type(error)
            if availability.is_taken(self.house.id, wanted, now=self.now):
                Lived.seen += 1
                assert refusal is SlotTaken

    run_state_machine_as_test(
        Lived,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Lived.seen, "nobody came too late"
