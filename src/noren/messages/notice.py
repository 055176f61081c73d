"""What a mail about a booking says, as a value: ids, times and the shop's public words, nothing personal."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    ASKED = "asked"
    """The shop has still to say yes."""
    DECLINED = "declined"
    RELEASED = "released"
    """Nobody checked in, and the time is free again."""
    RESCHEDULED = "rescheduled"
    """The shop has moved a class, or a booking that could not stay: keep or cancel."""
    REASSIGNED = "reassigned"
    """Somebody else serves, at the same time."""
    DELAYED = "delayed"
    """The visit before hers takes longer."""
    CHOOSE = "choose"
    """Who serves is away: she is asked to choose another time."""
    ZONE = "zone"
    """The zone's clock was changed by law: the same time on the wall, and a new calendar file."""
    JOINED = "joined"
    """On the waiting list."""
    OFFERED = "offered"
    """A place is kept for who waits."""
    CALLED_OFF = "called_off"
    """The shop has called a class off."""
    LINK = "link"
    """The link was made invalid, and this is the new one."""
    THANKS = "thanks"
    """After the visit. A word of thanks, and no advertising."""
    MANY = "many"
    """What the shop tells all whose bookings it picked, in its own words alone."""


ENDED = (Kind.CANCELLED, Kind.DECLINED, Kind.RELEASED, Kind.CALLED_OFF)
"""What tells that a booking stands no longer."""
WAITING = (Kind.JOINED, Kind.OFFERED)
"""What is told to who waits: there is no booking yet."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`start` and `end` are aware, in the shop's zone. Empty texts are left out of the mail."""

    kind: Kind
    # "ja", "ja-easy" or "en": the customer's choice when booking.
    locale: str
    start: datetime
    end: datetime
    # Stable for the booking, and growing with each of its changes: calendars replace by them.
    uid: str
    sequence: int
    # The customer's own page of this booking. A secret: it is in this mail and nowhere at rest.
    link: str
    # How many people, when more than one.
    party: int
    # In the currency's smallest unit, tax included.
    price: int
    currency: str
    shop: str
    service: str
    staff: str = ""
    address: str = ""
    access: str = ""
    phone: str = ""
    policy: str = ""
    # Until when a place is kept for her.
    until: datetime | None = None
    # She waits for any time of that day.
    whole_day: bool = False
    # The address that mails come from: the organizer of the calendar entry.
    sender: str = ""
    # The further dates of a series that are told in the same mail, each with a link and a calendar entry.
    others: "tuple[Notice, ...]" = ()
    # When it was to be before the shop moved it.
    was: tuple[datetime, datetime] | None = None
    # By how many minutes she has to wait, of a delay.
    minutes: int = 0
    # How much of the price is for asking for somebody by name.
    fee: int = 0
    # The shop has still to say yes.
    pending: bool = False
