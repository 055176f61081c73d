"""A change of the rules that a page asks for: done, or shown with the bookings that it touches."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from noren import clock
from noren.accounts.access import StaffRequest
from noren.booking import changes
from noren.booking.changes import Choice, Choices, Done
from noren.errors import ChangeTouchesBookings
from noren.web import away, hours, touched
from noren.web.hours import Deed
from noren.web.shopfront import Face

Do = Callable[[Choices], Done]
"""Does it, with what was chosen for the bookings, and says which it touched."""


def changed(
    request: StaffRequest,
    face: Face,
    deed: Deed,
    *,
    there: str,
    way: str,
    back: str = "",
    do: Do | None = None,
) -> HttpResponse:
    """Do it and go `back`; where bookings are touched that have no choice yet, ask, and save nothing.

    Of somebody's day off (`deed.away`) they may all be kept for now, and settled one by one. What is no
    change of the rules is done by `do`.
    """
    settle = bool(deed.away) and request.POST.get("then") == "away"
    chosen: Choices = Choice.KEEP if settle else touched.choices(request.POST)

    def change(choices: Choices) -> Done:
        now, by = clock.now(), request.signed_in.by
        return changes.change(face.id, deed.write, choices, now=now, by=by)

    try:
        done = (do or change)(chosen)
    except ChangeTouchesBookings as refusal:
        return hours.preview(request, face, deed, refusal.facts["touched"], there=there, way=way)
    if settle and done.touched:
        first = min(each.start for each in done.touched).astimezone(face.zone).date()
        return HttpResponseRedirect(away.address(deed.away, first))
    return touched.onward(request, done.work_id, back or f"{there}?kept")


def asked_again(request: HttpRequest) -> dict[str, str]:
    """Return the fields by which the same is asked once more, the choices aside."""
    return {name: str(value) for name, value in request.POST.items() if not touched.is_ours(name)}
