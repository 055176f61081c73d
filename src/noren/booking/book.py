"""The whole way of a new booking: hold, store the customer in the vault, confirm.

Losers are answered by the hold, before any vault is asked; the vault is never asked inside a transaction.
What breaks off in between is swept on both sides: the hold expires, the vault erases a person nobody kept.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from noren import people
from noren.booking import actions, availability, links, persons, said, visitors
from noren.booking.models import Booking, Status
from noren.booking.said import NOTHING, NOTHING_SAID, Checked, Said
from noren.booking.transact import CUSTOMER, Actor, of_id
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
from noren.shops.terms import Terms


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
    said: Said = NOTHING_SAID


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
    said: Said = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Agreement:
    """What goes into the booking beside the person: her language, the policy's version, and `said.agreed`."""

    locale: str
    policy: int
    said: Mapping[str, Any]


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
        terms = _terms(shop_id, request)
        checked = _checked(shop_id, held.id, request, terms)
        words = Words(request.said, checked)
        person = _put(shop_id, held.id, request.customer, words, now=now)
        consent = terms.policy_version if request.consent is None else request.consent
        agreement = Agreement(request.locale, consent, checked.agreed)
        return _confirm(shop_id, held.id, person, agreement, now=now, by=by)
    except HoldExpired:
        done = _confirmed(shop_id, held.id)
        if done is None:
            raise
        if not persons.one(shop_id, done.booking.person_id, person):
            raise IdempotencyKeyReused from None
        return done
    except BadField:
        actions.release(shop_id, held.id, now=now)
        raise
    except LimitReached:
        actions.release(shop_id, held.id, now=now)
        raise LimitReached(nearest=_nearest(shop_id, request, person, now=now)) from None


def _terms(shop_id: int, request: BookRequest) -> Terms:
    """Return the shop's terms, those of the visit in the place of the service's."""
    with shop(shop_id):
        return known().visit(request.service_id, request.also).terms


def _checked(shop_id: int, hold_id: int, request: BookRequest, terms: Terms) -> Checked:
    """Check what she says. Asked again by its key for what stands already, it needs no answer any more."""
    asks = terms.services[request.service_id].asks
    try:
        return said.check(asks, request.said, party=request.party, language=request.locale)
    except BadField:
        if _confirmed(shop_id, hold_id) is None:
            raise
        return NOTHING


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
    shop_id: int,
    hold_id: int,
    customer: Customer,
    *,
    now: datetime,
    locale: str,
    consent: int | None = None,
    told: Said = NOTHING_SAID,
) -> Booked:
    """Make a hold a booking. The same again gives the same booking.

    When it cannot be done the hold is let go: nothing is half done. Raises BadField (the hold stays, so that
    the form can be mended), CannotTakeNewCustomers, HoldExpired.
    """
    done = _confirmed(shop_id, hold_id)
    if done is not None:
        return done
    checked, policy = of_hold(shop_id, hold_id, told, locale)
    person = _put(shop_id, hold_id, customer, Words(told, checked), now=now)
    agreement = Agreement(locale, policy if consent is None else consent, checked.agreed)
    return _confirm(shop_id, hold_id, person, agreement, now=now)


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

    Raises as `complete` does, and GrantExpired, GrantRefused, NotForHer.
    """
    done = _confirmed(shop_id, hold_id)
    if done is not None:
        return done
    checked, policy = of_hold(shop_id, hold_id, own.said, locale)
    with shop(shop_id):
        visitors.check(visitors.said(of_id(hold_id).agreed), own.person, now=now)
    try:
        own_says(own, hold_id, checked)
    except CannotTakeNewCustomers:
        actions.release(shop_id, hold_id, now=now)
        raise
    agreement = Agreement(locale, policy if consent is None else consent, checked.agreed)
    try:
        return _confirm(shop_id, hold_id, own.person, agreement, now=now)
    except (HoldExpired, LimitReached):
        own_unsays(own, hold_id, checked)
        raise


def own_says(own: Own, hold_id: int, checked: Checked) -> UUID:
    """Keep what a customer who is signed in says; give her person. Raises CannotTakeNewCustomers."""
    lines = checked.lines(hold_id)
    try:
        if own.word:
            people.own_word(own.grant, own.word)
        if lines:
            people.own_answers(own.grant, hold_id, lines)
    except (VaultUnavailable, LedgerUnavailable) as error:
        raise CannotTakeNewCustomers from error
    return own.person


def own_unsays(own: Own, hold_id: int, checked: Checked) -> None:
    """Let nothing stay of what was not booked: where the vault is away now, the line names no booking."""
    if lines := checked.lines(hold_id):
        with suppress(VaultUnavailable, LedgerUnavailable):
            people.own_answers(own.grant, hold_id, dict.fromkeys(lines, ""))


def of_hold(shop_id: int, hold_id: int, told: Said, locale: str) -> tuple[Checked, int]:
    """Check what she says by what the service of the hold asks; give the policy's version with it."""
    with shop(shop_id):
        held = Booking.objects.filter(id=hold_id).first()
        if held is None:
            raise HoldExpired
        terms = known().visit(held.service_id, held.also).terms
    asks = terms.services[held.service_id].asks
    return said.check(asks, told, party=held.party, language=locale), terms.policy_version


@dataclass(frozen=True, slots=True)
class Words:
    """What she says: as it came, and as it is kept."""

    said: Said = NOTHING_SAID
    checked: Checked = NOTHING


def put(shop_id: int, hold_id: int, customer: Customer, words: Words) -> UUID:
    """Store the customer in the vault: for one hold the same values are the same person, others another.

    So nobody's data can take the place of somebody else's. Whom no booking keeps, the vault erases. Raises
    BadField, CannotTakeNewCustomers.
    """
    fields, more = customer.fields(), words.said.plain()
    # By what she said, not by how it is kept: asked again after an edit of the questions it is the same.
    same = json.dumps([fields, more] if more else fields, sort_keys=True)
    mark = hashlib.sha256(same.encode()).hexdigest()
    try:
        return people.put(shop_id, f"hold-{hold_id}-{mark}", fields | words.checked.lines(hold_id))
    except (VaultUnavailable, LedgerUnavailable) as error:
        raise CannotTakeNewCustomers from error


def _put(shop_id: int, hold_id: int, customer: Customer, words: Words, *, now: datetime) -> UUID:
    try:
        return put(shop_id, hold_id, customer, words)
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
    agreement: Agreement,
    *,
    now: datetime,
    by: Actor = CUSTOMER,
) -> Booked:
    values: dict[str, Any] = {"locale": agreement.locale, "consent": agreement.policy, "said": agreement.said}
    return booked(shop_id, actions.confirm(shop_id, hold_id, person, now=now, by=by, **values))


def _confirmed(shop_id: int, hold_id: int) -> Booked | None:
    with shop(shop_id):
        booking = Booking.objects.filter(id=hold_id).exclude(status=Status.HELD).first()
    return None if booking is None or booking.person_id is None else booked(shop_id, booking)


def booked(shop_id: int, booking: Booking) -> Booked:
    """Return a booking with its link."""
    return Booked(booking, links.token(shop_id, booking.id, booking.generation))
