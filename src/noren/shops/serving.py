"""Who serves and what is used: staff and resources, which services need them, in which order they stand.

Each deed is done inside `booking.changes.change`, and says whether anything differs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from procrastinate.contrib.django import app

from noren.errors import NobodyLeft
from noren.shops.models import OpeningHours, Resource, Service, Shop, Staff
from noren.shops.reading import Values
from noren.shops.tenancy import current_shop

STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Need:
    """A service that needs one of a kind of resource, and which of its needs that is."""

    service: Service
    number: int

    @property
    def pool(self) -> tuple[int, ...]:
        """Of whom, or which, one is taken."""
        return tuple(self.service.requirements[self.number]["pool"])


def needs(kind: str) -> list[Need]:
    """Return the services that take any of a kind, in their order. Who are needed all together (two
    teachers) are no choice, and are left out.
    """
    there = set(Resource.objects.filter(kind=kind).values_list("id", flat=True))
    found = []
    for row in Service.objects.order_by("position", "id"):
        for number, need in enumerate(row.requirements):
            together = need.get("count", 1) == len(need["pool"]) > 1
            if not together and there.intersection(need["pool"]):
                found.append(Need(row, number))
                break
    return found


def serve(resource_id: int, kind: str, wanted: Collection[int]) -> bool:
    """Let her (or it) serve these services, and no others of those that take any of her kind.

    Raises NobodyLeft where one that can be booked would have too few.
    """
    changed = False
    for need in needs(kind):
        pool, serves = need.pool, need.service.id in wanted
        if serves == (resource_id in pool):
            continue
        ids = [*pool, resource_id] if serves else [each for each in pool if each != resource_id]
        plain = need.service.requirements[need.number]
        if not serves and len(ids) < plain.get("count", 1) and need.service.bookable:
            raise NobodyLeft(service_id=need.service.id)
        requirements = list(need.service.requirements)
        requirements[need.number] = {**plain, "pool": ids}
        changed |= Service.objects.filter(id=need.service.id).update(requirements=requirements) > 0
    return changed


def free_key(wanted: str, kind: str) -> str:
    """Return a key that nobody and nothing has: the one that is wanted, or one with a number."""
    taken = set(Resource.objects.values_list("key", flat=True))
    if wanted and wanted not in taken:
        return wanted
    numbers = range(1, len(taken) + 3)
    return next(key for number in numbers if (key := f"{wanted or kind}-{number}") not in taken)


def add_staff(key: str, columns: Values, serves: Collection[int], first: date, *, now: datetime) -> bool:
    """Let somebody serve from a day on; she stands last."""
    position = len(Staff.objects.values_list("id", flat=True))
    words = {"texts": {"name": columns["texts"]["name"]}, "position": position}
    row = Resource.objects.create(key=free_key(key, STAFF), kind=STAFF, **words, joined_at=now)
    Staff.objects.create(id=row.id, key=row.key, position=position, **columns)
    serve(row.id, STAFF, serves)
    set_dates(row.id, first, None, now=now)
    return True


def set_staff(staff_id: int, columns: Values, serves: Collection[int]) -> bool:
    """Give somebody who serves other words, another fee, other services."""
    changed = _differs(Staff, staff_id, columns)
    _differs(Resource, staff_id, {"texts": {"name": columns["texts"]["name"]}})
    return serve(staff_id, STAFF, serves) or changed


def add_resource(key: str, kind: str, columns: Values, used: Collection[int], *, now: datetime) -> bool:
    """Add a room, a chair, equipment; it stands last."""
    position = len(Resource.objects.exclude(kind=STAFF).values_list("id", flat=True))
    joined = {"position": position, "joined_at": now}
    row = Resource.objects.create(key=free_key(key, kind), kind=kind, **joined, **columns)
    serve(row.id, kind, used)
    return True


def set_resource(resource_id: int, kind: str, columns: Values, used: Collection[int]) -> bool:
    """Give a resource other words, another number, other services."""
    changed = _differs(Resource, resource_id, columns)
    return serve(resource_id, kind, used) or changed


def _differs(model: type[Staff] | type[Resource], row_id: int, columns: Values) -> bool:
    row: Any = model.objects.get(id=row_id)
    differing = {name: value for name, value in columns.items() if getattr(row, name) != value}
    return bool(differing) and model.objects.filter(id=row_id).update(**differing) > 0


def place(resource_id: int, *, step: int = 0, to: int | None = None) -> bool:
    """Let somebody, or something, stand a place earlier (-1) or later (+1) among her like, or at one."""
    row = Resource.objects.get(id=resource_id)
    alike = Resource.objects.filter(kind=STAFF) if row.kind == STAFF else Resource.objects.exclude(kind=STAFF)
    ids = list(alike.order_by("position", "id").values_list("id", flat=True))
    old = ids.index(resource_id)
    new = min(max(old + step if to is None else to, 0), len(ids) - 1)
    if new == old:
        return False
    ids.insert(new, ids.pop(old))
    return stand(ids)


def stand(ids: Sequence[int]) -> bool:
    """Let them stand in this order."""
    for position, each in enumerate(ids):
        Resource.objects.filter(id=each).update(position=position)
        Staff.objects.filter(id=each).update(position=position)
    return bool(ids)


def set_dates(resource_id: int, first: date | None, last: date | None, *, now: datetime) -> bool:
    """Say between which days there is anything of it. When the last is over a job takes it out of booking."""
    row = hours_of(resource_id)
    before = (None, None) if row is None else (row.first, row.last)
    if before == (first, last):
        return False
    if row is None:
        OpeningHours.objects.create(resource_id=resource_id, weekly=[], first=first, last=last)
    else:
        OpeningHours.objects.filter(id=row.id).update(first=first, last=last)
    zone = ZoneInfo(Shop.objects.get().zone)
    if first is not None and first > now.astimezone(zone).date():
        begins = datetime.combine(first, time(), zone)
        Resource.objects.filter(id=resource_id).update(joined_at=begins)
    if last is not None:
        over = datetime.combine(last + timedelta(days=1), time(), zone)
        job = app.configure_task("noren.booking.tasks.leave", schedule_at=max(over, now))
        job.defer(shop_id=current_shop(), resource_id=resource_id)
    return True


def has_left(resource_id: int, *, now: datetime) -> bool:
    """Say whether its last day is over."""
    row, zone = hours_of(resource_id), ZoneInfo(Shop.objects.get().zone)
    return row is not None and row.last is not None and row.last < now.astimezone(zone).date()


def hours_of(resource_id: int) -> OpeningHours | None:
    """Return the row of a resource's own hours; None where there is none."""
    return OpeningHours.objects.filter(resource_id=resource_id, service_id=None).first()
