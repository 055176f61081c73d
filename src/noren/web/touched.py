"""Bookings that a change touches, and those that wait for a look: reasons and choices in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from noren.booking.changes import Choice
from noren.booking.impact import Touched
from noren.booking.models import Attention, Booking
from noren.engine.model import Why
from noren.shops.tenancy import shop as in_shop
from noren.web import visits
from noren.web.shopfront import Face


@dataclass(frozen=True, slots=True)
class Row:
    """One booking on a list, why it is there, and what is chosen for it."""

    visit: visits.Visit
    why: str
    choice: Choice


def why_words(code: str) -> str:
    """Say why a booking's time is not offered any more."""
    words = {
        Why.NOT_OFFERED: _("The service is not offered any more."),
        Why.PARTY: _("The party is too large or too small."),
        Why.HOLIDAY: _("It is a public holiday, and the shop is closed."),
        Why.HOURS: _("It is outside the opening hours."),
        Why.STAFF: _("Who serves is not there."),
        Why.ROOM: _("The room or place is not there."),
        Why.STOCK: _("There are not enough of what it needs."),
        Why.SEATS: _("There are not enough seats."),
        "blocked": _("The time is blocked."),
        "zone": _("The law has changed the clock; the time on the wall is the same."),
    }
    return words.get(code, "")


def attention_words(code: str) -> str:
    """Say what waits for somebody's look, where nothing closer is known."""
    words = {
        Attention.MOVED: _("The class was moved; the customer has not answered yet."),
        Attention.CLOSED: _("Its time is not offered any more."),
        Attention.BLOCKED: why_words("blocked"),
        Attention.STAFF: why_words(Why.STAFF),
        Attention.ZONE: why_words("zone"),
    }
    return words[Attention(code)]


def choice_words() -> dict[str, str]:
    return {
        Choice.KEEP: _("Keep it, and look later"),
        Choice.MOVE: _("Move to the nearest free time"),
        Choice.CANCEL: _("Cancel and tell the customer"),
    }


def rows(face: Face, touched: Sequence[Touched], chosen: Mapping[int, Choice]) -> list[Row]:
    """Give the bookings of a change their words, in its order, and what was chosen for them already."""
    reasons = {each.booking_id: why_words(each.why) for each in touched}
    with in_shop(face.id):
        found = Booking.objects.filter(id__in=list(reasons)).order_by("start", "id")
        seen = visits.of(list(found), face)
    return [Row(each, reasons[each.id], chosen.get(each.id, Choice.KEEP)) for each in seen]


def choices(given: QueryDict) -> dict[int, Choice]:
    """Read what was chosen for each booking; what is no choice is none."""
    found = {}
    for name, value in given.items():
        number = name.removeprefix("choice-")
        if number != name and number.isascii() and number.isdecimal() and value in set(Choice):
            found[int(number)] = Choice(str(value))
    return found
