"""What an operator does to the whole platform under a power: rotate the vault's keys, shut people out."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from noren import people
from noren.accounts.access import LentRequest, power_required
from noren.errors import NorenError
from noren.shops import directory
from noren.web import powers

ROTATED = {
    "epoch": gettext_lazy("The epoch key, under which every customer's key lies"),
    "data": gettext_lazy("Every customer's own key"),
    "index": gettext_lazy("The key of the search index"),
    "pepper": gettext_lazy("The pepper of passwords"),
}
WHOSE = {
    "actor": gettext_lazy("Somebody, by handle"),
    "credential": gettext_lazy("Whoever came by a passkey or password"),
    "session": gettext_lazy("A session"),
    "shop": gettext_lazy("A shop, by its address"),
    "operators": gettext_lazy("All operators and auditors, you too"),
    "everybody": gettext_lazy("Everybody, you too"),
}
NAMELESS = ("operators", "everybody")


@power_required("rotate_keys")
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: LentRequest) -> HttpResponse:
    """The keys by their numbers; a rotation begins here and goes on in the vault."""
    refused, done, status = "", "", 200
    if request.method == "POST":
        what = request.POST.get("what", "")
        try:
            if what not in ROTATED:
                refused, status = _("Please choose what is rotated."), 422
            else:
                entry = people.rotate_keys(what, grant=request.lent)
                done = _("The rotation has begun: entry %(entry)s of the ledger.") % {"entry": entry}
        except NorenError as refusal:
            refused, status = refusal.words(), refusal.status
    told = people.keys(request.lent)
    context = {
        **powers.frame(request),
        "way": "lent",
        "keys": [(one, powers.utc(one.since)) for one in told.keys],
        "rotations": [(one, powers.utc(one.begun), powers.utc(one.ended)) for one in told.rotations],
        "kinds": ROTATED,
        "refused": refused,
        "done": done,
    }
    return render(request, "web/operations/keys.html", context, status=status)


@power_required("end_grants")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_ins(request: LentRequest) -> HttpResponse:
    """End sign-ins at once; a list that is being opened stops within one person."""
    refused, done, status = "", "", 200
    whose, name = request.POST.get("whose", "actor"), request.POST.get("name", "").strip()[:120]
    if request.method == "POST":
        if whose not in WHOSE or not (name or whose in NAMELESS):
            refused, status = _("Please say whose sign-ins end."), 422
        else:
            try:
                named = directory.shop_id(name) if whose == "shop" else name
                ended = people.end_grants(whose, None if whose in NAMELESS else named, grant=request.lent)
                done = _("Ended: %(n)s.") % {"n": ended}
            except NorenError as refusal:
                refused, status = refusal.words(), refusal.status
            except RuntimeError:  # a name that no record holds
                refused, status = _("Please give the name as the record has it."), 422
    context = {
        **powers.frame(request),
        "way": "lent",
        "kinds": WHOSE,
        "chosen": whose,
        "name": name,
        "refused": refused,
        "done": done,
    }
    return render(request, "web/operations/signins.html", context, status=status)
