"""Containing from an incident's page, and the ledger's facts of one suspect, page by page."""

from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.accounts.signin import visit_of
from noren.errors import NorenError, NoSuchIncident, NothingHere
from noren.incidents import book, containing
from noren.incidents.containing import Wanted
from noren.people import containment as door
from noren.people import incidents
from noren.people import powers as lending
from noren.shops import directory
from noren.web import containment, incident_resets, lent, powers
from noren.web.incidents import workspace

_LONGEST: Final = 300


@operator_required
@require_POST
def contain(request: OperatorRequest, incident: str) -> HttpResponse:
    """Do one thing against it; the page comes back with what is missing, or what stood in the way."""
    grant = request.signed_in.grant
    try:
        if (request.POST.get("deed"), request.POST.get("whose")) == ("reset", "scope"):
            return incident_resets.of_scope(request, incident)
        wanted = _wanted(request)
        if wanted is None:
            words = _("Please say what is to be done, and to what.")
            return workspace(request, incident, refused=words, status=422)
        if wanted.deed == "block" and "seen" not in request.POST:
            return _weighed(request, incident, wanted)
        running = lending.powers(grant).running(containing.POWERS.get(wanted.deed, "none"))
        under = lending.under(grant, running.power) if running is not None else None
        containing.contain(grant, incident, wanted, lent=under)
    except (NoSuchIncident, NothingHere):
        raise
    except NorenError as refusal:
        return workspace(request, incident, refused=refusal.words(), status=refusal.status)
    except RuntimeError:  # a name that no record holds
        words = _("Please give the name as the record has it.")
        return workspace(request, incident, refused=words, status=422)
    return HttpResponseRedirect(reverse("incident", args=[incident]) + "#contain")


@operator_required
@require_safe
def facts(request: OperatorRequest, incident: str, record: int) -> HttpResponse:
    """One suspect's lines of the ledger, the newest first."""
    grant = request.signed_in.grant
    found = book.workspace(incidents.read(grant, incident).records)
    one = next((each for each in found.suspects if each.number == record), None)
    if one is None:
        raise NothingHere
    text = request.GET.get("page", "0")
    page = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
    lines, more = containment.page(grant, incident, one, page, clock.now())
    context: dict[str, Any] = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "title": found.title,
        "suspect": one,
        "path": containment.PATH[one.path],
        "since": powers.utc(one.since),
        "until": powers.utc(one.until),
        "facts": [containment.line(each) for each in lines],
        "newer": page - 1 if page else None,
        "older": page + 1 if more else None,
    }
    return render(request, "web/operations/incident_facts.html", context)


def _wanted(request: OperatorRequest) -> Wanted | None:
    """Read what a form asks for; None where something of it is missing. NorenError: there is no such shop."""
    given = request.POST
    deed, because = given.get("deed", ""), given.get("because", "").strip()[:_LONGEST]
    whose, name = given.get("whose", ""), given.get("name", "").strip()[:120]
    slug, of = given.get("shop", "").strip()[:60], given.get("of", "").strip()[:40]
    if deed == "end_grants" and whose in lent.WHOSE and (name or whose in lent.NAMELESS):
        shop_id = directory.shop_id(name) if whose == "shop" else None
        return Wanted(deed, because, f"{whose} {name}".strip(), whose=whose, name=name, shop_id=shop_id)
    if deed == "freeze":
        return Wanted(deed, because, slug or "*", shop_id=directory.shop_id(slug) if slug else None)
    if deed == "hold" and slug and given.get("days") in [str(days) for days in containment.DAYS]:
        return Wanted(deed, because, slug, shop_id=directory.shop_id(slug), days=int(given["days"]))
    if deed in ("thaw", "release", "open") and of:
        return Wanted(deed, because, of, of=of)
    if deed == "revoke" and whose in containment.REVOKED and name:
        return Wanted(deed, because, f"{whose} {name}", whose=whose, name=name)
    if deed == "reset" and whose in containment.RESET and (name or whose in lent.NAMELESS):
        shop_id = directory.shop_id(name) if whose == "shop" else None
        return Wanted(deed, because, f"{whose} {name}".strip(), whose=whose, name=name, shop_id=shop_id)
    return _block(request, because) if deed == "block" else None


def _block(request: OperatorRequest, because: str) -> Wanted | None:
    """A path, for so long; what it shuts out has been `seen`."""
    given = request.POST
    kind, name, hours = given.get("whose", ""), given.get("name", "").strip()[:200], given.get("hours", "")
    if kind not in containment.BLOCKED or not name or hours not in map(str, containment.HOURS):
        return None
    visit = visit_of(request)
    here = {"address": visit["address"], "device": visit["device"]}
    own, told = "own" in given, f"{kind} {name}"
    return Wanted("block", because, told, whose=kind, name=name, hours=int(hours), here=here, own=own)


def _weighed(request: OperatorRequest, incident: str, wanted: Wanted) -> HttpResponse:
    """What a block would shut out, before it does."""
    grant = request.signed_in.grant
    weight = door.weigh_block(grant, incident, wanted.whose, wanted.name, here=wanted.here)
    context: dict[str, Any] = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "wanted": wanted,
        "path": containment.PATH[wanted.whose],
        "hours": containment.HOURS[wanted.hours],
        "weight": weight,
    }
    return render(request, "web/operations/block.html", context)
