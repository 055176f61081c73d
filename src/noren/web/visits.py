"""A booking as pages show it: its service, times and staff in words, and no person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from noren.booking import sessions
from noren.booking.actions import OPEN
from noren.booking.models import STANDING, Booking, Status
from noren.shops import rules
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Face, Offer


@dataclass(frozen=True, slots=True)
class Line:
    """One service of a visit (or what asking for somebody costs): minutes, and yen for the whole party."""

    name: str
    minutes: int
    price: int


@dataclass(frozen=True, slots=True)
class Visit:
    """`start` and `end` in the shop's zone; `price` in yen for the whole party, as agreed."""

    id: int
    service_id: int
    service: str
    start: datetime
    end: datetime
    staff_id: int | None
    asked_staff_id: int | None
    staff: str
    party: int
    price: int
    status: str
    person: UUID | None
    agreed: Mapping[str, Any]
    also: tuple[int, ...] = ()
    parts: tuple["Line", ...] = ()
    """Of a visit of several services what each of them is and costs."""
    series_id: int | None = None
    """The first of those that were booked together."""
    said_under: int = 0
    """By which number what she said for it is kept: of a series the first booking's."""
    locale: str = ""
    """The language in which she is written to about it."""
    was: tuple[datetime, datetime] | None = None
    """When it was to be, of a class the shop has moved, until she says whether she keeps it."""

    @property
    def status_words(self) -> str:
        return status_words(self.status)

    @property
    def said_fields(self) -> tuple[str, ...]:
        """Which fields of the vault have a line of this booking."""
        return tuple(self.agreed.get("asked", {}).get("fields", ()))

    @property
    def for_other(self) -> bool:
        """Whether she has booked it for somebody else."""
        return bool(self.agreed.get("asked", {}).get("for_other"))

    @property
    def nights(self) -> int:
        """Of a stay; else 0."""
        return int(self.agreed.get("nights", 0))

    @property
    def open(self) -> bool:
        """Whether it can still be moved and cancelled."""
        return self.status in OPEN

    @property
    def stands(self) -> bool:
        """Whether it is a booking that has not ended otherwise."""
        return self.status in STANDING


_STATUS_WORDS = {
    Status.HELD: gettext_noop("being booked"),
    Status.PENDING: gettext_noop("waiting for the shop"),
    Status.CONFIRMED: gettext_noop("booked"),
    Status.CHECKED_IN: gettext_noop("arrived"),
    Status.NO_SHOW: gettext_noop("did not come"),
    Status.CANCELLED: gettext_noop("cancelled"),
    Status.DECLINED: gettext_noop("declined"),
    Status.RELEASED: gettext_noop("time given free"),
    Status.EXPIRED: gettext_noop("not completed"),
}


def status_words(status: str) -> str:
    return gettext(_STATUS_WORDS[Status(status)])


def address(name: str, booking_id: int) -> str:
    """Return what `reverse` does for one booking, of which a day's page has hundreds."""
    before, after = _around(name)
    return f"{before}{booking_id}{after}"


@cache
def _around(name: str) -> tuple[str, str]:
    before, _zero, after = reverse(name, args=[0]).partition("0")
    return before, after


def one(face: Face, booking_id: int) -> Visit | None:
    with in_shop(face.id):
        row = Booking.objects.filter(id=booking_id).first()
        if row is None:
            return None
        was = sessions.was(row)
        found = of([row], face)[0]
        if was is None:
            return found
        return replace(found, was=(was[0].astimezone(face.zone), was[1].astimezone(face.zone)))


def lines(offer: Offer, party: int, staff: int | None, name: str) -> tuple[Line, ...]:
    """Return what each service of a visit costs that is about to be booked."""
    each = [Line(part.name, part.minutes_with(staff), part.price_with(staff) * party) for part in offer.parts]
    return _with_fee(each, offer.fee(staff), name)


def _with_fee(lines: list[Line], fee: int, name: str) -> tuple[Line, ...]:
    if lines and fee:
        lines.append(Line(_("Asking for %(name)s") % {"name": name}, 0, fee))
    return tuple(lines)


def pool(visit: Visit) -> set[int]:
    """Return who and what the needs of its services name. Inside the shop."""
    house = rules.known().visit(visit.service_id, visit.also)
    return {each for need in house.rules.services[visit.service_id].requirements for each in need.pool}


def of(rows: list[Booking], face: Face) -> list[Visit]:
    """Give the rows their words. Inside the shop; two queries however many rows."""
    services = Service.objects.in_bulk({each for row in rows for each in row.services})
    staff = Staff.objects.in_bulk({row.staff_id for row in rows if row.staff_id})
    return [_visit(row, face, services, staff) for row in rows]


def done(ids: Collection[int], face: Face) -> list[Visit]:
    """Return these, in the order of their starts. Inside the shop."""
    return of(list(Booking.objects.filter(id__in=ids).order_by("start", "id")), face) if ids else []


def _visit(row: Booking, face: Face, services: Mapping[int, Service], staff: Mapping[int, Staff]) -> Visit:
    names = {each: wording.text(services[each].texts, "name") for each in row.services if each in services}
    member = staff.get(row.staff_id or 0)
    serving = wording.text(member.texts, "name") if member else ""
    return Visit(
        id=row.id,
        service_id=row.service_id,
        service=wording.visit(list(names.values())),
        start=row.start.astimezone(face.zone),
        end=row.end.astimezone(face.zone),
        staff_id=row.staff_id,
        asked_staff_id=row.asked_staff_id,
        staff=serving,
        party=row.party,
        price=row.agreed.get("price", 0),
        status=row.status,
        person=row.person_id,
        agreed=row.agreed,
        also=row.also,
        parts=_parts(row, names, serving),
        series_id=row.series_id,
        said_under=row.series_id or row.id,
        locale=row.locale,
    )


def _parts(row: Booking, names: Mapping[int, str], serving: str) -> tuple[Line, ...]:
    fee = int(row.agreed.get("fee", 0))
    found = [
        # What asking for somebody costs is agreed with the first.
        Line(names.get(part["service"], ""), part["minutes"], part["price"] - (0 if number else fee))
        for number, part in enumerate(row.parts)
    ]
    return _with_fee(found, fee, serving)
