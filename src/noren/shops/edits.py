"""Small changes of a shop's rules by its own people, inside `booking.changes.change`.

Each says whether anything differs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from django.db.models import F
from procrastinate.contrib.django import app

from noren.shops.models import OpeningHours, Override, Resource, Service, Shop
from noren.shops.reading import Ranges, Values
from noren.shops.tenancy import current_shop
from noren.shops.terms import reminders_of

# What a service that is like another one has of it.
_COPIED = (
    *("segments", "requirements", "before", "after", "grid", "lead", "change", "cancel", "horizon"),
    *("limits", "approval", "fees", "check_in", "waiting", "party_min", "party_max", "tax_rate"),
    "own_policy",
)


class DayReason(StrEnum):
    """What the public page says of a day with other hours than usual. A code: no free text."""

    NONE = ""
    HOLIDAY = "holiday"
    TRAINING = "training"
    WORKS = "works"
    WEATHER = "weather"
    EVENT = "event"


def set_day(
    on: date, ranges: Ranges, why: DayReason = DayReason.NONE, *, resource_id: int | None = None
) -> bool:
    """Give one date of the shop, or of a resource, its own hours; none: closed."""
    row = Override.objects.filter(resource_id=resource_id, service_id=None, date=on)
    values = {"ranges": ranges, "why": str(why)}
    if not row.exists():
        Override.objects.create(resource_id=resource_id, date=on, **values)
        return True
    return row.exclude(**values).update(**values) > 0


def set_days(days: Iterable[date], ranges: Ranges, why: DayReason) -> bool:
    """Give several dates of the shop the same hours; none: closed."""
    changed = [set_day(on, ranges, why) for on in days]
    return any(changed)


def unset_day(on: date, *, resource_id: int | None = None) -> bool:
    """Give a date the hours it would have without its own."""
    gone, _ = Override.objects.filter(resource_id=resource_id, service_id=None, date=on).delete()
    return gone > 0


def set_bookable(resource_id: int, *, there: bool, now: datetime) -> bool:
    """Let somebody, or something, be booked, or not any more. Who comes back joins now: no flood."""
    row = Resource.objects.filter(id=resource_id).exclude(bookable=there)
    return row.update(bookable=there, **({"joined_at": now} if there else {})) > 0


def set_stopped(until: datetime | None, *, now: datetime, by: str) -> bool:
    """Offer customers no start before then, or (None) all of them again; who did it is kept. Not twice."""
    there = Shop.objects.filter(stopped_until__gt=now)
    differs = there.exists() if until is None else not there.filter(stopped_until=until).exists()
    if differs:
        Shop.objects.update(stopped_until=until, stopped_at=now, stopped_by=by)
    return differs


def set_reminding(reminders: Sequence[int], thanks_hours: int, quiet: Mapping[str, int]) -> bool:
    """Say when customers are reminded and thanked, and when nobody is disturbed. Bookings to come are planned
    anew by a job of the same transaction.
    """
    first, *more = reminders_of(*reminders) or (0,)
    values = {"reminder_minutes": first, "more_reminders": more, "thanks_hours": thanks_hours}
    changed = Shop.objects.exclude(**values, quiet=quiet).update(**values, quiet=quiet) > 0
    if changed:
        app.configure_task("noren.booking.tasks.replan").defer(shop_id=current_shop(), last=0)
    return changed


def set_embed_origins(origins: Sequence[str]) -> bool:
    """Let the booking pages be shown in these sites' pages, and in no others."""
    return Shop.objects.exclude(embed_origins=list(origins)).update(embed_origins=list(origins)) > 0


def set_week(weekly: Sequence[Ranges], rule: str) -> bool:
    """Give the shop its hours of each weekday, and what a public holiday does; closings and dates stay."""
    hours = OpeningHours.objects.filter(resource_id=None, service_id=None)
    if not hours.exists():
        OpeningHours.objects.create(weekly=list(weekly))
        changed = 1
    else:
        changed = hours.exclude(weekly=list(weekly)).update(weekly=list(weekly))
    return changed + Shop.objects.exclude(holiday_rule=rule).update(holiday_rule=rule) > 0


def set_order(ids: Sequence[int]) -> bool:
    """List the services in this order; those not named keep theirs, after them."""
    rows = list(Service.objects.order_by("position", "id"))
    named = [each for each in dict.fromkeys(ids) if any(row.id == each for row in rows)]
    order = [*named, *(row.id for row in rows if row.id not in named)]
    if order == [row.id for row in rows]:
        return False
    for position, each in enumerate(order):
        Service.objects.filter(id=each).update(position=position)
    return True


def set_service(service_id: int, values: Values) -> bool:
    """Give a service other words, another price, other segments; or let it be booked or not."""
    row = Service.objects.get(id=service_id)
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    return bool(differing) and Service.objects.filter(id=service_id).update(**differing) > 0


def with_version(write: Callable[[], bool]) -> bool:
    """Write how bookings are treated; where it differs it is another version of what customers agree to."""
    changed = write()
    if changed:
        Shop.objects.update(policy_version=F("policy_version") + 1)
    return changed


def set_policies(columns: Values, follows: Collection[int]) -> bool:
    """Say how all these services are treated; the others keep what they have as their own."""

    def write() -> bool:
        changed = Shop.objects.exclude(policies=columns).update(policies=columns)
        changed += Service.objects.filter(own_policy=False).exclude(id__in=follows).update(own_policy=True)
        for each in Service.objects.filter(id__in=follows).values_list("id", flat=True):
            changed += set_service(each, {**columns, "own_policy": False})
        return changed > 0

    return with_version(write)


def follow_policies(service_id: int) -> bool:
    """Treat a service as the shop says for the others."""
    columns = Shop.objects.get().policies
    return with_version(lambda: set_service(service_id, {**columns, "own_policy": False}))


def add_service(like: int, values: Values) -> bool:
    """Make a service that is in all else as another one is: who and what it needs, deadlines, fees."""
    row = Service.objects.get(id=like)
    taken = set(Service.objects.values_list("key", flat=True))
    numbers = range(1, len(taken) + 2)
    copied = {name: getattr(row, name) for name in _COPIED}
    key = next(key for number in numbers if (key := f"own-{number}") not in taken)
    Service.objects.create(key=key, position=len(taken), **{**copied, **values})
    return True
