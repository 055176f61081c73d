"""Signing in by an organisation's own provider: there, back, and what an owner sets.

Whoever comes back comes from another site: that GET changes nothing, it only holds a form that is sent on at
once. So the state is checked and the cookie is set in a request of our own (the grant's is SameSite=Strict).
Going there is a link on a page, since a form may lead to this site only.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from noren import clock, people
from noren.accounts import signin, sso
from noren.accounts.access import (
    OperatorRequest,
    StaffRequest,
    operator_required,
    safe_next,
    staff_required,
)
from noren.accounts.rules import public
from noren.errors import NorenError, NoSso, PasskeyRefused, ShopUnknown, SsoRefused, SsoSetting
from noren.shops import directory
from noren.web.desk import face_of
from noren.web.errors import error_page

ROLES = ("manager", "staff", "reception", "accountant")
USES = ("off", "beside", "only")
_ANSWER = ("state", "code", "iss")
_LONGEST = 4_000
_LONGEST_TOKEN = 32_768


# -- there and back


@public
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the provider of the shop that was typed, of an invitation's, or of the platform."""
    invite = request.POST.get("invite", "")[:200]
    if invite:
        return _onward(request, sso.begin(request, people.PLATFORM, after="", invite=invite))
    shop_id = people.PLATFORM if request.POST.get("area") == "operations" else _shop(request.POST)
    return _onward(request, sso.begin(request, shop_id, after=safe_next(request, "")))


@staff_required
@require_POST
def link(request: StaffRequest) -> HttpResponse:
    """Lead there to bind one's own account to whoever signs in."""
    return _link(request, request.signed_in.grant, "console_sso")


@operator_required
@require_POST
def link_operator(request: OperatorRequest) -> HttpResponse:
    return _link(request, request.signed_in.grant, "operations_sso")


def _link(request: HttpRequest, grant: str, back_to: str) -> HttpResponse:
    after = f"{reverse(back_to)}?linked=yes"
    return _onward(request, sso.begin(request, people.PLATFORM, after=after, grant=grant))


@public
@require_http_methods(["GET", "POST"])
def back(request: HttpRequest) -> HttpResponse:
    """Take what the provider answered; as it comes, it is only shown as a form that is sent at once."""
    given = {
        name: text
        for name in _ANSWER
        if (text := (request.POST if request.method == "POST" else request.GET).get(name, "")[:_LONGEST])
    }
    if "state" not in given or "code" not in given:
        return error_page(request, 403, _("Your organisation did not sign you in. Nothing has changed here."))
    if request.method == "GET":
        response = render(request, "web/sso_back.html", {"given": given})
        add_never_cache_headers(response)
        return response
    told, after = sso.finish(request, given, now=clock.now())
    if isinstance(told, signin.Entered):
        answer = HttpResponseRedirect(after or told.home)
        told.into(answer)
        return answer
    if isinstance(told, people.Vouched):
        return HttpResponseRedirect(reverse("operations_sign_in") + "?vouched=yes")
    return HttpResponseRedirect(after)


@public
@csrf_exempt  # the provider's own request, and no browser's: its token is signed
@require_POST
def signed_out(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a provider's logout token (OpenID Connect Back-Channel Logout 1.0)."""
    token = request.POST.get("logout_token", "")
    status = 200
    try:
        if not 0 < len(token) <= _LONGEST_TOKEN:
            raise SsoRefused  # noqa: TRY301 - answered as every other one that does not hold
        people.sso_logout(directory.shop_id(slug), token)
    except (SsoRefused, NoSso, ShopUnknown):
        status = 400
    answer = JsonResponse({} if status == 200 else {"error": "invalid_request"}, status=status)
    add_never_cache_headers(answer)
    return answer


def offer(request: HttpRequest, area: str) -> dict[str, Any]:
    """What the sign-in page of an area needs: the shop that the address names, or a field for one."""
    slug = request.GET.get("shop", "")
    try:
        shop_id = people.PLATFORM if area == "operations" else directory.shop_id(slug)
        at = people.sso_at(shop_id)
    except NorenError:
        at = None
    return {
        "sso": at,
        "sso_shop": slug if at is not None else "",
        "sso_asks": area == "console" and at is None,
        "sso_only": at is not None and at.required and area == "console",
        "area": area,
        "next": safe_next(request, ""),
        "vouched": area == "operations" and signin.VOUCHED in request.session,
    }


def _shop(given: Any) -> int:
    try:
        return directory.shop_id(given.get("shop", "").strip().lower())
    except ShopUnknown:
        raise NoSso from None


def _onward(request: HttpRequest, onward: people.Onward) -> HttpResponse:
    if urlsplit(onward.url).scheme not in ("https", "http"):
        raise SsoRefused
    response = render(request, "web/sso_onward.html", {"onward": onward})
    add_never_cache_headers(response)
    return response


# -- settings


@staff_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """One's own account, and for an owner the shop's provider."""
    owns = request.signed_in.role == "owner"
    held = people.sso(request.signed_in.grant) if owns else None
    groups = {} if held is None else held.roles
    face = face_of(request)
    context = {
        "shop": face,
        "way": "sso",
        "at": people.sso_at(request.shop_id),
        "owns": owns,
        "linked": "linked" in request.GET,
        "saved": "saved" in request.GET,
        "held": held,
        "use": "off" if held is None else "only" if held.required else "beside",
        "groups": [
            (role, _role_words()[role], "\n".join(name for name, given in groups.items() if given == role))
            for role in ROLES
        ],
        "domains": "" if held is None else "\n".join(held.domains),
        "back": settings.NOREN_ORIGIN + reverse("sso_back"),
        "signed_out": settings.NOREN_ORIGIN + reverse("sso_signed_out", args=[face.slug]),
        "passkey": "confirm",
        "begin": reverse("console_sso_begin"),
        "finish": reverse("console_sso_finish"),
        "label": _("Save, with your passkey"),
    }
    return render(request, "web/console/sso.html", context)


@operator_required
@require_GET
def operators(request: OperatorRequest) -> HttpResponse:
    context = {"way": "sso", "at": people.sso_at(people.PLATFORM), "linked": "linked" in request.GET}
    return render(request, "web/operations/sso.html", context)


@sensitive_post_parameters()
@staff_required
@require_POST
def set_begin(request: StaffRequest) -> JsonResponse:
    """Check the settings, and give the options for the passkey that confirms these very ones."""
    wanted = _wanted(_body(request))
    return JsonResponse({"options": _said(lambda: people.sso_set_begin(request.signed_in.grant, wanted))})


@sensitive_post_parameters()
@staff_required
@require_POST
def set_finish(request: StaffRequest) -> JsonResponse:
    body = _body(request)
    answer = body.get("answer")
    if not isinstance(answer, dict):
        raise PasskeyRefused
    _said(lambda: people.sso_set_finish(request.signed_in.grant, _wanted(body), answer))
    return JsonResponse({"next": f"{reverse('console_sso')}?saved=yes"})


def _said(act: Any) -> Any:
    """Name a setting that is refused as the page does."""
    try:
        return act()
    except SsoSetting as refusal:
        name = str(refusal.facts.get("field", ""))
        raise SsoSetting(field=_setting_words().get(name, name)) from None


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise PasskeyRefused from None
    if not isinstance(body, dict):
        raise PasskeyRefused
    return body


def _wanted(body: dict[str, Any]) -> people.SsoSettings | None:
    """Read the form's fields, as the page's script sends them. Raises SsoSetting."""
    given = body.get("fields")
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise PasskeyRefused
    if given.get("use") not in USES:
        raise SsoSetting(field=_("What it is for"))
    if given["use"] == "off":
        return None
    roles: dict[str, str] = {}
    for role in ROLES:
        for group in _lines(given.get(f"groups_{role}", "")):
            if group in roles:
                raise SsoSetting(field=_("The group %(group)s is in two places") % {"group": group})
            roles[group] = role
    return people.SsoSettings(
        issuer=given.get("issuer", "").strip(),
        client_id=given.get("client_id", "").strip(),
        secret=given.get("secret", "").strip(),
        claim=given.get("claim", "").strip(),
        roles=roles,
        domains=tuple(one.lower() for one in _lines(given.get("domains", ""))),
        arrivals=given.get("arrivals") == "yes",
        required=given["use"] == "only",
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _role_words() -> dict[str, str]:
    return {
        "manager": _("Managers"),
        "staff": _("Staff"),
        "reception": _("Reception"),
        "accountant": _("Accountants"),
    }


def _setting_words() -> dict[str, str]:
    return {
        "issuer": _("Issuer"),
        "client_id": _("Client ID"),
        "secret": _("Client secret"),
        "claim": _("Claim that lists the groups"),
        "roles": _("Groups and roles"),
        "domains": _("Mail domains"),
    }
