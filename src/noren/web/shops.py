"""From one shop to another, for who works for several: the vault gives a grant for the chosen one."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts import signin
from noren.accounts.access import StaffRequest, staff_required
from noren.errors import GrantRefused
from noren.web import roles, shopfront, times
from noren.web.desk import face_of


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show the shops one works for; POST goes there."""
    if request.method != "POST":
        return _page(request)
    wanted = times.number(request.POST.get("shop"))
    if not wanted:
        return _page(request, refused=_("Please choose once more."), status=422)
    try:
        entered = signin.enter_shop(request, request.signed_in.grant, wanted, now=clock.now())
    except GrantRefused as refusal:
        words = _("You do not work there, or you signed in without a passkey: then sign in with it first.")
        return _page(request, refused=words, status=refusal.status)
    response = HttpResponseRedirect(entered.home)
    entered.into(response)
    return response


def _page(request: StaffRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = []
    for one in people.whoami(request.signed_in.grant).memberships:
        face = shopfront.face(one.shop_id, one.slug)
        found.append(
            {
                "id": one.shop_id,
                "name": one.slug if face is None else face.name,
                "role": roles.NAMES.get(one.role, one.role),
                "here": one.shop_id == request.shop_id,
            }
        )
    context = {"shop": face_of(request), "way": "shops", "shops": found, "refused": refused}
    return render(request, "web/console/shops.html", context, status=status)
