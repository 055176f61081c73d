"""One mail about one booking: read in one transaction, sent outside any, noted in another.

The vault sends a message key once, whatever happens here: a second attempt changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F

from noren import people
from noren.booking.models import STANDING, Booking, Status
from noren.errors import NoSuchPerson
from noren.messages import about, ics, words
from noren.messages.models import Message, State
from noren.messages.notice import Kind, Notice
from noren.people import SendState
from noren.shops.tenancy import shop

log = structlog.get_logger(__name__)

# The job's clock is the database's: a reminder that comes this much too early is in time.
EARLY = timedelta(minutes=1)
STATES = {
    SendState.SENT: State.SENT,
    SendState.ALREADY: State.SENT,
    SendState.UNKNOWN: State.UNKNOWN,
}

_ENDINGS = {
    Kind.CANCELLED: Status.CANCELLED,
    Kind.DECLINED: Status.DECLINED,
    Kind.RELEASED: Status.RELEASED,
}


class NotSentYet(Exception):
    """The mail server did not take the mail now; the same key may be tried again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to go, to somebody known by an id alone."""

    shop_id: int
    person: UUID
    key: str
    notice: Notice


def deliver(
    shop_id: int, booking_id: int, kind: Kind, *, now: datetime, others: Sequence[int] = ()
) -> State | None:
    """Send the mail, if there is still something to say; None when there is not. `others` are told in it too.

    NotSentYet, VaultUnavailable, LedgerUnavailable: try again; the message is `failed` until then.
    """
    with shop(shop_id):
        letter = _letter(shop_id, [booking_id, *others], kind, now)
        _leave(booking_id, kind, "" if letter is None else letter.key, now)
        if letter is None:
            return None
        _begin(booking_id, kind, letter.key, now)
    state = State.FAILED
    try:
        state = _send(letter, now)
    finally:
        with shop(shop_id):
            Message.objects.filter(key=letter.key).update(state=state, changed_at=now)
    return state


def _letter(shop_id: int, booking_ids: Sequence[int], kind: Kind, now: datetime) -> Letter | None:
    """Write of those of which the mail is still true; its key is that of the first, true or not."""
    rows = Booking.objects.in_bulk(booking_ids)
    due = [rows[each] for each in booking_ids if each in rows and _is_due(rows[each], kind, now)]
    person = due[0].person_id if due else None
    if person is None:
        return None
    first = rows[booking_ids[0]]
    key = f"{shop_id}:{first.id}:{kind}:{_occasion(first, kind)}"
    notice, *others = [about.notice(each, kind) for each in due]
    return Letter(shop_id=shop_id, person=person, key=key, notice=replace(notice, others=tuple(others)))


def _is_due(booking: Booking, kind: Kind, now: datetime) -> bool:
    """Say whether the mail is still true: nobody is reminded of a booking that no longer stands."""
    if kind in _ENDINGS:
        return booking.status == _ENDINGS[kind]
    if booking.status not in STANDING or (booking.status == Status.PENDING) != (kind is Kind.ASKED):
        return False
    if kind is Kind.REMINDER:
        before = timedelta(minutes=booking.agreed["reminder_minutes"])
        return booking.start - before - EARLY <= now < booking.start
    return True


def _occasion(booking: Booking, kind: Kind) -> str:
    """Return what makes a mail of this kind a new one: the change it tells of; of a reminder the time."""
    if kind in (Kind.BOOKED, Kind.ASKED):
        return "0"
    return str(int(booking.start.timestamp()) if kind is Kind.REMINDER else booking.changes)


def _leave(booking_id: int, kind: Kind, key: str, now: datetime) -> None:
    """Close what a killed worker had begun and nobody will try again: the mail may have gone or not."""
    begun = Message.objects.filter(booking_id=booking_id, kind=kind, state=State.QUEUED).exclude(key=key)
    begun.update(state=State.UNKNOWN, changed_at=now)


def _begin(booking_id: int, kind: Kind, key: str, now: datetime) -> None:
    message, _ = Message.objects.get_or_create(
        key=key,
        defaults={"booking_id": booking_id, "kind": kind, "created_at": now, "changed_at": now},
    )
    attempts = Message.objects.filter(id=message.id)
    attempts.update(state=State.QUEUED, attempts=F("attempts") + 1, changed_at=now)


def _send(letter: Letter, now: datetime) -> State:
    try:
        answer = people.send(
            letter.shop_id,
            letter.person,
            letter.key,
            subject=words.subject(letter.notice),
            text=words.text(letter.notice),
            values=words.values(letter.notice),
            attachments=ics.attachments(letter.notice, now=now),
        )
    except NoSuchPerson:
        # Erased meanwhile: there is nobody to write to, and trying again would find nobody.
        log.warning("message_without_person", shop_id=letter.shop_id, key=letter.key)
        return State.FAILED
    if answer is SendState.FAILED:
        raise NotSentYet
    return STATES[answer]
