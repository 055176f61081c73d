"""The shop that is measured: ten stylists, a cut of an hour by any of them, a month partly booked."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import connection

from noren import clock
from noren.booking import actions, classes
from noren.booking.models import ClassSession
from noren.errors import NorenError
from noren.shops import directory
from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop

STAFF = 10
OPEN = [[540, 780], [840, 1200]]  # 9:00-13:00, 14:00-20:00


@dataclass(frozen=True, slots=True)
class Salon:
    """`first` is the first day of the month that is asked for."""

    slug: str
    id: int
    service: int
    first: datetime

    @property
    def last(self) -> datetime:
        return self.first + timedelta(days=30)


def salon(slug: str = "bench") -> Salon:
    """Make the shop, empty."""
    shop_id = directory.found(slug)
    with shop(shop_id):
        Shop.objects.create(texts={"name": {"ja": "計測", "en": "Bench"}}, reminder_minutes=0)
        staff = [_stylist(number) for number in range(STAFF)]
        OpeningHours.objects.create(weekly=[OPEN] * 7)
        service = Service.objects.create(
            key="cut",
            texts={"name": {"ja": "カット", "en": "Cut"}},
            segments=[{"minutes": 60, "roles": ["staff"]}],
            requirements=[{"role": "staff", "pool": staff}],
            after=10,
            grid={"interval": 30},
            price=6600,
        )
    tomorrow = clock.now() + timedelta(days=1)
    return Salon(slug, shop_id, service.id, datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC))


def quick(house: Salon) -> int:
    """Add a service of a quarter of an hour, without a buffer; give its id."""
    with shop(house.id), change():
        return Service.objects.create(
            key="fringe",
            texts={"name": {"ja": "前髪カット", "en": "Fringe"}},
            segments=[{"minutes": 15, "roles": ["staff"]}],
            requirements=[{"role": "staff", "pool": list(Staff.objects.values_list("id", flat=True))}],
            grid={"interval": 15},
            horizon={"days": 200},
            price=1100,
        ).id


def lesson(house: Salon, seats: int) -> tuple[int, datetime]:
    """Add a class with so many seats; give its service and its first date."""
    with shop(house.id), change():
        service = Service.objects.create(
            key="lesson",
            texts={"name": {"ja": "教室", "en": "Lesson"}},
            segments=[{"minutes": 60, "roles": ["staff"]}],
            requirements=[{"role": "staff", "pool": [Staff.objects.order_by("id")[0].id]}],
            capacity=seats,
            timetable=[{"weekday": weekday, "start": 600} for weekday in range(7)],
            price=1100,
        )
    classes.schedule(house.id, now=clock.now())
    with shop(house.id):
        session = ClassSession.objects.filter(start__gt=house.first + timedelta(days=3)).order_by("start")[0]
    return service.id, session.start


def fill(house: Salon, bookings: int, seed: int = 7) -> None:
    """Book at random, by the same way as everybody; no mails are sent: the worker is not to be measured."""
    dice = random.Random(seed)
    made = 0
    while made < bookings:
        at = house.first + timedelta(days=dice.randrange(31), minutes=30 * dice.randrange(20))
        wish = actions.HoldRequest(house.service, at, None, 1)
        try:
            held = actions.hold(house.id, wish, now=clock.now())
        except NorenError:
            continue
        actions.confirm(house.id, held.id, uuid4(), now=clock.now(), locale="ja", consent=1)
        made += 1
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")


def _stylist(number: int) -> int:
    words = {"name": {"ja": f"担当{number}", "en": f"Stylist {number}"}}
    row = Resource.objects.create(key=f"s{number}", kind="staff", texts=words, position=number)
    Staff.objects.create(id=row.id, key=row.key, texts=words, position=number)
    return row.id
