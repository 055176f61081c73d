"""What reception books itself, on the phone and at the desk: on a customer who is known, or on a new one.

Nobody ticks a consent for her: what is agreed says that the desk booked it. As on the pages the time is kept
first, the vault is asked in between, and never inside a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from noren.booking import actions, book, jobs
from noren.booking.actions import HoldRequest
from noren.booking.book import Customer, Words
from noren.booking.models import Booking
from noren.booking.transact import Actor
from noren.errors import BadField, CannotTakeNewCustomers, LimitReached
from noren.shops.tenancy import write_in

BY_DESK: Mapping[str, Any] = MappingProxyType({"desk": True})
"""What a booking's agreement says in the place of a consent."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`told`: a mail tells her; else who is at the desk has."""

    request: HoldRequest
    locale: str
    told: bool = True


def book_known(shop_id: int, wish: Wish, person: UUID, *, now: datetime, by: Actor) -> Booking:
    """Book on a customer's own person; nothing of what is stored of her is touched. The same key again gives
    the same booking. Raises what `actions.hold` raises.
    """
    held = actions.hold(shop_id, wish.request, now=now, by=by)
    return _confirm(shop_id, held.id, person, wish, now=now, by=by)


def book_new(shop_id: int, wish: Wish, customer: Customer, *, now: datetime, by: Actor) -> Booking:
    """Book for somebody who is not known: she is a new person, with or without a mail address.

    Raises what `actions.hold` raises, BadField, CannotTakeNewCustomers; then nothing is half done.
    """
    held = actions.hold(shop_id, wish.request, now=now, by=by)
    try:
        person = book.put(shop_id, held.id, customer, Words())
    except (BadField, CannotTakeNewCustomers):
        actions.release(shop_id, held.id, now=now)
        raise
    return _confirm(shop_id, held.id, person, wish, now=now, by=by)


def _confirm(shop_id: int, hold_id: int, person: UUID, wish: Wish, *, now: datetime, by: Actor) -> Booking:
    said: dict[str, Any] = {"locale": wish.locale, "consent": None, "said": BY_DESK, "told": wish.told}
    try:
        with write_in(shop_id):
            booking = actions.write_confirm(hold_id, person, now=now, by=by, **said)
            if not wish.told:
                jobs.keep(person)
            return booking
    except LimitReached:
        actions.release(shop_id, hold_id, now=now)
        raise
