"""Inside one shop under a lent power: its day by numbers, names by a tap; and what the shop is told of it."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock, people
from noren.accounts.access import LentRequest, StaffRequest, manager_required, power_required
from noren.errors import NorenError, NothingHere
from noren.people import powers as door
from noren.shops import directory
from noren.web import console, names, powers, shopfront, times
from noren.web.customers import LABELS
from noren.web.desk import face_of

# An operator sees so many new persons an hour; a tap asks for no more.
MOST = 20
_ONE = timedelta(days=1)
CONTACTS = ("name", "kana", "mail", "phone")


def _face(request: LentRequest, shop_id: int) -> shopfront.Face:
    """The power's shop and no other: what is not hers is not there."""
    if request.power.shop != shop_id:
        raise NothingHere
    face = shopfront.face(shop_id, directory.slug(shop_id))
    if face is None:
        raise NothingHere
    return face


@power_required("support_shop")
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: LentRequest, shop_id: int) -> HttpResponse:
    """A day of the shop, to read; a tap (POST) shows names."""
    face = _face(request, shop_id)
    now = clock.now().astimezone(face.zone)
    shown = times.day_of(request.GET.get("date")) or now.date()
    found = console.rows_of(face, shown)
    persons = list(dict.fromkeys(visit.person for visit in found if visit.person is not None))
    asked = persons[:MOST] if request.method == "POST" else []
    told = names.ask(request.lent, people.Purpose.SUPPORT, asked, console.LIST)
    context = {
        **powers.frame(request),
        "way": "lent",
        "face": face,
        "date": shown,
        "rows": console.named(found, told, now),
        "names": told,
        "ask_names": bool(persons) and not told.told,
        "most": MOST,
        "here": reverse("support_day", args=[shop_id]),
        "before": str(shown - _ONE),
        "after": str(shown + _ONE),
    }
    return render(request, "web/operations/shop.html", context, status=told.answer_to(request))


@power_required("read_incident")
@require_http_methods(["GET", "HEAD", "POST"])
def incident(request: LentRequest, shop_id: int) -> HttpResponse:
    """Customers of the shop by the numbers that `noren scope` has told: names and contacts, on record."""
    face, given = _face(request, shop_id), request.POST.get("persons", "")[:4000]
    persons, told, refused = _persons(given), names.Names(), ""
    if request.method == "POST":
        if not persons or len(persons) > MOST:
            refused = _("Please give 1 to %(most)s customers' numbers, one a line.") % {"most": MOST}
        else:
            told = names.ask(request.lent, people.Purpose.INCIDENT, persons, CONTACTS)
    rows = [(one, [(LABELS[name], told.told[one].get(name, "")) for name in CONTACTS]) for one in told.told]
    context = {
        **powers.frame(request),
        "way": "lent",
        "face": face,
        "given": given,
        "rows": rows,
        "names": told,
        "refused": refused,
        "most": MOST,
    }
    status = 422 if refused else told.answer_to(request)
    return render(request, "web/operations/incident.html", context, status=status)


def _persons(given: str) -> list[UUID]:
    """The ids of a text; nobody's where one is none."""
    try:
        return list(dict.fromkeys(UUID(one) for one in given.split()))
    except ValueError:
        return []


# -- what the shop is told


@manager_required
@require_safe
def visits(request: StaffRequest) -> HttpResponse:
    return _visits(request)


def _visits(request: StaffRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    face = face_of(request)
    found = door.powers(request.signed_in.grant).all
    context = {
        "shop": face,
        "way": "budget",
        "rows": [
            {
                "line": line,
                "began": (line.power.decided or line.power.asked).astimezone(face.zone),
                "until": (line.power.ended or line.power.until or line.power.asked).astimezone(face.zone),
                "entered": line.power.entered and line.power.entered.astimezone(face.zone),
            }
            for line in powers.lines(list(found))
        ],
        "owns": request.signed_in.role == "owner",
        "refused": refused,
    }
    return render(request, "web/console/operators.html", context, status=status)


@manager_required
@require_POST
def end(request: StaffRequest) -> HttpResponse:
    """The owner ends what runs over the own shop."""
    try:
        door.end_power(request.signed_in.grant, request.POST.get("power", "")[:40] or "-")
    except NorenError as refusal:
        return _visits(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_operators"))
