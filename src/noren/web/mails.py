"""What a customer was sent, as the console shows it: what, when, and whether it arrived. By ids and codes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from noren import people
from noren.errors import LedgerUnavailable, NoSuchPerson, PurposeRefused, VaultUnavailable
from noren.messages.models import Message
from noren.messages.notice import Kind
from noren.people import AddressState, MessageState
from noren.shops.tenancy import shop as in_shop
from noren.web.shopfront import Face


@dataclass(frozen=True, slots=True)
class Line:
    """One mail. `at` in the shop's zone; `wrong` when it did not arrive, or may not have."""

    at: datetime
    what: str
    booking_id: int | None
    state: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Mails:
    """The newest first. `shut` says in words why none is sent to the address; empty while some are."""

    lines: tuple[Line, ...] = ()
    shut: str = ""
    none: bool = False
    """There is no address: whatever is to be told, somebody has to call."""


def of(grant: str, person: UUID, face: Face, *, booking_id: int | None = None) -> Mails | None:
    """Ask for a customer's mails, or those about one booking; None when the vault tells nothing now."""
    try:
        told = people.messages(grant, person)
    except (VaultUnavailable, LedgerUnavailable, PurposeRefused, NoSuchPerson):
        return None
    with in_shop(face.id):
        known = {
            each.key: each for each in Message.objects.filter(key__in=[one.key for one in told.messages])
        }
    lines = tuple(
        Line(
            at=one.at.astimezone(face.zone),
            what=what(known[one.key].kind if one.key in known else ""),
            booking_id=known[one.key].booking_id if one.key in known else None,
            state=_state(one),
            wrong=one.state not in (MessageState.SENT, MessageState.QUEUED, MessageState.SENDING),
        )
        for one in told.messages
        if booking_id is None or (one.key in known and known[one.key].booking_id == booking_id)
    )
    return Mails(lines, _shut(told.address), told.address is AddressState.NO_ADDRESS)


def what(kind: str) -> str:
    """Say in words what a mail of this kind was to tell."""
    words = {
        Kind.BOOKED: _("Confirmation"),
        Kind.MOVED: _("Notice of a change"),
        Kind.CANCELLED: _("Notice of cancellation"),
        Kind.REMINDER: _("Reminder"),
        Kind.ASKED: _("Notice that the request has come"),
        Kind.DECLINED: _("Notice that it was declined"),
        Kind.RELEASED: _("Notice that the time was given free"),
        Kind.RESCHEDULED: _("Notice of a change"),
        Kind.REASSIGNED: _("Notice of a change"),
        Kind.DELAYED: _("Notice of a delay"),
        Kind.CHOOSE: _("Request to choose another time"),
        Kind.ZONE: _("Notice of a change"),
        Kind.JOINED: _("Waiting list: on the list"),
        Kind.OFFERED: _("Waiting list: an offer"),
        Kind.CALLED_OFF: _("Notice of cancellation"),
        Kind.LINK: _("A new link"),
        Kind.THANKS: _("Thanks after a visit"),
        Kind.MANY: _("Message to many"),
    }
    return words[Kind(kind)] if kind in set(Kind) else _("Other mail")


def _state(one: people.Message) -> str:
    if one.reason in ("no_address", "address_bounced", "address_refused"):
        return _("not sent: no address that works")
    words = {
        MessageState.QUEUED: _("being sent"),
        MessageState.SENDING: _("being sent"),
        MessageState.SENT: _("sent"),
        MessageState.UNKNOWN: _("may have arrived"),
        MessageState.DEFERRED: _("not sent yet: the mail server was not ready"),
        MessageState.FAILED: _("refused"),
        MessageState.BOUNCED: _("came back"),
    }
    return words[one.state]


def _shut(address: AddressState) -> str:
    words = {
        AddressState.BOUNCED: _("Mail does not arrive: one came back. Nothing more is sent to this address."),
        AddressState.REFUSED: _(
            "Mail does not arrive: the address was refused. Nothing more is sent to this address."
        ),
    }
    return words.get(address, "")
