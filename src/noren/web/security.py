"""/settings/security: everybody's own account. The vault decides and keeps it, this shows and carries.

What one signs in with is changed within five minutes after one has shown who one is: the pages of a change
lead over `confirm` and back. A change is a POST, and so is whatever makes a secret (a seed, recovery codes):
the answer shows it once, and it is kept nowhere here.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import people
from noren.accounts import session
from noren.accounts.access import (
    OPERATOR,
    SignedInRequest,
    safe_next,
    sign_in_of,
    signed_in_required,
)
from noren.accounts.rules import public
from noren.errors import OwnPasswordRefused
from noren.shops import directory
from noren.web import devices, happened
from noren.web.budget import answer_of
from noren.web.settings import DONE, Key, confirmed_first, done, fresh, named, shown, typed, zone_of

FEW_CODES: Final = 2
ENTRY: Final = 15

# -- what one sees


@signed_in_required
@require_safe
def page(request: SignedInRequest) -> HttpResponse:
    account, zone = people.account(request.signed_in.grant), zone_of(request)
    context = {
        "account": account,
        "passwords": account.role != OPERATOR,
        **_adding(request),
        "passkeys": [Key.of(one, zone) for one in account.passkeys],
        "lacking": account.role == OPERATOR and len(account.passkeys) < account.least,
        "few_codes": account.totp is not None and account.codes_left <= FEW_CODES,
        "password_set": account.password_set and account.password_set.astimezone(zone),
        "totp": account.totp and account.totp.astimezone(zone),
        "sessions": [Door.of(one, account, zone) for one in account.sessions],
        "events": happened.lines(account.events, zone),
        "done": DONE.get(request.GET.get("done", "")),
    }
    return shown(request, "security", _("Security"), context)


def _adding(request: SignedInRequest) -> dict[str, str]:
    """Where a passkey is added and a password set: by a customer, who may have neither, in her account."""
    who = request.signed_in
    if who.place is session.CUSTOMER and who.shop_id is not None:
        ways = reverse("account_ways", args=[directory.slug(who.shop_id)])
        return {"add_passkey": ways, "set_password": ways}
    return {"add_passkey": reverse("security_add"), "set_password": reverse("security_password")}


@signed_in_required
@require_safe
def events(request: SignedInRequest) -> HttpResponse:
    """All of 90 days, by pages."""
    before = request.GET.get("before", "")
    known = int(before) if before.isdecimal() and before.isascii() and len(before) <= ENTRY else None
    told = people.account_events(request.signed_in.grant, known)
    context = {
        "events": happened.lines(told, zone_of(request)),
        "next": told.next,
        "later": known is not None,
    }
    return shown(request, "events", _("Recent events"), context)


# -- showing who it is


@signed_in_required
@require_safe
def confirm(request: SignedInRequest) -> HttpResponse:
    return _confirm(request)


def _confirm(request: SignedInRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    context = {
        "ways": people.confirm_state(request.signed_in.grant),
        "back": safe_next(request, reverse("security")),
        "passkey": "confirm",
        "begin": reverse("security_confirm_begin"),
        "finish": reverse("security_confirm_finish"),
        "label": _("Confirm with your passkey"),
        "refused": refused,
    }
    return shown(request, "confirm", _("Is it you?"), context, status=status)


@signed_in_required
@require_POST
def confirm_begin(request: SignedInRequest) -> JsonResponse:
    return JsonResponse({"options": people.confirm_begin(request.signed_in.grant)})


@signed_in_required
@require_POST
def confirm_finish(request: SignedInRequest) -> JsonResponse:
    people.confirm_finish(request.signed_in.grant, answer_of(request))
    return JsonResponse({"next": safe_next(request, reverse("security"))})


@sensitive_post_parameters("password")
@signed_in_required
@require_POST
def confirm_password(request: SignedInRequest) -> HttpResponse:
    try:
        people.confirm_password(request.signed_in.grant, typed(request, "password"))
    except OwnPasswordRefused as refusal:
        return _confirm(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(safe_next(request, reverse("security")))


# -- sessions


@signed_in_required
@require_POST
def end_session(request: SignedInRequest) -> HttpResponse:
    """Sign one out, all others, or all."""
    grant, which = request.signed_in.grant, request.POST.get("which", "")[:40]
    if which == "all":
        people.sessions_end(grant, own=True)
        return _out(request, sign_in_of(request.signed_in))
    if which == "others":
        people.sessions_end(grant, own=False)
        return done("others")
    people.session_end(grant, which or "-")
    return done("ended")


@signed_in_required
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_first("security")
def not_me(request: SignedInRequest, what: str) -> HttpResponse:
    """Say that a session (its id) or an event (its entry's number) was somebody else: first what follows."""
    fresh(request)
    if request.method != "POST":
        return shown(request, "not_me", _("This wasn't me"), {"what": what})
    by_entry = what.isdecimal() and len(what) <= ENTRY
    accused = {"entry": int(what)} if by_entry else {"session_id": what}
    people.not_me(request.signed_in.grant, **accused)
    return _out(request, reverse("secured"))


@public
@require_safe
def secured(request: SignedInRequest) -> HttpResponse:
    """What became of it, for everybody: nobody is signed in any more."""
    return render(request, "web/settings/secured.html")


# -- inside


@dataclass(frozen=True, slots=True)
class Door:
    """A sign-in that holds, as the page shows it."""

    one: people.OwnSession
    device: str
    network: str
    way: str
    since: datetime
    seen: datetime

    @classmethod
    def of(cls, one: people.OwnSession, account: people.Account, zone: tzinfo) -> "Door":
        place = people.Place("", one.place.network, one.place.near)
        return cls(
            one,
            devices.device(one.place.device) or _("A device that did not say what it is"),
            happened.where(place),
            _way(one.credential, account.passkeys),
            one.since.astimezone(zone),
            one.seen.astimezone(zone),
        )


def _way(credential: str, passkeys: tuple[people.OwnPasskey, ...]) -> str:
    if credential.startswith("pk-"):
        own = next((one for one in passkeys if one.name == credential), None)
        return _("Passkey") if own is None else named(own)
    if credential.startswith("oidc-"):
        return _("Your organisation")
    return _("Password") if credential.startswith("pw-") else _("Mailed code")


def _out(request: SignedInRequest, where: str) -> HttpResponseRedirect:
    """Leave: the vault has ended the grant already."""
    session.end_session(request.session, request.signed_in.place)
    response = HttpResponseRedirect(where)
    session.forget_grant(response, request.signed_in.place)
    return response
