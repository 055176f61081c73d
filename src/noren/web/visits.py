"""A booking as pages show it: its service, times and staff in words, and no person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from noren.booking import sessions
from noren.booking.actions import OPEN
from noren.booking.models import STANDING, Booking, Status
from noren.engine.model import Deadline
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Face


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
    was: tuple[datetime, datetime] | None = None
    """When it was to be, of a class the shop has moved, until she says whether she keeps it."""

    @property
    def status_words(self) -> str:
        return status_words(self.status)

    @property
    def cancel_deadline(self) -> Deadline | None:
        """Until when the customer may cancel: as it was agreed, or (agreement.is_free) until the start."""
        if self.was is not None or self.status == Status.PENDING:
            return Deadline()
        agreed = self.agreed.get("cancel")
        return Deadline(**agreed) if agreed else None

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


def status_words(status: str) -> str:
    words = {
        Status.HELD: _("being booked"),
        Status.PENDING: _("waiting for the shop"),
        Status.CONFIRMED: _("booked"),
        Status.CHECKED_IN: _("arrived"),
        Status.NO_SHOW: _("did not come"),
        Status.CANCELLED: _("cancelled"),
        Status.DECLINED: _("declined"),
        Status.RELEASED: _("time given free"),
        Status.EXPIRED: _("not completed"),
    }
    return words[Status(status)]


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


def pool(service_id: int) -> set[int]:
    """Return who and what a service's needs name. Inside the shop."""
    rows = Service.objects.filter(id=service_id).values_list("requirements", flat=True)
    return {each for needs in rows for need in needs for each in need["pool"]}


def of(rows: list[Booking], face: Face) -> list[Visit]:
    """Give the rows their words. Inside the shop; two queries however many rows."""
    services = Service.objects.in_bulk({row.service_id for row in rows})
    staff = Staff.objects.in_bulk({row.staff_id for row in rows if row.staff_id})
    return [_visit(row, face, services, staff) for row in rows]


def _visit(row: Booking, face: Face, services: Mapping[int, Service], staff: Mapping[int, Staff]) -> Visit:
    service = services.get(row.service_id)
    member = staff.get(row.staff_id or 0)
    return Visit(
        id=row.id,
        service_id=row.service_id,
        service=wording.text(service.texts, "name") if service else "",
        start=row.start.astimezone(face.zone),
        end=row.end.astimezone(face.zone),
        staff_id=row.staff_id,
        asked_staff_id=row.asked_staff_id,
        staff=wording.text(member.texts, "name") if member else "",
        party=row.party,
        price=row.agreed.get("price", 0),
        status=row.status,
        person=row.person_id,
        agreed=row.agreed,
    )
