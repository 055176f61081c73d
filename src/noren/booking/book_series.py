"""The whole way of a new series: hold, store the customer in the vault once, confirm. As in book.py."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from noren.booking import book, links, said, series
from noren.booking.book import Agreement, Customer, Own, Words, put
from noren.booking.models import Booking, Status
from noren.booking.report import Line, SeriesRequest
from noren.booking.said import NOTHING, NOTHING_SAID, Checked, Said
from noren.booking.transact import CUSTOMER, Actor
from noren.errors import (
    BadField,
    CannotTakeNewCustomers,
    HoldExpired,
    IdempotencyKeyReused,
    LimitReached,
    VaultUnavailable,
)
from noren.shops.questions import Asking
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
    told: Said = NOTHING_SAID,
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
        with shop(shop_id):
            terms = known().terms
        asks = terms.services[wanted.service_id].asks
        checked = _checked(shop_id, held.id, told, asks, party=wanted.party, language=locale)
        person = put(shop_id, held.id, customer, Words(told, checked))
        agreement = Agreement(locale, terms.policy_version if consent is None else consent, checked.agreed)
        rows = _confirmed(shop_id, held.id, person, agreement, now=now, by=by)
    except (BadField, LimitReached, CannotTakeNewCustomers, HoldExpired) as error:
        series.release_series(shop_id, held.id, now=now, by=by)
        if isinstance(error, CannotTakeNewCustomers) and _stands(shop_id, held.id):
            # Asked again by its key: it stands, and whose it is only the vault can say.
            raise VaultUnavailable from error
        raise
    return BookedSeries(held.report, {row.id: row for row in rows})


def complete_series(
    shop_id: int,
    series_id: int,
    who: Customer | Own,
    *,
    now: datetime,
    locale: str,
    consent: int,
    told: Said = NOTHING_SAID,
) -> str:
    """Make the holds of a series bookings; give the first one's link. The same again gives the same.

    Raises as `book.complete` and `book.complete_own` do; but for BadField, and where the sign-in has ended,
    nothing is held then.
    """
    if not _stands(shop_id, series_id):
        checked, _policy = book.of_hold(shop_id, series_id, told, locale)
        agreement = Agreement(locale, consent, checked.agreed)
        try:
            if isinstance(who, Customer):
                person = put(shop_id, series_id, who, Words(told, checked))
            else:
                person = book.own_says(who, series_id, checked)
            _confirmed(shop_id, series_id, person, agreement, now=now, by=CUSTOMER)
        except (CannotTakeNewCustomers, LimitReached) as error:
            series.release_series(shop_id, series_id, now=now)
            if isinstance(who, Own) and isinstance(error, LimitReached):
                book.own_unsays(who, series_id, checked)
            raise
    with shop(shop_id):
        first = Booking.objects.get(id=series_id)
    return links.token(shop_id, first.id, first.generation)


def _checked(shop_id: int, series_id: int, told: Said, asks: Asking, *, party: int, language: str) -> Checked:
    """Check what she says, once for all dates. As book.py does, of what stands already it asks nothing."""
    try:
        return said.check(asks, told, party=party, language=language)
    except BadField:
        if not _stands(shop_id, series_id):
            raise
        return NOTHING


def _confirmed(
    shop_id: int, series_id: int, person: UUID, agreement: Agreement, *, now: datetime, by: Actor
) -> list[Booking]:
    values: dict[str, Any] = {"locale": agreement.locale, "consent": agreement.policy, "said": agreement.said}
    try:
        return series.confirm_series(shop_id, series_id, person, now=now, by=by, **values)
    except HoldExpired:
        if _stands(shop_id, series_id):
            raise IdempotencyKeyReused from None
        raise


def _stands(shop_id: int, series_id: int) -> bool:
    """Say whether somebody has booked it."""
    with shop(shop_id):
        booked = Booking.objects.filter(series_id=series_id).exclude(person_id=None)
        return booked.exclude(status=Status.HELD).exists()
