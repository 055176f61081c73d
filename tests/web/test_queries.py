"""How often the customer's pages ask the database does not depend on how much there is to show."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.booking import actions, book
from noren.shops.models import Resource, Service, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

PAGES = ("shop", "times", "class", "who", "final", "own", "move", "legal", "privacy", "embed", "embed times")


def _grown(made: Salon, more: int) -> None:
    """So many more who serve, services and dates that are taken."""
    with shop(made.id), change():
        for number in range(more):
            words = {"name": {"ja": f"人{number}", "en": f"No. {number}"}}
            row = Resource.objects.create(key=f"x{number}", kind="staff", texts=words, position=10 + number)
            Staff.objects.create(id=row.id, key=row.key, texts=words, position=10 + number, fee=100)
            service = Service.objects.get(id=made.cut)
            service.pk, service.key, service.position = None, f"s{number}", 10 + number
            service.save(force_insert=True)
        cut = Service.objects.get(id=made.cut)
        pool = list(Resource.objects.filter(kind="staff").values_list("id", flat=True))
        cut.requirements = [{**cut.requirements[0], "pool": pool}]
        cut.save()
    for number in range(more):
        at = TOMORROW + timedelta(days=number % 3, hours=number // 3)
        actions.hold(made.id, actions.HoldRequest(made.cut, at, None, 1), now=NOON)


def _asked(client: Client, address: str, sent: dict[str, str] | None = None) -> list[str]:
    """What a page asks the second time, when what a process remembers is remembered."""

    def once() -> Any:
        return client.get(address) if sent is None else client.post(address, sent)

    once()
    with CaptureQueriesContext(connection) as caught:
        assert once().status_code == 200, address
    return [query["sql"] for query in caught]


def _asked_by_page(made: Salon) -> dict[str, int]:
    there, token = f"/{made.slug}/book/{made.cut}/", _token(made)
    customer = Visitor()
    customer.open(there)
    customer.press("at", customer.times()[-1])
    sent = {**CUSTOMER, "held": customer.forms()[0].values["held"], "step": "final"}
    gets = {
        "shop": f"/{made.slug}/",
        "times": there,
        "class": f"/{made.slug}/book/{made.lesson}/",
        "who": customer.now_at,
        "own": f"/b/{token}",
        "move": f"/b/{token}/move",
        "legal": f"/{made.slug}/legal",
        "privacy": f"/{made.slug}/privacy",
        "embed": f"/{made.slug}/embed/",
        "embed times": f"/{made.slug}/embed/book/{made.cut}/",
    }
    found = {name: len(_asked(customer.client, address)) for name, address in gets.items()}
    return found | {"final": len(_asked(customer.client, there + "you", sent))}


def _token(made: Salon) -> str:
    wish = book.BookRequest(made.cut, TOMORROW, None, 1, book.Customer(**CUSTOMER), "ja")
    return book.book(made.id, wish, now=NOON).token


@pytest.fixture
def few_and_many(made: Salon, vault: VaultProcess) -> tuple[Salon, Salon]:
    assert vault
    many = salon("many")
    # Of each kind one, so that nothing is left out where there is none of it.
    for each, more in ((made, 1), (many, 20)):
        _grown(each, more)
    return made, many


def test_no_page_asks_more_where_there_is_more(few_and_many: tuple[Salon, Salon]) -> None:
    few, many = (_asked_by_page(each) for each in few_and_many)
    assert set(few) == set(PAGES)
    assert few == many
