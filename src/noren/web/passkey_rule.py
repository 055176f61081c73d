"""Whom a shop asks for passkeys: its owner's word, held by the vault."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from noren.accounts.access import StaffRequest, manager_required
from noren.errors import FreshSignInNeeded, GrantRefused
from noren.people import resets
from noren.web.desk import face_of

ROLES: dict[str, str | Promise] = {
    "owner": gettext_lazy("Owner"),
    "manager": gettext_lazy("Manager"),
    "staff": gettext_lazy("Staff"),
    "reception": gettext_lazy("Reception"),
    "accountant": gettext_lazy("Accountant"),
}


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """How the shop's people sign in. The owner decides; managers read it."""
    grant, refused, status, stale = request.signed_in.grant, "", 200, False
    asked = tuple(role for role in ROLES if role in request.POST.getlist("roles"))
    if request.method == "POST":
        try:
            resets.require_passkeys(grant, asked)
            return HttpResponseRedirect(f"{reverse('console_security')}?kept")
        except (GrantRefused, FreshSignInNeeded) as refusal:
            refused, status = refusal.words(), refusal.status
            stale = isinstance(refusal, FreshSignInNeeded)
    bound = resets.passkey_rule(grant)
    ticked = asked if request.method == "POST" else bound
    context = {
        "shop": face_of(request),
        "way": "budget",
        "roles": [(role, label, role in ticked) for role, label in ROLES.items()],
        "bound": [label for role, label in ROLES.items() if role in bound],
        "owns": request.signed_in.role == "owner",
        "refused": refused,
        "stale": stale,
        "kept": "kept" in request.GET,
    }
    return render(request, "web/console/passkey_rule.html", context, status=status)
