"""One mail, about one booking or to one who waits: read in one transaction, sent outside any, noted in
another.

The vault sends a message key once, whatever happens here: a second attempt changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F

from noren import people
from noren.booking import overrun, reminder
from noren.booking.models import LIVE, STANDING, Booking, Event, Status, Waiting, WaitingState
from noren.errors import NoSuchPerson
from noren.messages import about, ics, picked, wording, words
from noren.messages.models import Message, State, ToMany
from noren.messages.notice import Kind, Notice
from noren.messages.wording import HOUSE, Own
from noren.people import SendState
from noren.shops import curtain
from noren.shops.tenancy import shop

log = structlog.get_logger(__name__)

# The job's clock is the database's: a reminder that comes this much too early is in time.
EARLY = timedelta(minutes=1)
THANKED_WITHIN = timedelta(days=2)
STATES = {
    SendState.SENT: State.SENT,
    SendState.ALREADY: State.SENT,
    SendState.UNKNOWN: State.UNKNOWN,
    SendState.FAILED: State.FAILED,
    SendState.BOUNCED: State.FAILED,
}

_ENDINGS = {
    Kind.CANCELLED: Status.CANCELLED,
    Kind.DECLINED: Status.DECLINED,
    Kind.RELEASED: Status.RELEASED,
    Kind.CALLED_OFF: Status.CANCELLED,
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
    booking_id: int | None = None
    waiting_id: int | None = None
    others: tuple[int, ...] = ()
    own: Own = HOUSE
    again: int = 0
    before: int | None = None
    many: int | None = None

    @property
    def subject(self) -> str:
        return words.subject(self.notice, self.own)

    @property
    def text(self) -> str:
        return words.text(self.notice, self.own)


def deliver(
    shop_id: int,
    booking_id: int,
    kind: Kind,
    *,
    now: datetime,
    others: Sequence[int] = (),
    again: int = 0,
    before: int | None = None,
    many: int | None = None,
) -> State | None:
    """Send the mail, if there is still something to say; None when there is not. `others` are told in it too.
    `before`: of a reminder, how many minutes before the start it was to go. `many`: of which message to many.

    NotSentYet, VaultUnavailable, LedgerUnavailable: try again; the message is `failed` until then.
    """

    def find() -> Letter | None:
        those = [booking_id, *others]
        if many is not None:
            return _again(_to_many(shop_id, many, those, now), again)
        return _again(_letter(shop_id, those, kind, now, before), again)

    return _delivered(shop_id, {"booking_id": booking_id}, kind, find, now)


def deliver_waiting(
    shop_id: int, waiting_id: int, kind: Kind, *, now: datetime, again: int = 0
) -> State | None:
    """Send the mail to who waits, as `deliver` does."""

    def find() -> Letter | None:
        return _again(_to_who_waits(shop_id, waiting_id, kind, now), again)

    return _delivered(shop_id, {"waiting_id": waiting_id}, kind, find, now)


def _again(letter: Letter | None, number: int) -> Letter | None:
    """Give a letter that somebody has sent once more a key of its own."""
    if letter is None or not number:
        return letter
    return replace(letter, key=f"{letter.key}:{number}", again=number)


def _delivered(
    shop_id: int, owner: Mapping[str, int], kind: Kind, find: Callable[[], Letter | None], now: datetime
) -> State | None:
    with shop(shop_id):
        # A shop that is not open yet writes to nobody, whatever was brought into it.
        letter = find() if curtain.is_open(shop_id) else None
        _leave(owner, kind, "" if letter is None else letter.key, now)
        if letter is None:
            return None
        _begin(letter, now)
    state = State.FAILED
    try:
        state = _send(letter, now)
    finally:
        with shop(shop_id):
            Message.objects.filter(key=letter.key).update(state=state, changed_at=now)
    return state


def _letter(
    shop_id: int, booking_ids: Sequence[int], kind: Kind, now: datetime, before: int | None
) -> Letter | None:
    """Write of those of which the mail is still true; its key is that of the first, true or not."""
    rows = Booking.objects.in_bulk(booking_ids)
    due = [rows[each] for each in booking_ids if each in rows and _is_due(rows[each], kind, now, before)]
    person = due[0].person_id if due else None
    if person is None:
        return None
    first = rows[booking_ids[0]]
    key = f"{shop_id}:{first.id}:{kind}:{_occasion(first, kind, before)}"
    notice, *others = [about.notice(each, kind) for each in due]
    told = replace(notice, others=tuple(others))
    own = wording.of(kind, notice.locale)
    return Letter(
        shop_id, person, key, told, booking_id=first.id, others=tuple(booking_ids[1:]), own=own, before=before
    )


def _to_many(shop_id: int, many: int, booking_ids: Sequence[int], now: datetime) -> Letter | None:
    """Write what the shop tells many, of those of her bookings that it is still true of."""
    row = ToMany.objects.filter(id=many).first()
    found = [] if row is None else picked.still(row, booking_ids, now=now)
    person = found[0].person_id if found else None
    if row is None or person is None:
        return None
    notice, *others = [about.notice(each, Kind.MANY) for each in found if each.person_id == person]
    own = wording.of_many(row.words, words.language(notice.locale))
    key = f"{shop_id}:{booking_ids[0]}:{Kind.MANY}:{many}"
    told = replace(notice, others=tuple(others))
    return Letter(
        shop_id,
        person,
        key,
        told,
        booking_id=booking_ids[0],
        others=tuple(booking_ids[1:]),
        own=own,
        many=many,
    )


def _to_who_waits(shop_id: int, waiting_id: int, kind: Kind, now: datetime) -> Letter | None:
    """Return what is to be told, if it is true still: an offer once, until it ends."""
    entry = Waiting.objects.filter(id=waiting_id).first()
    if entry is None or entry.state not in LIVE:
        return None
    offer = _offer(entry, now) if kind is Kind.OFFERED else None
    if offer is None and kind is Kind.OFFERED:
        return None
    key = f"{shop_id}:w{waiting_id}:{kind}:{0 if offer is None else offer.id}"
    notice = about.waiting(entry, offer)
    own = wording.of(kind, notice.locale)
    return Letter(shop_id, entry.person_id, key, notice, waiting_id=waiting_id, own=own)


def _offer(entry: Waiting, now: datetime) -> Booking | None:
    """Return what is kept for her, as long as it is."""
    if entry.state != WaitingState.OFFERED or entry.offer_ends is None or entry.offer_ends <= now:
        return None
    return Booking.objects.filter(id=entry.hold_id or 0, status=Status.HELD).first()


def _is_due(booking: Booking, kind: Kind, now: datetime, before: int | None) -> bool:
    """Say whether the mail is still true: nobody is reminded of a booking that no longer stands."""
    if kind in _ENDINGS:
        return booking.status == _ENDINGS[kind]
    if kind is Kind.RESCHEDULED:
        return booking.status in STANDING and not _has_answered(booking)
    if kind is Kind.LINK:
        return booking.status in STANDING
    if booking.status not in STANDING or (booking.status == Status.PENDING) != (kind is Kind.ASKED):
        return False
    if kind is Kind.DELAYED:
        return booking.status == Status.CONFIRMED and overrun.delay(booking) > 0
    if kind is Kind.REMINDER:
        return reminder.earliest(booking, before) - EARLY <= now < booking.start
    if kind is Kind.THANKS:
        return _has_been(booking, now)
    return True


def _has_been(booking: Booking, now: datetime) -> bool:
    """Say whether she has been here, as far as anybody has said, and not so long ago that thanks are odd."""
    due = reminder.thanked_at(booking)
    came = booking.status in (Status.CONFIRMED, Status.CHECKED_IN)
    return due is not None and came and booking.end <= now < due + THANKED_WITHIN


def _has_answered(booking: Booking) -> bool:
    """Say whether she has said that she keeps it, since it was moved: then she need not be asked."""
    last = Event.objects.filter(booking_id=booking.id).order_by("-id").first()
    return last is not None and last.what == "kept"


def _occasion(booking: Booking, kind: Kind, before: int | None) -> str:
    """Return what makes a mail of this kind a new one: the change it tells of; of a reminder the time."""
    if kind in (Kind.BOOKED, Kind.ASKED):
        # Whoever comes instead is told, too: the booking has another link then.
        return str(booking.generation - 1)
    if kind is Kind.LINK:
        return str(booking.generation)
    if kind is Kind.DELAYED:
        return f"{booking.changes}-{overrun.delay(booking)}"
    if kind is Kind.REMINDER:
        start = int(booking.start.timestamp())
        return str(start) if before is None else f"{start}-{before}"
    # Thanks once for one booking, wherever it was moved.
    return "0" if kind is Kind.THANKS else str(booking.changes)


def _leave(owner: Mapping[str, int], kind: Kind, key: str, now: datetime) -> None:
    """Close what a killed worker had begun and nobody will try again: the mail may have gone or not."""
    begun = Message.objects.filter(**owner, kind=kind, state=State.QUEUED).exclude(key=key)
    begun.update(state=State.UNKNOWN, changed_at=now)


def _begin(letter: Letter, now: datetime) -> None:
    message, _ = Message.objects.get_or_create(
        key=letter.key,
        defaults={
            "booking_id": letter.booking_id,
            "waiting_id": letter.waiting_id,
            "others": list(letter.others),
            "kind": letter.notice.kind,
            "again": letter.again,
            "before": letter.before,
            "many_id": letter.many,
            "created_at": now,
            "changed_at": now,
        },
    )
    attempts = Message.objects.filter(id=message.id)
    attempts.update(
        state=State.QUEUED,
        attempts=F("attempts") + 1,
        wording_id=letter.own.id,
        words=wording.mark(letter.subject, letter.text),
        changed_at=now,
    )


def _attachments(letter: Letter, now: datetime) -> list[people.Attachment]:
    """Return the calendar entries; of what is over, or unchanged, there is nothing to put into a calendar."""
    if letter.booking_id is None or letter.notice.kind in (Kind.THANKS, Kind.MANY):
        return []
    return ics.attachments(letter.notice, now=now)


def _send(letter: Letter, now: datetime) -> State:
    try:
        answer = people.send(
            letter.shop_id,
            letter.person,
            letter.key,
            subject=letter.subject,
            text=letter.text,
            values=words.values(letter.notice),
            neutral=words.NEUTRAL,
            attachments=_attachments(letter, now),
        )
    except NoSuchPerson:
        # Erased meanwhile: there is nobody to write to, and trying again would find nobody.
        log.warning("message_without_person", shop_id=letter.shop_id, key=letter.key)
        return State.FAILED
    if answer is SendState.DEFERRED:
        raise NotSentYet
    return STATES[answer]
