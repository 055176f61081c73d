"""Bookings that a change touches, and those that wait for a look: reasons and choices in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from noren.accounts.access import StaffRequest
from noren.booking import changes
from noren.booking.changes import Choice, ForAll
from noren.booking.impact import Touched
from noren.booking.models import Attention, Booking
from noren.engine.model import Why
from noren.shops.tenancy import shop as in_shop
from noren.web import times, visits
from noren.web.shopfront import Face

SHOWN: Final = 100
"""So many are asked about one by one. Of more there is one answer for all, and another for some of them:"""
FIRST: Final = 20
"""so many of the first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One booking on a list, why it is there, and what is chosen for it."""

    visit: visits.Visit
    why: str
    choice: Choice | None
    """None: what is said for all."""


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
        Choice.CANCEL: _("Cancel"),
    }


def rows(
    face: Face, touched: Sequence[Touched], chosen: Mapping[int, Choice], *, many: bool = False
) -> list[Row]:
    """Give the bookings of a change their words, in its order, and what was chosen for them already. `many`:
    what was not is said for all.
    """
    reasons = {each.booking_id: why_words(each.why) for each in touched}
    with in_shop(face.id):
        found = Booking.objects.filter(id__in=list(reasons)).order_by("start", "id")
        seen = visits.of(list(found), face)
    return [Row(each, reasons[each.id], _shown(chosen.get(each.id), many=many)) for each in seen]


def follow_words(choice: str) -> str:
    """Say what a booking waits for that has to follow a change of the rules."""
    return _("Will be cancelled by a change") if Choice(choice).cancels else _("Will be moved by a change")


def asked(face: Face, touched: Sequence[Touched], given: QueryDict) -> dict[str, Any]:
    """Return what a page shows of the bookings of a change before it is saved."""
    many, chosen = len(touched) > SHOWN, choices(given)
    shown = touched[:FIRST] if many else touched
    said = chosen.but if isinstance(chosen, ForAll) else chosen
    return {
        "rows": rows(face, shown, said, many=many),
        "total": len(touched),
        "more": len(touched) - len(shown),
        "digest": changes.digest_of(touched) if many else "",
        "for_all": _shown(chosen.choice) if isinstance(chosen, ForAll) else Choice.KEEP,
        "by_steps": len(touched) > changes.AT_ONCE,
        "choices": choice_words(),
        "tell": told(given),
    }


def _shown(choice: Choice | None, *, many: bool = False) -> Choice | None:
    """What is chosen, whether or not she is told of it."""
    if choice is None:
        return None if many else Choice.KEEP
    if choice.cancels:
        return Choice.CANCEL
    return Choice.MOVE if choice.moves else Choice.KEEP


def choices(given: QueryDict) -> ForAll | dict[int, Choice]:
    """Read what was chosen for each booking, or for all; what is no choice is none. Whom no mail shall tell
    is said once for all of them.
    """
    found, tells = {}, told(given)
    for name, value in given.items():
        number = times.number(name.removeprefix("choice-")) if name.startswith("choice-") else None
        if value in set(Choice) and (number is not None or name == "choice-all"):
            choice = Choice(str(value))
            found[number] = choice if tells else choice.untold
    for_all = found.pop(None, None)
    each = {number: choice for number, choice in found.items() if number is not None}
    return each if for_all is None else ForAll(for_all, each, given.get("choice-shown", ""))


def onward(request: StaffRequest, work_id: int | None, back: str) -> HttpResponse:
    """Go back; or, where many bookings follow step by step, to how far they are."""
    if work_id is None or not request.signed_in.may["bookings_settle"]:
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(reverse("console_change", args=[work_id]))


def told(given: Mapping[str, str]) -> bool:
    """Say whether a mail shall tell her: yes, where nobody was asked."""
    return "tell" in given or "asked_tell" not in given


def is_ours(name: str) -> bool:
    """Whether a field is the preview's own, and no part of what is asked for."""
    return name in ("csrfmiddlewaretoken", "then", "tell", "asked_tell") or name.startswith("choice-")
