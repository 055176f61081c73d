"""What is kept of a customer: shown to herself, to take along, and what she said for bookings to erase."""

import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from noren import people
from noren.accounts import session
from noren.accounts.access import CustomerRequest, customer_required, fresh_customer_required
from noren.booking import said
from noren.booking.models import Booking, Status
from noren.errors import NothingHere
from noren.people.account import own_forget
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, visits
from noren.web.account_home import MOST, OWN_FIELDS
from noren.web.customers import LABELS
from noren.web.public import face_or_404
from noren.web.shopfront import Face


@customer_required
@require_safe
def page(request: CustomerRequest, slug: str) -> HttpResponse:
    """All fields of her own record, and what she said for each booking. That she looked is on record."""
    face = face_or_404(slug)
    person, told = _told(request.signed_in.grant)
    dates = _dates(face, person)
    context = {
        "shop": face,
        "fields": [(LABELS[name], told.get(name, "")) for name in OWN_FIELDS],
        "parts": [
            {
                "key": key,
                "title": answered.TITLES[key],
                "lines": [answered.Dated(line, dates.get(line.booking)) for line in said.read(told[key])],
            }
            for key in said.FIELDS
            if told.get(key)
        ],
        "erased": "erased" in request.GET,
    }
    return _answer(request, "web/own/kept.html", context)


@customer_required
@require_safe
def take(request: CustomerRequest, slug: str) -> HttpResponse:
    """The same as a file that programs read."""
    face = face_or_404(slug)
    _person, told = _told(request.signed_in.grant)
    plain: dict[str, object] = {"shop": face.slug, **{name: told.get(name, "") for name in OWN_FIELDS}}
    for name in said.FIELDS:
        plain[name] = [
            {
                "booking": line.booking or None,
                "said": [{"question": question, "answer": answer} for question, answer in line.pairs],
                "guests": [{"name": each.name, "kana": each.kana} for each in line.guests],
                "text": line.text,
            }
            for line in said.read(told.get(name, ""))
        ]
    text = json.dumps(plain, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{face.slug}-my-data.json"'
    add_never_cache_headers(response)
    return response


@fresh_customer_required(session.OWN_FRESH)
@require_POST
def forget(request: CustomerRequest, slug: str) -> HttpResponse:
    """She takes back what she said: of one kind, for all her bookings."""
    which = request.POST.get("which", "")
    if which not in said.FIELDS:
        raise NothingHere
    own_forget(request.signed_in.grant, [which])
    return HttpResponseRedirect(reverse("my_data_kept", args=[slug]) + "?erased")


def _told(grant: str) -> tuple[UUID, dict[str, str]]:
    person = people.whoami(grant).person
    if person is None:
        raise NothingHere
    seen = people.reveal(grant, people.Purpose.OWN, [person], (*OWN_FIELDS, *said.FIELDS))
    return person, seen.persons.get(person, {})


def _dates(face: Face, person: UUID) -> dict[int, visits.Visit]:
    with in_shop(face.id):
        rows = Booking.objects.filter(person_id=person).exclude(status=Status.HELD).order_by("-start")[:MOST]
        return {visit.said_under: visit for visit in visits.of(list(rows), face)}


def _answer(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    add_never_cache_headers(response)
    return response
