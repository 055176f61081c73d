"""First visits and returning ones: what a service is for, her own word, and what the history says of her.

Of a guest only her word is known; of who is signed in, her bookings are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from noren.booking.models import Booking, Status
from noren.errors import NotForHer
from noren.shops.terms import Visitors


@dataclass(frozen=True, slots=True)
class Odd:
    """A booking whose word and history differ: what she said, and how often she has been here."""

    said: Visitors
    visits: int


def visits(person: UUID, before: datetime) -> int:
    """Return how often somebody was here before an instant. Inside the shop."""
    hers = Booking.objects.filter(person_id=person, start__lt=before)
    return hers.filter(status__in=(Status.CONFIRMED, Status.CHECKED_IN)).count()


def fits(whom: Visitors, person: UUID, *, now: datetime) -> bool:
    """Say whether a service is for somebody who is known. Inside the shop."""
    if whom is Visitors.ALL:
        return True
    return (visits(person, now) > 0) == (whom is Visitors.AGAIN)


def check(whom: Visitors, person: UUID, *, now: datetime) -> None:
    """Raises NotForHer."""
    if not fits(whom, person, now=now):
        raise NotForHer


def said(agreed: Mapping[str, Any]) -> Visitors:
    """Return whom the service was for when it was booked."""
    return Visitors(agreed.get("visitors", ""))


def odd(person: UUID | None, agreed: Mapping[str, Any], start: datetime) -> Odd | None:
    """Return what differs, of a booking: None where nothing does, or nothing was said. Inside the shop."""
    word = said(agreed)
    if person is None or word is Visitors.ALL:
        return None
    before = visits(person, start)
    return Odd(word, before) if (before > 0) != (word is Visitors.AGAIN) else None
