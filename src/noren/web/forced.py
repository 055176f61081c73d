"""Forced resets as an operator follows them: who was told, who has set another password. Nothing changes."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.people import forced
from noren.web import powers


@operator_required
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    away = ""
    found: tuple[forced.Reset, ...] = ()
    try:
        found = forced.standing(request.signed_in.grant)
    except (VaultUnavailable, LedgerUnavailable) as refusal:
        away = refusal.words()
    context = {"resets": found, "away": away, "way": "resets"}
    return render(request, "web/operations/resets.html", {**context, **powers.frame(request)})
