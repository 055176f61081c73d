"""Writes a shop as its file describes it, or brings it up to the file; booking.importing is the command.

A file is the truth for what it names. Nobody and nothing is deleted that a booking may point to: staff,
resources and services that are no longer named stop being bookable.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import F

from noren.shops.described import ResourceGiven, ServiceGiven, ShopGiven
from noren.shops.described_hours import HoursGiven
from noren.shops.models import OpeningHours, Override, Resource, Service, Shop, Staff
from noren.shops.reading import Ranges
from noren.shops.tenancy import ShopModel


def apply(given: ShopGiven, *, now: datetime) -> bool:
    """Write a shop's rows, inside the shop; say whether anything differed: a second time nothing does.

    `now` is when those join who are new.
    """
    writer = _Writer(now)
    before = _asked()
    writer.shop(given.columns)
    ids = writer.resources(given)
    writer.hours(given.hours)
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
    writer = _Writer(now)
    writer.shop(columns)
    return writer.changed


def _asked() -> dict[str, Any]:
    """Return all that the shop asks, by where: its own under no key. Nothing while there is no shop."""
    row = Shop.objects.first()
    services = Service.objects.values_list("key", "questions")
    return {} if row is None else {"": row.questions, **dict(services)}


class _Writer:
    """Writes what differs, and remembers whether anything did."""

    def __init__(self, now: datetime) -> None:
        self.changed = False
        self._now = now
        self._founding = False

    def shop(self, columns: Mapping[str, Any]) -> None:
        """Write the shop's own row."""
        row = Shop.objects.first()
        if row is None:
            Shop.objects.create(**columns)
            self.changed = self._founding = True
            return
        values = dict(columns)
        if row.texts.get("policy") != columns["texts"].get("policy"):
            values["policy_version"] = row.policy_version + 1
        self._update(row, values)

    def resources(self, given: ShopGiven) -> dict[str, int]:
        """Write staff and resources in the file's order, parts before wholes; give the ids by key."""
        ids: dict[str, int] = {}
        for each in given.resources:
            parts = [ids[part] for part in each.parts]
            columns = {**each.columns, "parts": parts, **self._joins(each)}
            ids[each.key] = self._put(Resource, {"key": each.key}, columns)
            if each.staff is not None:
                self._put(Staff, {"id": ids[each.key]}, {"key": each.key, **each.staff})
            self.hours(each.hours, resource_id=ids[each.key])
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
        values = {**given.columns, "requirements": needs, "timetable": timetable}
        service_id = self._put(Service, {"key": given.key}, values)
        self.hours(given.hours, service_id=service_id)
        return service_id

    def additions(self, service_id: int, additions: list[int]) -> None:
        self._update(Service.objects.get(id=service_id), {"additions": additions})

    def retire(self, model: type[Resource] | type[Service], keys: list[str]) -> None:
        """What the file no longer names can no longer be booked; its bookings stay."""
        gone = model.objects.filter(bookable=True).exclude(key__in=keys).update(bookable=False)
        self.changed |= bool(gone)

    def hours(
        self, given: HoursGiven | None, *, resource_id: int | None = None, service_id: int | None = None
    ) -> None:
        owner = {"resource_id": resource_id, "service_id": service_id}
        if given is None:
            gone, _ = OpeningHours.objects.filter(**owner).delete()
            self.changed |= bool(gone)
        else:
            self._put(OpeningHours, owner, given.columns)
        self._overrides(owner, {} if given is None else given.dates)

    def _overrides(self, owner: dict[str, int | None], dates: Mapping[date, Ranges]) -> None:
        gone, _ = Override.objects.filter(**owner).exclude(date__in=dates).delete()
        self.changed |= bool(gone)
        for day, ranges in dates.items():
            self._put(Override, {**owner, "date": day}, {"ranges": ranges})

    def _put(self, model: type[ShopModel], match: dict[str, Any], values: Mapping[str, Any]) -> int:
        row = model.objects.filter(**match).first()
        if row is None:
            self.changed = True
            return model.objects.create(**match, **values).id
        self._update(row, values)
        return row.id

    def _update(self, row: ShopModel, values: Mapping[str, Any]) -> None:
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        if differing:
            type(row).objects.filter(id=row.id).update(**differing)
            self.changed = True
