"""The doors of the console and of operations: signing in, joining, signing out.

The vault decides, accounts carries.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from noren import clock
from noren.accounts import signin
from noren.accounts.access import safe_next
from noren.accounts.rules import public
from noren.errors import PasskeyRefused
from noren.web import remembered, sso

Area = str  # "console" or "operations": the two doors are the same page with other words


@public
@require_GET
def sign_in_page(request: HttpRequest, area: Area) -> HttpResponse:
    return signing_in(request, area, shop=remembered.shop(request))


def signing_in(request: HttpRequest, area: Area, *, status: int = 200, **more: object) -> HttpResponse:
    """The page of signing in; `more` fills its form of mail and password, which operators do not have."""
    words = {
        "console": _("For everybody who works in a shop."),
        "operations": _("For those who run this installation."),
    }
    return _door(
        request,
        area,
        passkey="sign_in",
        heading=_("Sign in"),
        words=words[area],
        label=_("Sign in with your passkey"),
        more=more,
        status=status,
    )


@public
@require_GET
def join_page(request: HttpRequest, area: Area) -> HttpResponse:
    return joining(request, area)


def joining(request: HttpRequest, area: Area, *, status: int = 200, **more: object) -> HttpResponse:
    """The page of joining; `more` fills its form of a password, which operators do not have."""
    words = {
        "console": _("You have been invited to a shop. Make a passkey on this device, and you are in."),
        "operations": _("You have been invited to run this installation. Make a passkey, and you are in."),
    }
    return _door(
        request,
        area,
        passkey="join",
        heading=_("Welcome"),
        words=words[area],
        label=_("Make a passkey"),
        more=more,
        status=status,
    )


def _door(
    request: HttpRequest,
    area: Area,
    *,
    passkey: str,
    heading: str,
    words: str,
    label: str,
    more: Mapping[str, object],
    status: int,
) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    context = {
        "by_password": area == "console",
        # Of a form's answer there is no page to stay on.
        "stay": reverse(f"{area}_{passkey}") + (f"?{query}" if query else ""),
        "heading": heading,
        "words": words,
        "label": label,
        "passkey": passkey,
        "begin": reverse(f"{area}_{passkey}_begin"),
        "finish": reverse(f"{area}_{passkey}_finish"),
        **(sso.offer(request, area) if passkey == "sign_in" else {"area": area}),
        **more,
    }
    if (area, passkey) == ("console", "join"):
        context |= {
            "take_begin": reverse("console_take_begin"),
            "take_finish": reverse("console_take_finish"),
            "take_label": _("Use the passkey I have"),
        }
    response = render(request, "web/door.html", context, status=status)
    add_never_cache_headers(response)
    return response


@public
@require_POST
def sign_in_begin(request: HttpRequest, area: Area) -> JsonResponse:  # noqa: ARG001 - one passkey opens its own door
    return JsonResponse({"options": signin.begin_signin(request)})


@public
@require_POST
def sign_in_finish(request: HttpRequest, area: Area) -> JsonResponse:  # noqa: ARG001 - one passkey opens its own door
    return _entered(request, signin.finish_signin(request, given(request, "answer"), now=clock.now()))


@public
@require_POST
def take_begin(request: HttpRequest) -> JsonResponse:
    """Begin to take an invitation with a passkey that is there, of another shop."""
    return JsonResponse({"options": signin.begin_take(_invite(request))})


@public
@require_POST
def take_finish(request: HttpRequest) -> JsonResponse:
    return _entered(
        request, signin.finish_take(request, _invite(request), given(request, "answer"), now=clock.now())
    )


@public
@require_POST
def join_begin(request: HttpRequest, area: Area) -> JsonResponse:  # noqa: ARG001 - the invitation says which door
    return JsonResponse({"options": signin.begin_join(_invite(request))})


@public
@require_POST
def join_finish(request: HttpRequest, area: Area) -> JsonResponse:  # noqa: ARG001 - the invitation says which door
    return _entered(
        request, signin.finish_join(request, _invite(request), given(request, "answer"), now=clock.now())
    )


def _entered(request: HttpRequest, entered: signin.Entered) -> JsonResponse:
    response = JsonResponse({"next": safe_next(request, entered.home)})
    entered.into(response)
    return response


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise PasskeyRefused from None
    if not isinstance(body, dict):
        raise PasskeyRefused
    return body


def _invite(request: HttpRequest) -> str:
    return str(_body(request).get("invite", ""))


def given(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return what the page's script sends. Raises PasskeyRefused."""
    sent = _body(request).get(name)
    if not isinstance(sent, dict):
        raise PasskeyRefused
    return sent


@public
@require_POST
def sign_out(request: HttpRequest, area: Area) -> HttpResponse:
    response = HttpResponseRedirect(reverse(f"{area}_sign_in"))
    signin.sign_out(request, response)
    return response
