"""Rooms, chairs, courts, equipment: what there is, how many, when, and when one of them is out of order."""

from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import blocks
from noren.booking.blocks import Over
from noren.booking.changes import Choices, Done
from noren.booking.models import Block
from noren.errors import NobodyLeft, NothingHere
from noren.shops import serving
from noren.shops.models import Resource, Shop
from noren.shops.reading import Values
from noren.shops.tenancy import shop as in_shop
from noren.web import ruled, staff, times, wording
from noren.web.desk import Unclear, open_face_of
from noren.web.hours import Deed
from noren.web.shopfront import Face
from noren.web.spoken_forms import NewResourceForm, ResourceForm

OUT_OF_ORDER = "out_of_order"
"""The reason of a block, as a code."""
_LONGEST_DAYS = 366


def kind_words(kind: str) -> str:
    """Say what a kind of resource is; a word of the shop's own stays as it is."""
    words = {
        "room": _("Room"),
        "chair": _("Chair"),
        "bed": _("Bed"),
        "court": _("Court"),
        "equipment": _("Equipment"),
        "table": _("Table"),
        "seat": _("Seat"),
    }
    return words.get(kind, kind)


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List them in their order; POST changes the order."""
    face = open_face_of(request)
    if request.method == "POST":
        return _moved(request, face)
    now = clock.now()
    with in_shop(face.id):
        rows = list(Resource.objects.exclude(kind=serving.STAFF).order_by("position", "id"))
        shut = Block.objects.filter(resource_id__in=[row.id for row in rows], start__lte=now, end__gt=now)
        out = set(shut.values_list("resource_id", flat=True))
    names = {row.id: _name(row) for row in rows}
    lines = [
        {
            "id": row.id,
            "name": names[row.id],
            "kind": kind_words(row.kind),
            "stock": row.stock,
            "seats": row.seats,
            "parts": wording.joined([names[each] for each in row.parts if each in names]),
            "there": row.bookable,
            "out": row.id in out,
        }
        for row in rows
    ]
    context = {"shop": face, "way": "staff", "lines": lines, "kept": "kept" in request.GET}
    return render(request, "web/console/resources.html", context)


def _name(row: Resource) -> str:
    return wording.text(row.texts, "name") or row.key


def _moved(request: StaffRequest, face: Face) -> HttpResponse:
    number, where = times.number(request.POST.get("resource")) or 0, staff.moved_to(request)
    with in_shop(face.id):
        known = Resource.objects.filter(id=number).exclude(kind=serving.STAFF).exists()
    if not known or not where:
        return HttpResponse(status=422)
    deed = Deed(_("The order of rooms and equipment"), {}, partial(serving.place, number, **where))
    there = reverse("console_resources")
    return ruled.changed(request, face, deed, there=there, way="staff", back=f"{there}#resource-{number}")


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Add one."""
    face = open_face_of(request)
    with in_shop(face.id):
        there = Resource.objects.exclude(kind=serving.STAFF).order_by("position", "id")
        kinds = list(dict.fromkeys(there.values_list("kind", flat=True)))
        lang = Shop.objects.get().locale
    usual = ["room", "chair", "bed", "court", "equipment"]
    named = {kind: kind_words(kind) for kind in dict.fromkeys([*kinds, *usual])}
    asked = request.POST if request.method == "POST" else None
    kind = str((asked or request.GET).get("kind") or next(iter(named)))
    with in_shop(face.id):
        services, _pools = staff.services_of(kind)
    begun = {"kind": kind} | {f"serves-{each}": True for each in services}
    form = NewResourceForm(asked, initial=begun, lang=lang, services=services, kinds=named)
    here = reverse("console_resource_new")
    if form.is_bound and form.is_valid():
        columns = _columns(form)
        write = partial(serving.add_resource, "", kind, columns, form.chosen(), now=clock.now())
        deed = Deed(form.cleaned_data["name"], ruled.asked_again(request), write)
        back = f"{reverse('console_resources')}?kept"
        return ruled.changed(request, face, deed, there=here, way="staff", back=back)
    return _form_page(request, face, form, here, title=_("A room, a chair, equipment"))


def _columns(form: ResourceForm) -> Values:
    given = form.cleaned_data
    own = {"texts": form.texts(), "stock": given["stock"], "seats": given["seats"]}
    return {**own, "bookable": given["bookable"]}


def _form_page(
    request: StaffRequest, face: Face, form: ResourceForm, there: str, **more: object
) -> HttpResponse:
    return staff.form_page(request, face, form, "web/console/resource.html", there=there, **more)


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, resource_id: int) -> HttpResponse:
    """Show one; POST changes it, or says when it is out of order."""
    face = open_face_of(request)
    with in_shop(face.id):
        row = Resource.objects.filter(id=resource_id).exclude(kind=serving.STAFF).first()
        if row is None:
            raise NothingHere
        services, pools = staff.services_of(row.kind)
        lang = Shop.objects.get().locale
    asks_words = request.method == "POST" and request.POST.get("deed") == "words"
    form = ResourceForm(request.POST if asks_words else None, lang=lang, services=services)
    form.initial = {
        **form.words_of(row.texts),
        **{name: getattr(row, name) for name in ("stock", "seats", "bookable")},
        **{f"serves-{each}": resource_id in pool for each, pool in pools.items()},
    }
    if row.parts:
        form.fields["stock"].disabled = True
    there = reverse("console_resource", args=[resource_id])
    if request.method != "POST":
        return _one_page(request, face, row, form)
    try:
        if not asks_words:
            return _out(request, face, row, there)
        if not form.is_valid():
            return _one_page(request, face, row, form)
        write = partial(serving.set_resource, resource_id, row.kind, _columns(form), form.chosen())
        deed = Deed(form.cleaned_data["name"], ruled.asked_again(request), write)
        return ruled.changed(request, face, deed, there=there, way="staff")
    except Unclear as fault:
        return _one_page(request, face, row, form, wrong=str(fault))
    except NobodyLeft as refusal:
        name = services.get(refusal.facts["service_id"], "")
        told = _("Nothing would be left for “%(service)s”. Please choose something else for it first.")
        return _one_page(request, face, row, form, wrong=told % {"service": name})


def _out(request: StaffRequest, face: Face, row: Resource, there: str) -> HttpResponse:
    """Close it for a while, or open it again. Raises Unclear."""
    now, by = clock.now(), request.signed_in.by
    if request.POST.get("deed") == "again":
        number = times.number(request.POST.get("block")) or 0
        with in_shop(face.id):
            known = Block.objects.filter(id=number, resource_id=row.id).exists()
        if not known:
            raise Unclear(_("Please choose once more."))
        blocks.unblock(face.id, number)
        return HttpResponseRedirect(f"{there}?kept")
    if request.POST.get("deed") != "out":
        raise Unclear(_("Please choose once more."))
    start, end = (_instant(request.POST.get(name, ""), face) for name in ("from", "until"))
    if end <= max(start, now):
        raise Unclear(_("The end is before the beginning, or over already. Please look at both once more."))
    if (end - start).days > _LONGEST_DAYS:
        raise Unclear(_("At most a year, please. What is gone for good can be taken out of booking."))

    def do(choices: Choices) -> Done:
        asked = [(max(start, now), end)]
        over, reason = Over.CHOSEN, OUT_OF_ORDER
        how: dict[str, Any] = {"reason": reason, "over": over, "choices": choices, "once": True}
        done = blocks.blackout(face.id, row.id, asked, now=now, by=by, **how)
        return Done(True, done[0].touched, done[0].work_id) if done else Done(False)

    words = _("%(name)s is out of order from %(from)s until %(until)s") % {
        "name": _name(row),
        "from": _said(start),
        "until": _said(end),
    }
    deed = Deed(words, ruled.asked_again(request), lambda: True)
    return ruled.changed(request, face, deed, there=there, way="staff", do=do)


def _instant(text: str, face: Face) -> datetime:
    """Read a day and a time of the shop's. Raises Unclear."""
    try:
        wall = datetime.fromisoformat(text[:16])
    except ValueError:
        wall = datetime.min  # noqa: DTZ901 - a wall clock that no form gives
    if times.day_of(f"{wall.date()}") is None or wall.tzinfo is not None:
        raise Unclear(_("Please write from when until when, each with day and time."))
    return wall.replace(second=0, microsecond=0, tzinfo=face.zone)


def _said(at: datetime) -> str:
    return f"{wording.day(at)} {wording.clock(at)}"


def _one_page(
    request: StaffRequest, face: Face, row: Resource, form: ResourceForm, wrong: str = ""
) -> HttpResponse:
    with in_shop(face.id):
        coming = list(Block.objects.filter(resource_id=row.id, end__gt=clock.now()).order_by("start", "id"))
        parts = [_name(each) for each in Resource.objects.filter(id__in=row.parts).order_by("position")]
        wholes = [
            _name(each) for each in Resource.objects.filter(parts__contains=[row.id]).order_by("position")
        ]
    asks_out = request.POST.get("deed") == "out"
    more = {
        "title": _name(row),
        "row": row,
        "kind": kind_words(row.kind),
        "parts": wording.joined(parts),
        "wholes": wording.joined(wholes),
        "blocks": [
            {
                "id": each.id,
                "from": _said(each.start.astimezone(face.zone)),
                "until": _said(each.end.astimezone(face.zone)),
            }
            for each in coming
        ],
        "from": request.POST.get("from", "") if asks_out else "",
        "until": request.POST.get("until", "") if asks_out else "",
        "kept": "kept" in request.GET,
        "wrong": wrong,
    }
    return _form_page(request, face, form, reverse("console_resource", args=[row.id]), **more)
