"""What one signs in with: passkeys, the password, one-time codes and recovery codes."""

from typing import Final

import segno
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import people
from noren.accounts.access import SignedInRequest, signed_in_required
from noren.errors import (
    BadPassword,
    CodeRefused,
    FreshSignInNeeded,
    NorenError,
    NoSuchPasskey,
    OwnPasswordRefused,
)
from noren.shops import directory
from noren.web import passwords
from noren.web.budget import answer_of
from noren.web.passwords import why
from noren.web.settings import (
    DONE,
    LONGEST_PASSWORD,
    Key,
    confirmed_first,
    done,
    fresh,
    shown,
    typed,
    zone_of,
)

MOST_LABEL: Final = 60


# -- passkeys


@signed_in_required
@require_safe
@confirmed_first("security")
def add_passkey(request: SignedInRequest) -> HttpResponse:
    fresh(request)
    context = {
        "passkey": "add",
        "begin": reverse("security_add_begin"),
        "finish": reverse("security_add_finish"),
        "label": _("Make a passkey"),
    }
    return shown(request, "add", _("Add a passkey"), context)


@signed_in_required
@require_POST
def add_begin(request: SignedInRequest) -> JsonResponse:
    return JsonResponse({"options": people.passkey_begin(request.signed_in.grant)})


@signed_in_required
@require_POST
def add_finish(request: SignedInRequest) -> JsonResponse:
    grant, answer = request.signed_in.grant, answer_of(request)
    name = people.passkey_finish(grant, answer, device=_agent(request))
    return JsonResponse({"next": f"{reverse('security_passkey', args=[name])}?done=added"})


@signed_in_required
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_first("security")
def passkey(request: SignedInRequest, name: str) -> HttpResponse:
    """One of them: its name, and removing it."""
    grant, deed = request.signed_in.grant, request.POST.get("deed", "")
    if deed == "rename":
        label = "".join(sign for sign in request.POST.get("label", "") if sign.isprintable())
        people.passkey_rename(grant, name, label.strip()[:MOST_LABEL])
        return done("named")
    if deed == "remove":
        try:
            people.passkey_remove(grant, name)
        except NorenError as refusal:
            if isinstance(refusal, FreshSignInNeeded):
                raise
            return _passkey(request, name, refused=refusal.words(), status=refusal.status)
        return done("removed")
    return _passkey(request, name)


def _passkey(request: SignedInRequest, name: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = next((one for one in people.account(request.signed_in.grant).passkeys if one.name == name), None)
    if found is None:
        raise NoSuchPasskey
    context = {
        "key": Key.of(found, zone_of(request)),
        "longest": MOST_LABEL,
        "refused": refused,
        "done": DONE.get(request.GET.get("done", "")),
    }
    return shown(request, "passkey", _("A passkey"), context, status=status)


# -- the password


@sensitive_post_parameters("old", "password", "again")
@signed_in_required
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_first("security_password")
def password(request: SignedInRequest) -> HttpResponse:
    """Set or change it: by the old one, or by a passkey that was shown within five minutes."""
    ways = people.confirm_state(request.signed_in.grant)
    if not ways.password and not ways.fresh_passkey:
        raise FreshSignInNeeded
    if request.method != "POST":
        return _password(request, ways)
    old, new = request.POST.get("old", "")[:LONGEST_PASSWORD], typed(request, "password")
    words = [directory.slug(request.signed_in.shop_id or 0)] if request.signed_in.shop_id else []
    if new != typed(request, "again"):
        return _password(request, ways, refused=_("The two new passwords are not the same."), status=422)
    try:
        people.password_set(request.signed_in.grant, new, words=words, old=old or None)
    except BadPassword as refusal:
        return _password(request, ways, refused=why(refusal), status=refusal.status)
    except FreshSignInNeeded:
        return _password(request, ways, refused=OwnPasswordRefused().words(), status=422)
    except NorenError as refusal:
        if refusal.status == 401:
            raise
        return _password(request, ways, refused=refusal.words(), status=refusal.status)
    return done("password")


def _password(
    request: SignedInRequest, ways: people.Confirmed, *, refused: str = "", status: int = 200
) -> HttpResponse:
    title = _("Change the password") if ways.password else _("Set a password")
    context = {"ways": ways, "refused": refused, "longest": LONGEST_PASSWORD}
    return shown(request, "password", title, context, status=status)


# -- one-time codes and recovery codes


@signed_in_required
@require_POST
@confirmed_first("security")
def codes(request: SignedInRequest) -> HttpResponse:
    """Make a seed, and show it; it is asked for once a code of it came."""
    seed = people.totp_begin(request.signed_in.grant)
    return _codes(request, seed)


def _codes(
    request: SignedInRequest, seed: people.TotpSeed | None, *, refused: str = "", status: int = 200
) -> HttpResponse:
    picture = "" if seed is None else segno.make(seed.uri).svg_data_uri(scale=5, light="white")
    spelled = "" if seed is None else _spelled(seed.secret)
    context = {"picture": picture, "secret": spelled, "refused": refused}
    return shown(request, "codes", _("One-time codes"), context, status=status)


def _spelled(secret: str) -> str:
    """In fours, as it is typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@sensitive_post_parameters("code")
@signed_in_required
@require_POST
@confirmed_first("security")
def codes_on(request: SignedInRequest) -> HttpResponse:
    """Take the first code, and give the recovery codes with it."""
    grant = request.signed_in.grant
    try:
        people.totp_finish(grant, "".join(passwords.typed(request, "code", 200).split())[:20] or "-")
    except CodeRefused:
        words = _("This code is not right. Please type the newest one, or begin anew on the page before.")
        return _codes(request, None, refused=words, status=403)
    return _recovery(request, people.recovery_make(grant), first=True)


@signed_in_required
@require_POST
@confirmed_first("security")
def codes_off(request: SignedInRequest) -> HttpResponse:
    try:
        people.totp_end(request.signed_in.grant)
    except BadPassword as refusal:
        words = _("Your password is too short to stand alone. Please choose one of %(least)s or more first.")
        return _password(
            request,
            people.confirm_state(request.signed_in.grant),
            refused=words % refusal.facts,
            status=refusal.status,
        )
    return done("codes_off")


@signed_in_required
@require_POST
@confirmed_first("security")
def recovery(request: SignedInRequest) -> HttpResponse:
    """New recovery codes in place of the old ones, shown once."""
    return _recovery(request, people.recovery_make(request.signed_in.grant), first=False)


def _recovery(request: SignedInRequest, made: tuple[str, ...], *, first: bool) -> HttpResponse:
    return shown(request, "recovery", _("Your recovery codes"), {"codes": made, "first": first})


# -- inside


def _agent(request: SignedInRequest) -> str:
    """What the browser says it is, for the vault to seal."""
    return request.headers.get("User-Agent", "")[:400]
