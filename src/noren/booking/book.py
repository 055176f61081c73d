"""The whole way of a new booking: hold, store the customer in the vault, confirm.

Losers are answered by the hold, before any vault is asked; the vault is never asked inside a transaction.
What breaks off in between is swept on both sides: the hold expires, the vault erases a person nobody kept.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from noren import people
from noren.booking import actions, availability, links
from noren.booking.models import Booking, Status
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
class Customer:
    """Who books, on her way to the vault: never logged, never stored on this side."""

    name: str = field(repr=False)
    mail: str = field(repr=False)
    phone: str = field(default="", repr=False)
    kana: str = field(default="", repr=False)
    note: str = field(default="", repr=False)

    def fields(self) -> dict[str, str]:
        """Return what was given, by the vault's names."""
        given = {
            "name": self.name,
            "kana": self.kana,
            "mail": self.mail,
            "phone": self.phone,
            "note": self.note,
        }
        return {name: text for name, text in given.items() if text}


@dataclass(frozen=True, slots=True)
class Own:
    """A customer who is signed in, and what she says to the shop."""

    grant: str = field(repr=False)
    person: UUID
    word: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BookRequest:
    """`idempotency_key`: the same one again gives the same answer. `consent`: the policy's version agreed to;
    None is the present one. `also`: the other services of the same visit.
    """

    service_id: int
    start: datetime
    staff: int | None
    party: int
    customer: Customer
    locale: str
    idempotency_key: str | None = None
    consent: int | None = None
    nights: int = 0
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    booking: Booking
    token: str = field(repr=False)


def book(shop_id: int, request: BookRequest, *, now: datetime, by: Actor = CUSTOMER) -> Booked:
    """Book. Raises what actions.hold raises, and BadField, CannotTakeNewCustomers, HoldExpired.

    A key that is known gives its booking to the same customer and IdempotencyKeyReused to any other: the
    answer holds the booking's link. (VaultUnavailable: it stands, and cannot be told now.)
    """
    key = request.idempotency_key or ""
    wish = actions.HoldRequest(
        request.service_id,
        request.start,
        request.staff,
        request.party,
        key,
        request.nights,
        also=request.also,
    )
    held = actions.hold(shop_id, wish, now=now, by=by)
    try:
        person = _put(shop_id, held.id, request.customer, now=now)
        return _confirm(
            shop_id, held.id, person, now=now, locale=request.locale, consent=request.consent, by=by
        )
    except HoldExpired:
        done = _confirmed(shop_id, held.id)
        if done is None:
            raise
        if done.booking.person_id != person:
            raise IdempotencyKeyReused from None
        return done
    except BadField:
        actions.release(shop_id, held.id, now=now)
        raise
    except LimitReached:
        actions.release(shop_id, held.id, now=now)
        raise LimitReached(nearest=_nearest(shop_id, request, person, now=now)) from None


def _nearest(
    shop_id: int, request: BookRequest, person: UUID, *, now: datetime
) -> tuple[availability.Start, ...]:
    """Return what this customer can have instead: a limit of hers is known only when she is."""
    return availability.nearest(
        shop_id,
        request.service_id,
        request.start,
        now=now,
        staff=request.staff,
        party=request.party,
        nights=request.nights,
        person=person,
        also=request.also,
    )


def complete(
    shop_id: int, hold_id: int, customer: Customer, *, now: datetime, locale: str, consent: int | None = None
) -> Booked:
    """Make a hold a booking. The same again gives the same booking.

    When it cannot be done the hold is let go: nothing is half done. Raises BadField (the hold stays, so that
    the form can be mended), CannotTakeNewCustomers, HoldExpired.
    """
    done = _confirmed(shop_id, hold_id)
    if done is not None:
        return done
    person = _put(shop_id, hold_id, customer, now=now)
    return _confirm(shop_id, hold_id, person, now=now, locale=locale, consent=consent)


def complete_own(
    shop_id: int,
    hold_id: int,
    own: Own,
    *,
    now: datetime,
    locale: str,
    consent: int | None = None,
) -> Booked:
    """Make a hold a booking of a customer who is signed in: on her own person, whose data are there already.

    Raises as `complete` does, and GrantExpired, GrantRefused.
    """
    done = _confirmed(shop_id, hold_id)
    if done is not None:
        return done
    if own.word:
        try:
            people.own_word(own.grant, own.word)
        except (VaultUnavailable, LedgerUnavailable) as error:
            actions.release(shop_id, hold_id, now=now)
            raise CannotTakeNewCustomers from error
    return _confirm(shop_id, hold_id, own.person, now=now, locale=locale, consent=consent)


def put(shop_id: int, hold_id: int, customer: Customer) -> UUID:
    """Store the customer in the vault: for one hold the same values are the same person, others another.

    So nobody's data can take the place of somebody else's. Whom no booking keeps, the vault erases. Raises
    BadField, CannotTakeNewCustomers.
    """
    fields = customer.fields()
    mark = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    try:
        return people.put(shop_id, f"hold-{hold_id}-{mark}", fields)
    except (VaultUnavailable, LedgerUnavailable) as error:
        raise CannotTakeNewCustomers from error


def _put(shop_id: int, hold_id: int, customer: Customer, *, now: datetime) -> UUID:
    try:
        return put(shop_id, hold_id, customer)
    except CannotTakeNewCustomers as error:
        actions.release(shop_id, hold_id, now=now)
        if _confirmed(shop_id, hold_id) is not None:
            # Asked again by its key: it stands, and whose it is only the vault can say.
            raise VaultUnavailable from error
        raise


def _confirm(
    shop_id: int,
    hold_id: int,
    person: UUID,
    *,
    now: datetime,
    locale: str,
    consent: int | None,
    by: Actor = CUSTOMER,
) -> Booked:
    if consent is None:
        with shop(shop_id):
            consent = known().terms.policy_version
    booking = actions.confirm(shop_id, hold_id, person, now=now, locale=locale, consent=consent, by=by)
    return booked(shop_id, booking)


def _confirmed(shop_id: int, hold_id: int) -> Booked | None:
    with shop(shop_id):
        booking = Booking.objects.filter(id=hold_id).exclude(status=Status.HELD).first()
    return None if booking is None or booking.person_id is None else booked(shop_id, booking)


def booked(shop_id: int, booking: Booking) -> Booked:
    """Return a booking with its link."""
    return Booked(booking, links.token(shop_id, booking.id, booking.generation))
