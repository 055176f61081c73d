"""The passwords of exactly those in a scope, from an incident's page: counted first, then set anew."""

from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from noren.accounts.access import OperatorRequest, lent_to
from noren.errors import NothingHere
from noren.incidents import containing, resetting
from noren.incidents.resetting import Those
from noren.people import forced
from noren.web import powers
from noren.web.incident_scope import reading

_LONGEST: Final = 300


def of_scope(request: OperatorRequest, incident: str) -> HttpResponse:
    """Count whom it would sign out; once that was seen, and for a reason, do it.

    Raises PowerNeeded: it asks the ledger under one power, and ends passwords under another.
    """
    given, grant = request.POST, request.signed_in.grant
    asking, ending = reading(request), lent_to(request.signed_in, "end_grants")[1]
    number = given.get("name", "")
    if not (number.isascii() and number.isdecimal() and len(number) <= 6):
        raise NothingHere
    those = resetting.those(grant, incident, int(number), reading=asking)
    because, seen = given.get("because", "").strip()[:_LONGEST], given.get("seen", "")
    if not seen or not _bounded(those):
        return _weighed(request, incident, those, ending)
    if seen != those.digest:
        words = _("The answer has changed since you looked. Please look at the numbers again.")
        return _weighed(request, incident, those, ending, refused=words, status=409)
    if not because:
        return _weighed(request, incident, those, ending, refused=_("Please say why."), status=422)
    containing.contain(grant, incident, those.wanted(because), lent=ending)
    return HttpResponseRedirect(reverse("incident", args=[incident]) + "#contain")


def _bounded(those: Those) -> bool:
    """Whether the answer names all of them, and no more than one reset takes."""
    return not those.asked.unbounded and len(those.persons) <= forced.MOST_PERSONS


def _weighed(
    request: OperatorRequest,
    incident: str,
    those: Those,
    ending: str,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    few = 0 < len(those.persons) <= forced.MOST_PERSONS
    weight = forced.weigh(those.persons, grant=ending) if few else None
    context: dict[str, Any] = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "those": those,
        "since": powers.utc(those.asked.question.since),
        "persons": len(those.persons),
        "most": forced.MOST_PERSONS,
        "too_many": len(those.persons) > forced.MOST_PERSONS,
        "weight": weight,
        "may": weight is not None and weight.accounts and _bounded(those),
        "because": request.POST.get("because", ""),
        "longest": _LONGEST,
        "refused": refused,
    }
    return render(request, "web/operations/reset.html", context, status=status)
