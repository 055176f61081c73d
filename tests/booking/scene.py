"""Shops for tests: small, open every day from 9 to 18 in Tokyo unless said otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import connection

from noren.booking import actions, availability, doctor
from noren.booking.models import Booking
from noren.shops import directory, rules
from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff
from noren.shops.tenancy import shop

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
"""A Monday, 9:00 in Tokyo."""
_numbers = count(1)


@dataclass
class House:
    """A shop of a test, with its ids by key."""

    id: int
    slug: str
    zone: str = "Asia/Tokyo"
    resources: dict[str, int] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)

    def named(self, keys: str) -> tuple[int, ...]:
        """The services of "colour nails"."""
        return tuple(self.services[each] for each in keys.split())

    def hold(self, service: str, at: str, staff: str | None = None, **more: Any) -> actions.Hold:
        return actions.hold(self.id, self.wish(service, at, staff, **more), now=more.get("now", NOW))

    def wish(self, service: str, at: str, staff: str | None = None, **more: Any) -> actions.HoldRequest:
        asked = None if staff is None else self.resources[staff]
        return actions.HoldRequest(
            self.services[service],
            when(at),
            asked,
            more.get("party", 1),
            more.get("key", ""),
            also=self.named(more.get("also", "")),
        )

    def book(self, service: str, at: str, staff: str | None = None, **more: Any) -> Booking:
        held = self.hold(service, at, staff, **more)
        now = more.get("now", NOW)
        return actions.confirm(self.id, held.id, uuid4(), now=now, locale="ja", consent=1)

    def starts(self, service: str, day: str, staff: str | None = None, **more: Any) -> list[str]:
        """The starts of a day as "10:00"."""
        on = date.fromisoformat(day)
        asked = None if staff is None else self.resources[staff]
        more.setdefault("now", NOW)
        more["also"] = self.named(more.get("also", ""))
        found = availability.month(self.id, self.services[service], on, on, staff=asked, **more)
        return [f"{start.at:%H:%M}" for start in found.days.get(on, ())]

    def booking(self, booking_id: int) -> Booking:
        with shop(self.id):
            return Booking.objects.get(id=booking_id)

    def sheet_rows(self) -> int:
        with shop(self.id), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM booking_sheet WHERE shop_id = %s", [self.id])
            return int((cursor.fetchone() or (0,))[0])

    def findings(self) -> list[doctor.Finding]:
        return doctor.of_shop(self.id)


def when(text: str) -> datetime:
    """Return "2026-11-03 10:00" on Tokyo's wall."""
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def person() -> UUID:
    return uuid4()


def found(
    resources: Mapping[str, Mapping[str, Any]],
    services: Mapping[str, Mapping[str, Any]],
    *,
    hours: Sequence[tuple[int, int]] = ((9 * 60, 18 * 60),),
    **settings: Any,
) -> House:
    """Make a shop. In requirements and parts keys name resources, in additions services above."""
    slug = f"shop-{next(_numbers)}"
    house = House(directory.found(slug), slug, settings.get("zone", "Asia/Tokyo"))
    with shop(house.id):
        Shop.objects.create(texts={"name": {"ja": "店", "en": "Shop"}}, **settings)
        with rules.change():
            OpeningHours.objects.create(weekly=[[list(each) for each in hours]] * 7)
            for key, values in resources.items():
                _resource(house, key, dict(values))
            for key, values in services.items():
                _service(house, key, dict(values))
    return house


def _resource(house: House, key: str, values: dict[str, Any]) -> None:
    values.setdefault("kind", "staff")
    values["parts"] = [house.resources[part] for part in values.get("parts", ())]
    fee = values.pop("fee", 0)
    row = Resource.objects.create(key=key, **values)
    house.resources[key] = row.id
    if row.kind == "staff":
        Staff.objects.create(id=row.id, key=key, texts={"name": {"ja": key}}, fee=fee)


def _service(house: House, key: str, values: dict[str, Any]) -> None:
    needs = values.pop("needs")
    requirements = []
    for role, need in needs.items():
        pool, more = (need, {}) if isinstance(need, (list, tuple)) else (need["pool"], dict(need))
        more.pop("pool", None)
        requirements.append({"role": role, "pool": [house.resources[each] for each in pool], **more})
    minutes = values.pop("minutes", 60)
    values.setdefault("segments", [{"minutes": minutes, "roles": list(needs)}])
    values["additions"] = [house.services[each] for each in values.get("additions", ())]
    values.setdefault("grid", {"kind": "opening", "interval": 30})
    values.setdefault("series", {"most": 100})
    house.services[key] = Service.objects.create(key=key, requirements=requirements, **values).id


def salon(staff: int = 1, **settings: Any) -> House:
    """A salon with so many stylists, and a cut of 60 minutes at 4,400 yen."""
    names = [f"stylist{number}" for number in range(staff)]
    return found(
        {name: {} for name in names},
        {"cut": {"needs": {"staff": names}, "minutes": 60, "price": 4400}},
        **settings,
    )


def later(**delta: Any) -> datetime:
    return NOW + timedelta(**delta)
