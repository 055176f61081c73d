"""A Saturday with eight stylists and 120 visits, as reception lives it: its budget never comes to an end."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from noren import people
from noren.booking import book
from noren.booking import day as booking_day
from noren.booking.models import Booking
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import Sink, VaultProcess
from tests.web.conftest import joined, last_from_noon
from tests.web.flow import CUSTOMER

STYLISTS = ("aoi", "ren", "mio", "sora", "haru", "yui", "kai", "rin")
VISITS = 120
MINUTES = 30
ROLES = ("reception", "staff")
SEARCHES = ("客 1", "客 20", "客 77", "090-1234-5678")


@pytest.fixture(scope="module")
def busy(made: Salon, module_vault: VaultProcess) -> Salon:
    """Eight stylists, from seven on today by the shop's clock, 120 visits one after another."""
    assert made
    assert module_vault
    house = salon("saturday", STYLISTS)
    with shop(house.id), change():
        Service.objects.filter(id=house.cut).update(
            segments=[{"minutes": MINUTES, "roles": ["staff"]}], lead={"minutes": 0}
        )
    early = NOON - timedelta(hours=3)
    for number in range(VISITS):
        at = NOON - timedelta(hours=2) + timedelta(minutes=number // len(STYLISTS) * MINUTES)
        who = book.Customer(**{**CUSTOMER, "name": f"客 {number}", "mail": f"s{number}@example.jp"})
        book.book(house.id, book.BookRequest(house.cut, at, None, 1, who, "ja"), now=early)
    return house


@pytest.fixture(scope="module")
def desks(busy: Salon, module_mail: Sink) -> Iterator[dict[str, Client]]:
    """Whoever stands at the desk, by role."""
    members = [people.Member("boss", "owner", None, "店主", "boss@saturday.example")]
    members += [people.Member(role, role, None, role, f"{role}@saturday.example") for role in ROLES]
    people.found_shop(busy.id, busy.slug, members)
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        yield {
            role: joined(_invitation(module_mail, f"{role}@saturday.example"), "console") for role in ROLES
        }


def _invitation(mail: Sink, address: str) -> str:
    for message in mail.messages:
        found = re.search(r"/join#(\S+)", message.get_content())
        if message["To"] == address and found:
            return found[1]
    raise AssertionError(address)


def _rows(busy: Salon) -> list[Booking]:
    return booking_day.day(busy.id, NOON.date())


@pytest.mark.parametrize("role", ROLES)
def test_an_honest_saturday_meets_no_end_of_its_budget(
    busy: Salon, desks: dict[str, Client], role: str
) -> None:
    client, lefts = desks[role], []

    def see(address: str, sent: dict[str, str] | None = None) -> Any:
        answer = client.get(address) if sent is None else client.post(address, sent)
        assert answer.status_code == 200, (address, answer.status_code, answer.headers.get("Location"))
        assert answer.context["names"].away == "", address
        if answer.context["names"].budget is not None:
            lefts.append(answer.context["names"].budget.left)
        return answer

    rows = _rows(busy)
    assert len(rows) == VISITS
    for page in ("/console/", "/console/day", "/console/calendar/list"):
        text = see(page).content.decode()
        assert text.count("客 ") >= VISITS
    known = ",".join(str(row.id) for row in rows)
    poll = re.search(
        r'data-pulse="([^"]+)" data-mark="([^"]+)"', text := see("/console/day").content.decode()
    )
    assert poll is not None, text[:200]
    spent = lefts[-1]
    for _ in range(20):
        assert Client().get(poll[1], headers={"If-None-Match": f'"{poll[2]}"'}).status_code == 304
        see(f"/console/day?known={known}")
    assert lefts[-1] == spent, "a screen that follows asks for nobody again"
    for row in rows:
        see(f"/console/bookings/{row.id}")
    for query in SEARCHES:
        see("/console/customers", {"query": query})
    assert lefts[-1] > 0
    assert min(lefts) >= 300 - VISITS - 20 * len(SEARCHES)
