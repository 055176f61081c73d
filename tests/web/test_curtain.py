"""A shop that is not open yet: at every address that names it the answer is that of no shop at all."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings

from noren import clock
from noren.booking import links
from noren.booking.models import Booking
from noren.messages import daily
from noren.messages.deliver import deliver
from noren.messages.notice import Kind
from noren.shops.models import Service, Shop
from noren.shops.tenancy import shop
from tests.matrix.addresses import SHAPES, Address, every
from tests.matrix.test_pages import ask
from tests.servers import AppDatabase
from tests.shops.aoba import NOW, founded, opened

EN = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def hidden(module_app_db: AppDatabase) -> Iterator[dict[str, str]]:
    """A salon before it opens, into which a booking was brought already; what fills addresses."""
    assert module_app_db
    keys = override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, SECRET_KEY="s" * 50)
    with keys, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        shop_id = founded("salon")
        with shop(shop_id):
            service = Service.objects.get(key="cut")
            row = Booking.objects.create(
                service_id=service.id,
                status="confirmed",
                takes=True,
                rules_revision=1,
                start=NOW + timedelta(days=1),
                end=NOW + timedelta(days=1, hours=1),
                party=1,
                agreed={"price": 5500, "currency": "JPY"},
                created_at=NOW,
                person_id=uuid4(),
            )
        yield {
            "slug": "aoba",
            "shop": str(shop_id),
            "booking": str(row.id),
            "service_id": str(service.id),
            "token": links.token(shop_id, row.id, row.generation),
        }


def cells() -> Iterator[Any]:
    for address in every():
        if {"slug", "token"} & set(address.parameters):
            for method in ("GET", "POST"):
                yield pytest.param(address, method, id=f"{address.route}-{method}")


def said(address: Address, method: str, values: dict[str, str]) -> tuple[object, ...]:
    """Say what an answer tells, without the ids that were asked for and a form's token."""
    answer = ask(Client(headers=EN), method, address, path := address.of({**SHAPES, **values}))
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(path, "")
    headers = {k: v for k, v in answer.headers.items() if k not in ("Content-Length", "Expires")}
    return answer.status_code, text, {k: v.replace(values["slug"], "SLUG") for k, v in headers.items()}


@pytest.mark.parametrize(("address", "method"), list(cells()))
def test_it_is_no_shop_at_all_to_the_public(hidden: dict[str, str], address: Address, method: str) -> None:
    there = said(address, method, hidden)
    nowhere = said(address, method, {**hidden, "slug": "nowhere", "token": "made-up"})
    assert there == nowhere
    assert there[0] in (302, 400, 401, 403, 404, 405, 422), there
    if method == "GET" and "slug" in address.parameters and "api" not in address.template:
        assert there[0] in (302, 404, 405)


def test_it_is_on_no_list(hidden: dict[str, str]) -> None:
    assert hidden
    assert "aoba" not in Client().get("/").content.decode()


def test_it_writes_to_nobody(hidden: dict[str, str]) -> None:
    """Neither of what was brought into it, nor to its owners each morning. No vault is even asked."""
    assert deliver(int(hidden["shop"]), int(hidden["booking"]), Kind.REMINDER, now=NOW) is None
    assert daily.deliver(int(hidden["shop"]), now=NOW) == 0


def test_it_is_there_for_everybody_once_it_opens(app_db: AppDatabase) -> None:
    assert app_db
    shop_id = founded("clinic")
    assert Client().get("/aoba/").status_code == 404
    opened(shop_id)
    assert Client().get("/aoba/").status_code == 200
    assert "aoba" in Client().get("/").content.decode()
    with shop(shop_id):
        assert Shop.objects.get().published
