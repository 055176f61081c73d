"""A small salon in a test's database: three stylists, a cut by anybody, a class of eight."""

from dataclasses import dataclass
from datetime import UTC, datetime

from noren.shops import directory
from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff
from noren.shops.tenancy import shop

OPEN = [[600, 1140]]  # 10:00-19:00
NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday, 12:00 in Tokyo


@dataclass(frozen=True)
class Salon:
    slug: str
    id: int
    cut: int
    lesson: int
    staff: tuple[int, ...]


def salon(slug: str = "salon", names: tuple[str, ...] = ("aoi", "ren", "mio")) -> Salon:
    """Make it, with real commits."""
    shop_id = directory.found(slug)
    with shop(shop_id):
        Shop.objects.create(
            texts={
                "name": {"ja": "サロン青葉", "en": "Salon Aoba"},
                "address": {"ja": "東京都渋谷区1-2-3"},
                "policy": {"ja": "前日の20時まで取り消せます。"},
            },
            contact={"phone": "03-1234-5678"},
        )
        staff = tuple(_stylist(name, position) for position, name in enumerate(names))
        OpeningHours.objects.create(weekly=[OPEN] * 7)
        cut = _cut(staff)
        lesson = _lesson(staff)
    return Salon(slug, shop_id, cut, lesson, staff)


def _stylist(name: str, position: int) -> int:
    chair = Resource.objects.create(key=name, kind="staff", texts={}, position=position)
    words = {"name": {"ja": name, "en": name.title()}}
    return Staff.objects.create(id=chair.id, key=name, texts=words, position=position).id


def _cut(staff: tuple[int, ...]) -> int:
    return Service.objects.create(
        key="cut",
        texts={"name": {"ja": "カット", "en": "Cut"}},
        segments=[{"minutes": 60, "roles": ["staff"]}],
        requirements=[{"role": "staff", "pool": list(staff)}],
        lead={"minutes": 60},
        cancel={"minutes": 120},
        horizon={"kind": "days", "days": 60},
        series={"most": 100},
        price=6600,
    ).id


def _lesson(staff: tuple[int, ...]) -> int:
    return Service.objects.create(
        key="lesson",
        texts={"name": {"ja": "講座", "en": "Class"}},
        segments=[{"minutes": 90, "roles": ["staff"]}],
        requirements=[{"role": "staff", "pool": [staff[0]]}],
        capacity=8,
        party_max=4,
        price=2000,
        position=1,
        timetable=[{"weekday": 2, "start": 600}],
        series={"most": 5},
    ).id
