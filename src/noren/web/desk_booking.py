"""What the desk does with a booking beside the usual: what was paid, the next visit, somebody else comes."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import book, desk, said
from noren.booking.book import Customer, Words
from noren.booking.models import Status
from noren.booking.said import Checked, Guest
from noren.errors import BadField, NorenError, NoSuchPerson, NothingHere
from noren.web import customers, deeds, names, proposals, shopfront, times, visits
from noren.web.desk import face_of
from noren.web.forms import DeskForm
from noren.web.shopfront import Face
from noren.web.touched import told
from noren.web.visits import Visit

# No visit costs more; a slip of the finger does.
MOST_PRICE = 10_000_000


def more(face: Face, visit: Visit, *, left: bool, now: datetime) -> dict[str, Any]:
    """Return what a booking's page shows for the desk: what was paid, and the next visit once she is here."""
    here = visit.status == Status.CHECKED_IN
    paid = desk.settled(face.id, visit.id) if left else None
    serving = shopfront.serving(face.id) if here else {}
    return {
        "methods": deeds.methods(),
        "paid": paid and {"price": paid[0], "method": paid[1], "how": deeds.methods().get(paid[1], paid[1])},
        "next": proposals.next_visits(face, visit, serving, now=now) if here else [],
        "next_key": secrets.token_urlsafe(16),
    }


@permission_required(Permission.BOOKINGS_CHANGE)
@require_POST
def settle(request: StaffRequest, booking_id: int) -> HttpResponse:
    """Note the final price and how it was paid, or another one in its place."""
    if visits.one(face_of(request), booking_id) is None:
        raise NothingHere
    note_price(request, booking_id)
    return HttpResponseRedirect(reverse("console_booking", args=[booking_id]))


def note_price(request: StaffRequest, booking_id: int) -> None:
    """Note what the form says was paid; nothing where it says nothing. Raises NotThatStatus."""
    price, method = times.number(request.POST.get("price")), request.POST.get("method", "")
    if price is not None and price <= MOST_PRICE and method in deeds.methods():
        values: dict[str, Any] = {"now": clock.now(), "by": request.signed_in.by}
        desk.settle(request.shop_id, booking_id, price, method, **values)


@permission_required(Permission.BOOKINGS_CHANGE)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def instead(request: StaffRequest, booking_id: int) -> HttpResponse:
    """Somebody else comes: a customer who is known, a new one, or only somebody's name beside hers."""
    face = face_of(request)
    visit = visits.one(face, booking_id)
    if visit is None:
        raise NothingHere
    back = HttpResponseRedirect(reverse("console_booking", args=[booking_id]))
    if not visit.open or visit.person is None:
        return back
    form = DeskForm(request.POST if request.POST.get("step") == "new" else None)
    refused: NorenError | None = None
    try:
        if request.method == "POST" and _done(request, face, visit, form):
            return back
    except BadField as refusal:
        fields = refusal.reasons
        if form.is_bound:
            form.refused(fields)
        else:
            refused = refusal
    except NorenError as refusal:
        refused = refusal
    return _page(request, face, visit, form, refused)


def _done(request: StaffRequest, face: Face, visit: Visit, form: DeskForm) -> bool:
    """Do what the button said; false where it is not whole yet, or was a search."""
    now, by = clock.now(), request.signed_in.by
    match request.POST.get("step", ""):
        case "known":
            person = _of_shop(request, request.POST.get("person", ""))
        case "new" if form.is_valid():
            person = book.put(face.id, visit.id, Customer(**form.contact), Words())
        case "guest" if name := request.POST.get("guest", "").strip():
            _name_guest(request, visit, Guest(name[:200]))
            desk.guest_instead(face.id, visit.id, now=now, by=by)
            return True
        case _:
            return False
    desk.comes_instead(face.id, visit.id, person, told=told(request.POST), now=now, by=by)
    return True


def _of_shop(request: StaffRequest, text: str) -> UUID:
    """Return one of the shop's own customers. Raises NoSuchPerson."""
    try:
        person = UUID(text)
    except ValueError:
        raise NoSuchPerson from None
    people.reveal(request.signed_in.grant, people.Purpose.CUSTOMER, [person], customers.OPEN)
    return person


def _name_guest(request: StaffRequest, visit: Visit, guest: Guest) -> None:
    """Put the name into the vault, with those that she has named for her bookings herself."""
    if visit.person is None:
        return
    grant = request.signed_in.grant
    seen = people.reveal(grant, people.Purpose.CUSTOMER, [visit.person], ("guests",))
    stood = seen.persons.get(visit.person, {}).get("guests", "")
    line = Checked(guests=(guest,)).lines(visit.said_under)["guests"]
    people.update(grant, visit.person, {"guests": said.under(line, stood, visit.said_under)})


def _page(
    request: StaffRequest, face: Face, visit: Visit, form: DeskForm, refused: NorenError | None
) -> HttpResponse:
    query = request.POST.get("query", "").strip()[:254]
    found, number, seen = customers.found(request, face, query) if query else ([], 0, names.Names())
    context = {
        "shop": face,
        "way": "day",
        "booking": visit,
        "names": seen,
        "query": query,
        "found": [each for each in found if each["id"] != visit.person],
        "number": number,
        "searched": bool(query) and not seen.away,
        "form": form,
        "tell": told(request.POST),
        "refused": refused and refused.words(),
    }
    wrong = 422 if form.is_bound and form.errors else seen.answer_to(request)
    return render(request, "web/console/instead.html", context, status=refused.status if refused else wrong)
