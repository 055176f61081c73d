"""Writes a shop as its file describes it, or brings it up to the file; booking.importing is the command.

A file is the truth for what it names. Nobody and nothing is deleted that a booking may point to: staff,
resources and services that are no longer named stop being bookable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import F

from noren.shops.described import ResourceGiven, ServiceGiven, ShopGiven
from noren.shops.described_hours import HoursGiven
from noren.shops.models import OpeningHours, Override, Resource, Service, Shop, Staff
from noren.shops.reading import Ranges
from noren.shops.tenancy import ShopModel

# Written beside what a file says, and never by it.
_OWN: Final = frozenset({"joined_at", "policy_version"})


@dataclass(slots=True)
class Fields:
    """What a file says, by field ("service cut: price") a digest of its value; what it said last beside it.

    `over`: what somebody has changed since, or made elsewhere, and what this file would write over.
    """

    last: Mapping[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)

    def writes(self, name: str, value: Any) -> None:
        self.now[name] = _digest(value)

    def replaces(self, name: str, there: Any) -> None:
        """Look whether what is there is what the file said last."""
        if self.last.get(name) != _digest(there):
            self.over.add(name)

    def removed(self, names: Iterable[str]) -> None:
        """Somebody has taken away what the file made, and makes again."""
        self.over.update(name for name in names if name in self.last)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apply(given: ShopGiven, *, now: datetime, fields: Fields | None = None) -> bool:
    """Write a shop's rows, inside the shop; say whether anything differed: a second time nothing does.

    `now` is when those join who are new. `fields` is told what is written, and over what.
    """
    writer = _Writer(now, fields or Fields())
    before = _asked()
    writer.shop(given.columns)
    ids = writer.resources(given)
    writer.hours(given.hours, "the shop")
    written = {each.key: writer.service(each, ids) for each in given.services}
    for each in given.services:
        writer.additions(written[each.key], [written[key] for key in each.additions])
    writer.retire(Service, [each.key for each in given.services])
    if before and _asked() != before:
        Shop.objects.update(questions_version=F("questions_version") + 1)
    return writer.changed


def write_shop(columns: Mapping[str, Any], *, now: datetime) -> bool:
    """Write columns of the shop's own row, `texts` among them, inside the shop; say whether any differed.

    Another wording of the policy is another version of it.
    """
    writer = _Writer(now, Fields())
    writer.shop(columns)
    return writer.changed


def _asked() -> dict[str, Any]:
    """Return all that the shop asks, by where: its own under no key. Nothing while there is no shop."""
    row = Shop.objects.first()
    services = Service.objects.values_list("key", "questions")
    return {} if row is None else {"": row.questions, **dict(services)}


class _Writer:
    """Writes what differs, and remembers whether anything did."""

    def __init__(self, now: datetime, fields: Fields) -> None:
        self.changed = False
        self._fields = fields
        self._now = now
        self._founding = False

    def shop(self, columns: Mapping[str, Any]) -> None:
        """Write the shop's own row."""
        row = Shop.objects.first()
        if row is None:
            Shop.objects.create(**columns)
            self.changed = self._founding = True
            self._say("shop", columns)
            return
        values = dict(columns)
        if row.texts.get("policy") != columns["texts"].get("policy"):
            values["policy_version"] = row.policy_version + 1
        self._update(row, values, "shop")

    def resources(self, given: ShopGiven) -> dict[str, int]:
        """Write staff and resources in the file's order, parts before wholes; give the ids by key."""
        ids: dict[str, int] = {}
        for each in given.resources:
            parts = [ids[part] for part in each.parts]
            columns = {**each.columns, "parts": parts, **self._joins(each)}
            what = f"resource {each.key}"
            ids[each.key] = self._put(Resource, {"key": each.key}, columns, what)
            if each.staff is not None:
                self._put(Staff, {"id": ids[each.key]}, {"key": each.key, **each.staff}, f"staff {each.key}")
            self.hours(each.hours, what, resource_id=ids[each.key])
        self.retire(Resource, list(ids))
        return ids

    def _joins(self, given: ResourceGiven) -> dict[str, datetime]:
        """Who comes, or comes back, to a shop that is open already does so now."""
        there = Resource.objects.filter(key=given.key, bookable=True).exists()
        return {} if there or self._founding or not given.columns["bookable"] else {"joined_at": self._now}

    def service(self, given: ServiceGiven, ids: Mapping[str, int]) -> int:
        """Write one, all but its additions: these may be further below in the file."""
        needs = [
            {**need, "pool": [ids[key] for key in need["pool"]]} for need in given.columns["requirements"]
        ]
        timetable = [
            {**entry, "staff": [ids[key] for key in entry["staff"]]} for entry in given.columns["timetable"]
        ]
        own = [{**each, "staff": ids[each["staff"]]} for each in given.columns["by_staff"]]
        values = {**given.columns, "requirements": needs, "timetable": timetable, "by_staff": own}
        what = f"service {given.key}"
        service_id = self._put(Service, {"key": given.key}, values, what)
        self.hours(given.hours, what, service_id=service_id)
        return service_id

    def additions(self, service_id: int, additions: list[int]) -> None:
        row = Service.objects.get(id=service_id)
        self._update(row, {"additions": additions}, f"service {row.key}")

    def retire(self, model: type[Resource] | type[Service], keys: list[str]) -> None:
        """What the file no longer names can no longer be booked; its bookings stay."""
        left = model.objects.exclude(key__in=keys)
        for row in left.order_by("key"):
            name = f"{model.__name__.lower()} {row.key}: bookable"
            if row.bookable:
                self._fields.replaces(name, there=True)
            self._fields.writes(name, value=False)
        self.changed |= bool(left.filter(bookable=True).update(bookable=False))

    def hours(
        self,
        given: HoursGiven | None,
        what: str,
        *,
        resource_id: int | None = None,
        service_id: int | None = None,
    ) -> None:
        owner = {"resource_id": resource_id, "service_id": service_id}
        if given is None:
            there = OpeningHours.objects.filter(**owner)
            for row in there:
                self._fields.replaces(f"hours of {what}: weekly", row.weekly)
            self.changed |= bool(there.delete()[0])
        else:
            self._put(OpeningHours, owner, given.columns, f"hours of {what}")
        self._overrides(owner, {} if given is None else given.dates, what)

    def _overrides(self, owner: dict[str, int | None], dates: Mapping[date, Ranges], what: str) -> None:
        gone = Override.objects.filter(**owner).exclude(date__in=dates)
        for row in gone:
            self._fields.replaces(f"hours of {what} on {row.date}: ranges", row.ranges)
        self.changed |= bool(gone.delete()[0])
        for day, ranges in dates.items():
            self._put(Override, {**owner, "date": day}, {"ranges": ranges}, f"hours of {what} on {day}")

    def _put(
        self, model: type[ShopModel], match: dict[str, Any], values: Mapping[str, Any], what: str
    ) -> int:
        row = model.objects.filter(**match).first()
        if row is None:
            self.changed = True
            self._fields.removed(f"{what}: {name}" for name in values)
            self._say(what, values)
            return model.objects.create(**match, **values).id
        self._update(row, values, what)
        return row.id

    def _say(self, what: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name not in _OWN:
                self._fields.writes(f"{what}: {name}", value)

    def _update(self, row: ShopModel, values: Mapping[str, Any], what: str) -> None:
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        self._say(what, values)
        for name in differing.keys() - _OWN:
            self._fields.replaces(f"{what}: {name}", getattr(row, name))
        if differing:
            type(row).objects.filter(id=row.id).update(**differing)
            self.changed = True
