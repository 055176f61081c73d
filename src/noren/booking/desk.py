"""What reception books itself, on the phone and at the desk: on a customer who is known, or on a new one.

Nobody ticks a consent for her: what is agreed says that the desk booked it. As on the pages the time is kept
first, the vault is asked in between, and never inside a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from noren.booking import actions, book, jobs, persons, reception, sheets
from noren.booking.actions import HoldRequest
from noren.booking.book import Customer, Words
from noren.booking.models import Booking, Event, Status
from noren.booking.transact import Actor, locked, note
from noren.engine import override, windows
from noren.errors import BadField, CannotTakeNewCustomers, LimitReached, NotThatStatus
from noren.shops.tenancy import shop, write_in

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


def walk_in(shop_id: int, wish: Wish, customer: Customer, *, now: datetime, by: Actor) -> Booking:
    """Book who stands at the desk, from now on, and note that she is here. The same key again gives the same
    booking. Raises as `book_new`; SlotTaken where nobody is free.
    """
    earlier = actions.of_key(shop_id, wish.request.key, now=now)
    if earlier is not None and earlier.status != Status.HELD:
        return earlier
    booking = book_new(shop_id, wish, customer, now=now, by=by)
    reception.check_in(shop_id, booking.id, now=now, by=by)
    return booking


def free_now(shop_id: int, service_id: int, staff: Iterable[int], *, now: datetime) -> list[int]:
    """Return who of these could begin with the service at this minute, with the room and all it needs."""
    start = int(now.timestamp()) // 60
    with shop(shop_id):
        seen = sheets.survey(
            shop_id, service_id, lambda rules: windows.of_start(rules, service_id, start), now=now
        )
    there = seen.known.rules, service_id, seen.window, seen.taken, start
    return [each for each in staff if override.now_free(*there, staff=each) is not None]


def comes_instead(
    shop_id: int, booking_id: int, person: UUID, *, told: bool, now: datetime, by: Actor
) -> Booking:
    """Give a booking to somebody else: it is hers from now on. The links of who had it lead nowhere, and
    what was said for it stays with who said it. `told`: a mail brings her own link. Raises NotThatStatus.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status not in actions.OPEN:
            raise NotThatStatus(status=booking.status)
        person = persons.standing_for(person, booking=booking_id)
        if booking.person_id == person:
            return booking
        agreed = {key: value for key, value in booking.agreed.items() if key != "asked"}
        booking.person_id, booking.agreed = person, {**agreed, **BY_DESK, "consent": None}
        booking.generation += 1
        changed = {"person_id": person, "agreed": booking.agreed, "generation": booking.generation}
        Booking.objects.filter(id=booking_id).update(**changed)
        note(booking_id, "instead", now=now, by=by)
        if told:
            jobs.told([booking], person, "booked" if booking.status == Status.CONFIRMED else "asked")
        else:
            jobs.keep(person)
    return booking


def guest_instead(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Note that somebody comes whom the customer has named; the name itself is with hers, in the vault.

    Raises NotThatStatus.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status not in actions.OPEN:
            raise NotThatStatus(status=booking.status)
        asked: dict[str, Any] = booking.agreed.get("asked", {"version": 0, "consents": []})
        fields = sorted({*asked.get("fields", ()), "guests"})
        agreed = booking.agreed | {"asked": {**asked, "fields": fields, "for_other": True}}
        Booking.objects.filter(id=booking_id).update(agreed=agreed)
        note(booking_id, "instead", now=now, by=by)


def settle(shop_id: int, booking_id: int, price: int, method: str, *, now: datetime, by: Actor) -> None:
    """Note what she paid in the end, and how: a line of the history, no account. Again, it corrects that one.

    Raises NotThatStatus.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status != Status.CHECKED_IN:
            raise NotThatStatus(status=booking.status)
        facts = {"price": price, "method": method}
        last = Event.objects.filter(booking_id=booking_id, what="settled").order_by("-id").first()
        if last is None or last.facts != facts:
            note(booking_id, "settled", now=now, by=by, price=price, method=method)


def settled(shop_id: int, booking_id: int) -> tuple[int, str] | None:
    """Return what was noted last: the price and how it was paid."""
    with shop(shop_id):
        last = Event.objects.filter(booking_id=booking_id, what="settled").order_by("-id").first()
    return None if last is None else (last.facts["price"], last.facts["method"])


def settled_of(shop_id: int, bookings: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Return the same of several bookings, of those where something was noted."""
    with shop(shop_id):
        rows = Event.objects.filter(booking_id__in=bookings, what="settled").order_by("id")
        return {row.booking_id: (row.facts["price"], row.facts["method"]) for row in rows}


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
