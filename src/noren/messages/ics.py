"""The booking as a calendar entry (RFC 5545, 5546): the same UID for its whole life, a growing SEQUENCE.

It holds the shop's words and the customer's own link, and nobody's name: who got the mail attends.
"""

from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from noren.booking.models import STANDING, Booking
from noren.errors import LinkUnknown
from noren.messages import about, words
from noren.messages.notice import ENDED, Kind, Notice
from noren.people import Attachment
from noren.shops.tenancy import shop

PRODUCT = "-//Noren//Noren//EN"


def attachments(notice: Notice, *, now: datetime) -> list[Attachment]:
    """Return an entry for each date that the mail tells of."""
    if not notice.others:
        return [attachment(notice, now=now)]
    dates = (notice, *notice.others)
    return [attachment(each, now=now, name=f"booking-{each.start:%Y-%m-%d-%H%M}.ics") for each in dates]


def attachment(notice: Notice, *, now: datetime, name: str = "booking.ics") -> Attachment:
    """Return the entry as the mail's attachment; its METHOD stands in the media type too (RFC 6047)."""
    return Attachment(
        name=name,
        type=f"text/calendar; method={_method(notice)}; charset=utf-8",
        content=calendar(notice, now=now),
    )


def event(shop_id: int, booking_id: int, *, now: datetime) -> bytes:
    """Return the booking's file as it stands now, for its own page. LinkUnknown when there is none."""
    with shop(shop_id):
        booking = Booking.objects.filter(id=booking_id).first()
        if booking is None:
            raise LinkUnknown
        kind = Kind.BOOKED if booking.status in STANDING else Kind.CANCELLED
        return calendar(about.notice(booking, kind), now=now)


def calendar(notice: Notice, *, now: datetime) -> bytes:
    """Return the file: folded at 75 octets, escaped, with the zone's rules inside."""
    entry = Calendar()
    entry.add("prodid", PRODUCT)
    entry.add("version", "2.0")
    entry.add("method", _method(notice))
    entry.add_component(_event(notice, now))
    entry.add_missing_timezones()
    return bytes(entry.to_ical())


def _method(notice: Notice) -> str:
    """An entry that is published, and cancelled (RFC 5546, 4.1): a REQUEST would have to name who attends."""
    return "CANCEL" if notice.kind in ENDED else "PUBLISH"


def _event(notice: Notice, now: datetime) -> Event:
    event = Event()
    event.add("uid", notice.uid)
    event.add("sequence", notice.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", notice.start)
    event.add("dtend", notice.end)
    event.add("summary", _one_line(f"{notice.service} · {notice.shop}"))
    place = ", ".join(part for part in (notice.shop, notice.address) if part)
    event.add("location", _one_line(place))
    event.add("status", _status(notice))
    event.add("transp", "TRANSPARENT" if notice.kind in ENDED else "OPAQUE")
    event.add("class", "PRIVATE")
    event.add("url", notice.link)
    organizer = vCalAddress(f"mailto:{notice.sender}")
    organizer.params["cn"] = vText(_one_line(notice.shop))
    event.add("organizer", organizer)
    if notice.kind not in ENDED:
        event.add("description", _description(notice))
        event.add_component(_alarm(notice))
    return event


def _status(notice: Notice) -> str:
    if notice.kind in ENDED:
        return "CANCELLED"
    return "TENTATIVE" if notice.pending else "CONFIRMED"


def _description(notice: Notice) -> str:
    given = (notice.staff, notice.access, notice.phone, notice.link)
    return "\n".join(_one_line(part) for part in given if part)


def _alarm(notice: Notice) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add(
        "description", _one_line(f"{words.day(notice.start, words.language(notice.locale))} {notice.shop}")
    )
    alarm.add("trigger", timedelta(hours=-1))
    return alarm


def _one_line(text: str) -> str:
    """Return the text without control characters: a shop's words cannot begin a line of their own."""
    return " ".join("".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in text).split())
