"""A day page of 200 bookings, as reception opens it: with names, of another day without them, and asked again
by a screen that shows them already; and the other views of the calendar.

Held to 150 ms with names and to 60 ms without; the ratio is to an empty day of the same shop.
"""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bench import measure
from bench.reveal import invitation
from bench.system import System, system
from tests.accounts.passkey import Passkey

VISITS = 200
STYLISTS = 8
MINUTES = 30
OPENS, CLOSES = 7, 24
ROUNDS = 15
WITH, WITHOUT = 150, 60


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from django.conf import settings  # noqa: PLC0415

    from noren import clock, people  # noqa: PLC0415

    settings.ALLOWED_HOSTS = ["testserver", *settings.ALLOWED_HOSTS]
    settings.SESSION_COOKIE_SECURE = False
    shop_id, cut = _shop()
    now = clock.now()
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = [tomorrow + timedelta(days=number) for number in range(2)]
    for day in days:
        _fill(shop_id, cut, day)
    people.found_shop(shop_id, "bench", [people.Member("owner", "owner", None, "店主", "owner@example.com")])
    client = _signed_in(running)
    ids = _ids(shop_id, days[0])
    full, other, empty = (f"/console/day?date={tomorrow + timedelta(days=n):%Y-%m-%d}" for n in range(3))
    cases = {
        "names": partial(_took, client, full),
        "known": partial(_took, client, f"{full}&known={','.join(map(str, ids))}"),
        "plain": partial(_took, client, other),
        "empty": partial(_took, client, empty),
        "week": partial(_took, client, other.replace("day", "calendar/week")),
        "month": partial(_took, client, other.replace("day", "calendar/month")),
        "list": partial(_took, client, f"{other.replace('day', 'calendar/list')}&last={days[1]:%Y-%m-%d}"),
    }
    taken = measure.interleaved(cases, ROUNDS)
    limits = {"names": f"{WITH}", "known": f"{WITHOUT}", "plain": f"{WITHOUT}"}
    for name, value in taken.items():
        ratio = value / taken["empty"]
        measure.figure(f"day_page_{name}", value, "ms", limit=limits.get(name, "-"), ratio=ratio)


def _signed_in(running: System) -> Any:
    """The owner at a browser, in this process."""
    from django.test import Client  # noqa: PLC0415

    client, invite = Client(headers={"Accept-Language": "ja"}), invitation(running.var / "mail")
    passkey = Passkey(running.origin, "localhost")
    begun = _posted(client, "/console/join/begin", {"invite": invite})
    _posted(client, "/console/join/finish", {"invite": invite, "answer": passkey.create(begun["options"])})
    return client


def _posted(client: Any, path: str, body: dict[str, Any]) -> Any:
    wanted = {"Accept": "application/json"}
    answer = client.post(path, body, content_type="application/json", headers=wanted)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return answer.json()


def _shop() -> tuple[int, int]:
    """Eight stylists, a cut of half an hour, open from seven to midnight, in UTC."""
    from noren.shops import directory  # noqa: PLC0415
    from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    shop_id: int = directory.found("bench")
    with shop(shop_id):
        Shop.objects.create(texts={"name": {"ja": "計測"}}, zone="UTC")
        staff = []
        for number in range(STYLISTS):
            words = {"name": {"ja": f"担当{number}", "en": f"Stylist {number}"}}
            chair = Resource.objects.create(key=f"s{number}", kind="staff", texts=words, position=number)
            staff.append(Staff.objects.create(id=chair.id, key=chair.key, texts=words, position=number).id)
        OpeningHours.objects.create(weekly=[[[OPENS * 60, CLOSES * 60]]] * 7)
        cut = Service.objects.create(
            key="cut",
            texts={"name": {"ja": "カット", "en": "Cut"}},
            segments=[{"minutes": MINUTES, "roles": ["staff"]}],
            requirements=[{"role": "staff", "pool": staff}],
            price=6600,
        )
        return shop_id, cut.id


def _fill(shop_id: int, cut: int, day: datetime) -> None:
    from noren import clock  # noqa: PLC0415
    from noren.booking import book  # noqa: PLC0415

    for number in range(VISITS):
        at = day + timedelta(hours=OPENS, minutes=number // STYLISTS * MINUTES)
        name = f"客 {day:%d} {number}"
        customer = book.Customer(name=name, mail=f"c{day:%d}-{number}@example.com")
        book.book(shop_id, book.BookRequest(cut, at, None, 1, customer, "ja"), now=clock.now())


def _ids(shop_id: int, day: datetime) -> list[int]:
    from noren.booking import day as booking_day  # noqa: PLC0415

    return [row.id for row in booking_day.day(shop_id, day.date())]


def _took(client: Any, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
