"""One service, changed in the console by its shop's own people: all but its dates and its policies."""

from dataclasses import dataclass
from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from noren.accounts.access import StaffRequest
from noren.errors import ServiceUnknown
from noren.shops import edits
from noren.shops.models import Service, Shop
from noren.shops.tenancy import shop as in_shop
from noren.web import offers, wording
from noren.web.desk import open_face_of
from noren.web.offer_form import ServiceForm, Things
from noren.web.photos import album


def row_of(shop_id: int, service_id: int) -> tuple[Service, str]:
    """Return a service and the language its shop writes first. Raises ServiceUnknown."""
    with in_shop(shop_id):
        row, lang = Service.objects.filter(id=service_id).first(), Shop.objects.get().locale
    if row is None:
        raise ServiceUnknown
    return row, lang


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the bar: from a minute on, so many; "work" while who serves is busy, "free", "buffer"."""

    x: int
    minutes: int
    kind: str


def bar(row: Service) -> list[Stretch]:
    """Draw a service's time to scale, with what is kept free at its two ends."""
    first = row.requirements[0]["role"] if row.requirements else ""
    found, at = list[Stretch](), 0
    parts = [(each["minutes"], "work" if first in each["roles"] else "free") for each in row.segments]
    for minutes, kind in [(row.before, "buffer"), *parts, (row.after, "buffer")]:
        if minutes:
            found.append(Stretch(at, minutes, kind))
            at += minutes
    return found


@offers.rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, service_id: int) -> HttpResponse:
    """Show a service; POST changes it, once it is said what becomes of bookings that this touches."""
    row, lang = row_of(request.shop_id, service_id)
    with in_shop(request.shop_id):
        things = Things.read()
    form = ServiceForm(request.POST if request.method == "POST" else None, row=row, things=things, lang=lang)
    form.initial = form.begun()
    there = reverse("console_offer", args=[service_id])
    if request.method == "POST" and form.is_valid():
        write = partial(edits.set_service, service_id, form.values())
        return offers.changed(request, str(form.cleaned_data["name"]), write, there, again=there)
    face = open_face_of(request)
    context = {
        "shop": face,
        "way": "offers",
        "form": form,
        "title": wording.text(row.texts, "name") or row.key,
        "row": row,
        "there": there,
        "kept": "kept" in request.GET,
        "photo": album(face).services.get(row.id),
        "photo_href": reverse("console_photo", args=[f"service-{row.id}"]),
        "may_photo": request.signed_in.may["shop_change"],
        "total": offers.total(row),
        "bar": bar(row),
        "whole": max(1, row.before + offers.total(row) + row.after),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/console/offer.html", context, status=status)
