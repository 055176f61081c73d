"""The whole way of a new series: hold, store the customer in the vault once, confirm. As in book.py."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from noren import people
from noren.booking import links, series
from noren.booking.book import Customer, Own, put
from noren.booking.models import Booking, Status
from noren.booking.report import Line, SeriesRequest
from noren.booking.transact import CUSTOMER, Actor
from noren.errors import (
    BadField,
    CannotTakeNewCustomers,
    HoldExpired,
    IdempotencyKeyReused,
    LedgerUnavailable,
    LimitReached,
    VaultUnavailable,
)
from noren.shops.rules import known
from noren.shops.tenancy import shop


@dataclass(frozen=True, slots=True)
class BookedSeries:
    """The report, and the bookings by their ids."""

    report: tuple[Line, ...]
    bookings: dict[int, Booking]


def book_series(
    shop_id: int,
    wanted: SeriesRequest,
    customer: Customer,
    *,
    locale: str,
    consent: int | None = None,
    now: datetime,
    by: Actor = CUSTOMER,
) -> BookedSeries:
    """Book a series. Raises what series.hold_series raises, and BadField, CannotTakeNewCustomers,
    HoldExpired, LimitReached; then nothing is held.

    A key that is known gives its bookings to the same customer and IdempotencyKeyReused to any other
    (VaultUnavailable: they stand, and cannot be told now).
    """
    wanted = replace(wanted, key=wanted.key or secrets.token_urlsafe(16))
    held = series.hold_series(shop_id, wanted, now=now, by=by)
    try:
        person = put(shop_id, held.id, customer)
        if consent is None:
            with shop(shop_id):
                consent = known().terms.policy_version
        rows = _confirmed(shop_id, held.id, person, now=now, by=by, locale=locale, consent=consent)
    except (BadField, LimitReached, CannotTakeNewCustomers, HoldExpired) as error:
        series.release_series(shop_id, held.id, now=now, by=by)
        if isinstance(error, CannotTakeNewCustomers) and _stands(shop_id, held.id):
            # Asked again by its key: it stands, and whose it is only the vault can say.
            raise VaultUnavailable from error
        raise
    return BookedSeries(held.report, {row.id: row for row in rows})


def complete_series(
    shop_id: int, series_id: int, who: Customer | Own, *, now: datetime, locale: str, consent: int
) -> str:
    """Make the holds of a series bookings; give the first one's link. The same again gives the same.

    Raises as `book.complete` and `book.complete_own` do; but for BadField, and where the sign-in has ended,
    nothing is held then.
    """
    if not _stands(shop_id, series_id):
        rest: dict[str, Any] = {"now": now, "locale": locale, "consent": consent, "by": CUSTOMER}
        try:
            _confirmed(shop_id, series_id, _person(shop_id, series_id, who), **rest)
        except (CannotTakeNewCustomers, LimitReached):
            series.release_series(shop_id, series_id, now=now)
            raise
    with shop(shop_id):
        first = Booking.objects.get(id=series_id)
    return links.token(shop_id, first.id, first.generation)


def _person(shop_id: int, series_id: int, who: Customer | Own) -> UUID:
    if isinstance(who, Customer):
        return put(shop_id, series_id, who)
    try:
        if who.word:
            people.own_word(who.grant, who.word)
    except (VaultUnavailable, LedgerUnavailable) as error:
        raise CannotTakeNewCustomers from error
    return who.person


def _confirmed(
    shop_id: int, series_id: int, person: UUID, *, now: datetime, by: Actor, locale: str, consent: int
) -> list[Booking]:
    try:
        return series.confirm_series(
            shop_id, series_id, person, now=now, locale=locale, consent=consent, by=by
        )
    except HoldExpired:
        if _stands(shop_id, series_id):
            raise IdempotencyKeyReused from None
        raise


def _stands(shop_id: int, series_id: int) -> bool:
    """Say whether somebody has booked it."""
    with shop(shop_id):
        booked = Booking.objects.filter(series_id=series_id).exclude(person_id=None)
        return booked.exclude(status=Status.HELD).exists()
