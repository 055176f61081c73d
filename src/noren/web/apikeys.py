"""Keys for the shop's own programs: who manages the shop makes and ends them. A new one is shown once."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import people
from noren.accounts.access import StaffRequest, manager_required
from noren.errors import FreshSignInNeeded, NorenError
from noren.web.desk import face_of
from noren.web.shopfront import Face

DAYS = (30, 90, 365)
USUAL = 90
LONGEST_LABEL = 60


@manager_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    return _page(request)


@manager_required
@require_POST
def make(request: StaffRequest) -> HttpResponse:
    """Make a key. It stands in this one answer and is kept nowhere; who loses it makes another."""
    label = request.POST.get("label", "").strip()[:LONGEST_LABEL]
    scopes = [one for one in people.SCOPES if one in request.POST.getlist("scopes")]
    days = next((one for one in DAYS if str(one) == request.POST.get("days")), USUAL)
    if not label or "\x00" in label:
        return _page(request, refused=_("Please say what the key is for."), status=422)
    if not scopes:
        return _page(request, refused=_("Please choose what the key may do."), status=422)
    try:
        made = people.make_api_key(request.signed_in.grant, label=label, scopes=scopes, days=days)
    except FreshSignInNeeded as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status, again=True)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return _page(request, made=made)


@manager_required
@require_POST
def end(request: StaffRequest) -> HttpResponse:
    """End a key, for good."""
    try:
        people.end_api_key(request.signed_in.grant, request.POST.get("key", "")[:40] or "-")
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_api_keys"))


def _page(
    request: StaffRequest,
    *,
    refused: str = "",
    status: int = 200,
    again: bool = False,
    made: people.NewApiKey | None = None,
) -> HttpResponse:
    face = face_of(request)
    given = request.POST if refused else {}
    chosen = request.POST.getlist("scopes") if refused else [people.SCOPES[0]]
    context: dict[str, Any] = {
        "shop": face,
        "way": "lists",
        "keys": [_line(face, one) for one in people.api_keys(request.signed_in.grant)],
        "scopes": [(code, label, code in chosen) for code, label in _scopes().items()],
        "days": DAYS,
        "wanted_days": given.get("days", str(USUAL)),
        "label": given.get("label", "")[:LONGEST_LABEL],
        "longest": LONGEST_LABEL,
        "refused": refused,
        "again": again,
        "made": made,
    }
    return render(request, "web/console/api_keys.html", context, status=status)


def _scopes() -> dict[str, str]:
    return {
        "bookings:read": _("See bookings, without names"),
        "bookings:write": _("Confirm and cancel bookings"),
        "people:read": _("See customers' names and contacts"),
    }


def _line(face: Face, key: people.ApiKey) -> dict[str, Any]:
    """A key as the list tells it; times on the shop's wall."""
    words = _scopes()
    state = "" if key.holds else _("ended") if key.ended else _("expired")
    instants = {name: getattr(key, name) for name in ("made", "expires", "used", "ended")}
    return {
        "key": key,
        "scopes": [words[one] for one in key.scopes],
        "state": state,
        **{name: at and at.astimezone(face.zone) for name, at in instants.items()},
    }
