"""How a deed is done: in one transaction. Who is overtaken reads and decides again, three times at most."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from noren.booking import availability
from noren.booking.asked import Asked
from noren.booking.models import Booking, Event
from noren.booking.referee import Overtaken
from noren.errors import BookingUnknown, LimitReached, SlotTaken
from noren.shops.tenancy import write_in

TRIES = 3
Actor = str
"""Who: "customer", "staff:<handle>", "api", "system". Never a name."""
CUSTOMER: Actor = "customer"
T = TypeVar("T")


def by_staff(by: Actor) -> bool:
    """Whether somebody of the shop does it; a program with the shop's key is one."""
    return by.startswith(("staff:", "key:"))


def attempt(shop_id: int, asked: Asked, write: Callable[[], T], *, now: datetime) -> T:
    """Write; tell who was not fast enough, or for whom a limit leaves no room, the nearest free starts. Who
    has lost already is told without a transaction.
    """
    lost: type[SlotTaken | LimitReached] = SlotTaken
    if not availability.is_taken(shop_id, asked, now=now):
        try:
            return tried(shop_id, write)
        except (SlotTaken, LimitReached) as refusal:
            lost = type(refusal)
    wanted: dict[str, Any] = {"staff": asked.staff, "party": asked.party, "nights": asked.nights}
    wanted |= {"also": asked.also, "desk": asked.desk}
    near = availability.nearest(
        shop_id, asked.service_id, asked.start, now=now, person=asked.person, own=asked.own, **wanted
    )
    raise lost(nearest=near)


def tried(shop_id: int, write: Callable[[], T]) -> T:
    """Write in a transaction of its own; who is overtaken reads and decides again."""
    for _ in range(TRIES):
        try:
            with write_in(shop_id):
                return write()
        except Overtaken:
            continue
    raise SlotTaken


def may_insist(reason: str, by: Actor) -> None:
    """Only staff insist: neither a customer's page nor the API has a way to."""
    if reason and not by.startswith("staff:"):
        raise RuntimeError("Only staff may insist on what is not offered.")


def locked(booking_id: int) -> Booking:
    """Return the row, locked: bookings come before sheets in the order of locks."""
    found = Booking.objects.select_for_update(no_key=True).filter(id=booking_id).first()
    if found is None:
        raise BookingUnknown
    return found


def of_id(booking_id: int) -> Booking:
    """Return the row, inside the shop. Raises BookingUnknown."""
    found = Booking.objects.filter(id=booking_id).first()
    if found is None:
        raise BookingUnknown
    return found


def note(booking_id: int, what: str, *, now: datetime, by: Actor, why: str = "", **facts: Any) -> None:
    """Write a line of a booking's history, inside the shop's transaction. No person's data."""
    Event.objects.create(booking_id=booking_id, at=now, by=by, what=what, why=why, facts=facts)
