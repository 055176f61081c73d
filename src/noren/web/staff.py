"""Those who serve: who they are, what they do, from when until when, and whether they can sign in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import LedgerUnavailable, NobodyLeft, NothingHere, VaultUnavailable
from noren.shops import rules, serving
from noren.shops.models import OpeningHours, Photo, Resource, Shop, Staff
from noren.shops.reading import Values
from noren.shops.tenancy import shop as in_shop
from noren.web import ruled, times, wording
from noren.web.desk import Unclear, open_face_of
from noren.web.hours import Deed
from noren.web.shopfront import Face
from noren.web.spoken_forms import NewStaffForm, SpokenForm, StaffForm

STAFF = serving.STAFF


@dataclass(frozen=True, slots=True)
class Line:
    """One of them, as the list shows her."""

    id: int
    key: str
    name: str
    title: str
    there: bool
    first: date | None
    last: date | None
    services: int
    signs_in: str
    """joined, invited, none; empty where it was not asked."""


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List them in their order; POST changes the order."""
    face = open_face_of(request)
    if request.method == "POST":
        return _moved(request, face)
    with in_shop(face.id):
        lines = _lines(_members(request), clock.now().astimezone(face.zone).date())
    context = {"shop": face, "way": "staff", "lines": lines, "kept": "kept" in request.GET}
    return render(request, "web/console/staff.html", context)


def _moved(request: StaffRequest, face: Face) -> HttpResponse:
    number, where = times.number(request.POST.get("staff")) or 0, moved_to(request)
    with in_shop(face.id):
        known = Staff.objects.filter(id=number).exists()
    if not known or not where:
        return HttpResponse(status=422)
    deed = Deed(_("The order of your staff"), {}, partial(serving.place, number, **where))
    there = reverse("console_staff")
    return ruled.changed(request, face, deed, there=there, way="staff", back=f"{there}#staff-{number}")


def moved_to(request: StaffRequest) -> dict[str, int]:
    """Read where a line of an ordered list goes: a step by a button, or a place by a drag. Empty: nowhere."""
    to, step = times.number(request.POST.get("to")), request.POST.get("step", "")
    if to is not None:
        return {"to": to}
    return {"step": int(step)} if step in ("-1", "1") else {}


def _members(request: StaffRequest) -> Mapping[str, people.Colleague] | None:
    """Return who can sign in, by the key of whom they are; None where it may not, or cannot, be known."""
    if Permission.MEMBERS_CHANGE not in request.signed_in.permissions:
        return None
    try:
        found = people.members(request.signed_in.grant)
    except (VaultUnavailable, LedgerUnavailable):
        return None
    return {each.staff: each for each in found if each.staff}


def _lines(members: Mapping[str, people.Colleague] | None, today: date) -> list[Line]:
    """Inside the shop."""
    there = dict(Resource.objects.filter(kind=STAFF).values_list("id", "bookable"))
    dated = {
        row.resource_id: row for row in OpeningHours.objects.filter(service_id=None, resource_id__in=there)
    }
    counts: dict[int, int] = {}
    for service in rules.known().rules.services.values():
        for each in {who for need in service.requirements for who in need.pool if service.bookable}:
            counts[each] = counts.get(each, 0) + 1
    found = []
    for row in Staff.objects.order_by("position", "id"):
        hours = dated.get(row.id)
        first, last = (hours.first, hours.last) if hours else (None, None)
        found.append(
            Line(
                id=row.id,
                key=row.key,
                name=wording.text(row.texts, "name") or row.key,
                title=wording.text(row.texts, "title"),
                there=there.get(row.id, False),
                first=first if first and first > today else None,
                last=last,
                services=counts.get(row.id, 0),
                signs_in=_signs_in(row.key, members),
            )
        )
    return found


def _signs_in(key: str, members: Mapping[str, people.Colleague] | None) -> str:
    if members is None:
        return ""
    member = members.get(key)
    return "none" if member is None else "joined" if member.joined else "invited"


def services_of(kind: str) -> tuple[dict[int, str], dict[int, tuple[int, ...]]]:
    """Return the services that take any of a kind, by name, and whom each takes. Inside the shop."""
    found = serving.needs(kind)
    named = {need.service.id: wording.text(need.service.texts, "name") or need.service.key for need in found}
    return named, {need.service.id: need.pool for need in found}


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Add somebody who serves."""
    face = open_face_of(request)
    today = clock.now().astimezone(face.zone).date()
    with in_shop(face.id):
        services, _pools = services_of(STAFF)
        lang = Shop.objects.get().locale
    given = request.POST if request.method == "POST" else None
    begun: Values = {"fee": 0, "first": today} | {f"serves-{each}": True for each in services}
    form = NewStaffForm(given, initial=begun, lang=lang, services=services)
    there = reverse("console_staff_new")
    if form.is_bound and form.is_valid():
        given_key, first = form.cleaned_data["key"], form.cleaned_data["first"]
        if first < today:
            form.add_error("first", _("Please choose a day from today on."))
        else:
            now = clock.now()
            write = partial(serving.add_staff, given_key, _columns(form), form.chosen(), first, now=now)
            words = form.cleaned_data["name"]
            deed = Deed(words, ruled.asked_again(request), write)
            back = f"{reverse('console_staff')}?kept"
            return ruled.changed(request, face, deed, there=there, way="staff", back=back)
    return _form_page(request, face, form, there, title=_("Somebody who serves"))


def _columns(form: StaffForm) -> Values:
    return {"texts": form.texts(), "fee": form.cleaned_data["fee"]}


def _form_page(
    request: StaffRequest, face: Face, form: StaffForm, there: str, **more: object
) -> HttpResponse:
    return form_page(request, face, form, "web/console/staff_one.html", there=there, **more)


def form_page(request: StaffRequest, face: Face, form: SpokenForm, page: str, **more: object) -> HttpResponse:
    """Show the form of somebody or something that is booked; 422 with what is wrong in it."""
    context = {"shop": face, "way": "staff", "form": form, "other": form.other, **more}
    status = 422 if (form.is_bound and form.errors) or more.get("wrong") else 200
    return render(request, page, context, status=status)


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, staff_id: int) -> HttpResponse:
    """Show one of them; POST changes her words and services, or from when until when she is there."""
    face = open_face_of(request)
    with in_shop(face.id):
        row = Staff.objects.filter(id=staff_id).first()
        if row is None:
            raise NothingHere
        services, pools = services_of(STAFF)
        lang = Shop.objects.get().locale
    asks_words = request.method == "POST" and request.POST.get("deed") == "words"
    form = StaffForm(request.POST if asks_words else None, lang=lang, services=services)
    form.initial = {
        **form.words_of(row.texts),
        "fee": row.fee,
        **{f"serves-{each}": staff_id in pool for each, pool in pools.items()},
    }
    there = reverse("console_staff_one", args=[staff_id])
    if request.method != "POST":
        return _one_page(request, face, row, form)
    try:
        if not asks_words:
            deed = _dated(request, row)
        elif form.is_valid():
            write = partial(serving.set_staff, staff_id, _columns(form), form.chosen())
            deed = Deed(form.cleaned_data["name"], ruled.asked_again(request), write)
        else:
            return _one_page(request, face, row, form)
        return ruled.changed(request, face, deed, there=there, way="staff")
    except Unclear as fault:
        return _one_page(request, face, row, form, wrong=str(fault))
    except NobodyLeft as refusal:
        name = services.get(refusal.facts["service_id"], "")
        told = _("Nobody would be left for “%(service)s”. Please choose somebody else for it first.")
        return _one_page(request, face, row, form, wrong=told % {"service": name})


def _dated(request: StaffRequest, row: Staff) -> Deed:
    """Read from when until when she is there. Raises Unclear."""
    given = [request.POST.get(name, "").strip() for name in ("first", "last")]
    first, last = (times.day_of(each) for each in given)
    if any(text and day is None for text, day in zip(given, (first, last), strict=True)):
        raise Unclear(_("Please write each day as a date, or leave it empty."))
    if first and last and last < first:
        raise Unclear(_("Her last day is before her first one. Please look at both once more."))
    name = wording.text(row.texts, "name") or row.key
    words = _("%(name)s stays") if last is None else _("%(name)s leaves: last day %(day)s")
    said = words % {"name": name, "day": wording.full_day(last) if last else ""}
    fields = {"deed": "dates", "first": given[0], "last": given[1]}
    return Deed(said, fields, partial(serving.set_dates, row.id, first, last, now=clock.now()))


def _one_page(
    request: StaffRequest, face: Face, row: Staff, form: StaffForm, wrong: str = ""
) -> HttpResponse:
    members = _members(request)
    with in_shop(face.id):
        hours = serving.hours_of(row.id)
        has_photo = Photo.objects.filter(staff_id=row.id).exists()
        there = Resource.objects.filter(id=row.id, bookable=True).exists()
    asks_dates = request.POST.get("deed") == "dates"
    first, last = (hours.first, hours.last) if hours else (None, None)
    more = {
        "title": wording.text(row.texts, "name") or row.key,
        "row": row,
        "first": request.POST.get("first", "") if asks_dates else first and f"{first}",
        "last": request.POST.get("last", "") if asks_dates else last and f"{last}",
        "photo": reverse("console_photo", args=[f"staff-{row.id}"]),
        "has_photo": has_photo,
        "bookable": there,
        "member": members and members.get(row.key),
        "signs_in": _signs_in(row.key, members),
        "kept": "kept" in request.GET,
        "wrong": wrong,
    }
    return _form_page(request, face, form, reverse("console_staff_one", args=[row.id]), **more)
