"""Signing in by mail and password, the code after it, joining by a password. The vault decides.

What is refused comes back as the page it came from, with the reason; what was typed is kept, but no secret.
An unknown mail, a wrong password, and an account that works there no more have one and the same answer.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from noren import clock
from noren.accounts import passwords
from noren.accounts.access import safe_next
from noren.accounts.rules import public
from noren.accounts.signin import Entered
from noren.errors import (
    BadPassword,
    Busy,
    ChallengeNeeded,
    CodeRefused,
    GrantRefused,
    InviteRefused,
    LedgerUnavailable,
    MailTaken,
    NorenError,
    PasskeyRequired,
    PasswordRefused,
    ResetRequired,
    ShopUnknown,
    SsoRequired,
    TooManyTries,
    VaultUnavailable,
)
from noren.shops import directory
from noren.web import challenge, entrance, remembered

LONGEST_MAIL, LONGEST_SHOP, LONGEST_CODE = 254, 39, 100
# Longer than any that may be chosen, and what the vault takes at most.
LONGEST_PASSWORD, LONGEST_TICKET = 2_000, 4_000
AWAY = (Busy, SsoRequired, VaultUnavailable, LedgerUnavailable)
WHY: dict[str, str | Promise] = {
    "too_short": gettext_lazy("Please use at least %(least)s characters."),
    "too_long": gettext_lazy("Please use at most %(most)s characters."),
    "common": gettext_lazy("This is one of the commonest passwords. Please choose another."),
    "pattern": gettext_lazy("This is a mere pattern, and easily guessed. Please choose another."),
    "own_words": gettext_lazy(
        "This is made of your own, the shop's or this service's name. Please choose another."
    ),
    "breached": gettext_lazy("This password is known from a data breach elsewhere. Please choose another."),
    "not_text": gettext_lazy("This holds characters that cannot be used."),
}


def why(refusal: BadPassword) -> str:
    """Say in words why a password may not be chosen."""
    words = WHY.get(str(refusal.facts.get("reason")))
    return refusal.words() if words is None else str(words) % refusal.facts


def typed(request: HttpRequest, name: str, most: int) -> str:
    """Read a field; what is too long, or no text, counts as empty."""
    text = request.POST.get(name, "")
    return "" if len(text) > most or "\x00" in text else text


def shop_typed(request: HttpRequest) -> str:
    """Read a shop's short name; whoever pastes its page's address means the same."""
    return typed(request, "shop", 200).strip().strip("/").rpartition("/")[2].lower()[:LONGEST_SHOP]


@public
@sensitive_post_parameters("mail", "password")
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    slug, mail = shop_typed(request), typed(request, "mail", LONGEST_MAIL).strip()
    password = typed(request, "password", LONGEST_PASSWORD)
    kept: dict[str, Any] = {"shop": slug, "mail": mail}
    if not slug or not mail or not password:
        return _refused(request, kept, _("Please fill in shop, mail address and password."), 422)
    try:
        found = passwords.check(
            request,
            directory.shop_id(slug),
            mail,
            password,
            now=clock.now(),
            proof=challenge.proof(request),
        )
    except ShopUnknown as refusal:
        return _refused(request, kept, refusal.words(), 422)
    except (PasswordRefused, GrantRefused):
        return _refused(request, kept, PasswordRefused().words(), PasswordRefused.status)
    except ChallengeNeeded as refusal:
        kept["challenge"] = challenge.shown(refusal)
        return entrance.signing_in(request, "console", status=refusal.status, **kept)
    except (ResetRequired, PasskeyRequired) as refusal:
        return entrance.signing_in(request, "console", status=refusal.status, led=led(refusal), **kept)
    except AWAY as refusal:
        return _refused(request, kept, refusal.words(), refusal.status)
    if isinstance(found, passwords.Second):
        return _code_page(request, found.ticket, slug, mailed=found.mailed)
    return _enter(request, found, slug)


def led(refusal: NorenError) -> str:
    """Say where it goes on, when a right password signs in no more."""
    if isinstance(refusal, ResetRequired) and refusal.facts.get("breached"):
        return _(
            "This password is known from a data breach elsewhere. We have mailed you a link: "
            "please set a new one with it, then sign in."
        )
    if isinstance(refusal, PasskeyRequired) and refusal.facts.get("mailed"):
        return _(
            "This shop asks you to sign in with a passkey. We have mailed you a link: open it on this device "
            "to make one, and you are in."
        )
    if isinstance(refusal, PasskeyRequired):
        return _("This shop asks you to sign in with a passkey. Please use yours.")
    return refusal.words()


@public
@sensitive_post_parameters("ticket", "code")
@require_POST
def code(request: HttpRequest) -> HttpResponse:
    ticket, slug, answer = _second(request)
    try:
        entered = passwords.code(request, ticket, answer, now=clock.now())
    except (CodeRefused, TooManyTries) as refusal:
        return _code_page(request, ticket, slug, refused=refusal.words(), status=refusal.status)
    except PasskeyRequired as refusal:
        return entrance.signing_in(request, "console", status=refusal.status, led=led(refusal), shop=slug)
    return _enter(request, entered, slug)


@public
@sensitive_post_parameters("ticket", "code")
@require_POST
def mailed(request: HttpRequest) -> HttpResponse:
    """Take the code that was mailed after a right password from a browser that is not known."""
    ticket, slug, answer = _second(request)
    try:
        entered = passwords.mailed(request, ticket, answer, now=clock.now())
    except CodeRefused as refusal:
        words, status = refusal.words(), refusal.status
        return _code_page(request, ticket, slug, mailed=True, refused=words, status=status)
    except PasskeyRequired as refusal:
        return entrance.signing_in(request, "console", status=refusal.status, led=led(refusal), shop=slug)
    return _enter(request, entered, slug)


@public
@sensitive_post_parameters("ticket", "code")
@require_POST
def recovery(request: HttpRequest) -> HttpResponse:
    """Take a recovery code, and say how many are left before it goes on."""
    ticket, slug, answer = _second(request)
    try:
        entered, left = passwords.recovery(request, ticket, answer, now=clock.now())
    except CodeRefused as refusal:
        return _code_page(request, ticket, slug, lost=refusal.words(), status=refusal.status)
    except PasskeyRequired as refusal:
        return entrance.signing_in(request, "console", status=refusal.status, led=led(refusal), shop=slug)
    context = {"left": left, "next": safe_next(request, entered.home)}
    response = _page(request, "web/password/recovered.html", context)
    remembered.remember(response, slug)
    entered.into(response)
    return response


@public
@sensitive_post_parameters("invite", "password")
@require_POST
def join(request: HttpRequest) -> HttpResponse:
    """Join with a password; the invitation stays in the page until it is used."""
    invite = from_link(typed(request, "invite", 500))
    kept: dict[str, Any] = {"invite": invite, "other": True}
    try:
        password = chosen(request)
        if not password or not invite:
            return entrance.joining(request, "console", status=422, **kept, refused=_("Please fill this in."))
        entered = passwords.join(request, invite, password, now=clock.now())
    except BadPassword as refusal:
        return entrance.joining(request, "console", status=refusal.status, **kept, bad=why(refusal))
    except PasskeyRequired as refusal:
        return entrance.joining(request, "console", status=refusal.status, refused=led(refusal))
    except (InviteRefused, MailTaken, GrantRefused, *AWAY) as refusal:
        return entrance.joining(request, "console", status=refusal.status, **kept, refused=refusal.words())
    response = HttpResponseRedirect(safe_next(request, entered.home))
    entered.into(response)
    return response


def chosen(request: HttpRequest) -> str:
    """Read a new password. Raises BadPassword for what is no text; what is too long the vault refuses."""
    text = request.POST.get("password", "")
    if "\x00" in text:
        raise BadPassword(reason="not_text")
    return text[:LONGEST_PASSWORD]


def from_link(text: str) -> str:
    """Read what stands behind the # of a mailed link; the part alone will do."""
    return text.strip().rpartition("#")[2]


def _second(request: HttpRequest) -> tuple[str, str, str]:
    """The ticket, the shop, and the code that was typed. What is empty the vault refuses as any wrong one."""
    return (
        typed(request, "ticket", LONGEST_TICKET) or "-",
        shop_typed(request),
        typed(request, "code", LONGEST_CODE) or "-",
    )


def _refused(request: HttpRequest, kept: dict[str, Any], words: str, status: int) -> HttpResponse:
    return entrance.signing_in(request, "console", status=status, refused=words, **kept)


def _enter(request: HttpRequest, entered: Entered, slug: str) -> HttpResponse:
    response = HttpResponseRedirect(safe_next(request, entered.home))
    remembered.remember(response, slug)
    entered.into(response)
    return response


def _code_page(
    request: HttpRequest,
    ticket: str,
    slug: str,
    *,
    mailed: bool = False,
    refused: str = "",
    lost: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, object] = {"ticket": ticket, "shop": slug, "refused": refused, "lost": lost}
    return _page(request, f"web/password/{'mailed' if mailed else 'code'}.html", context, status)


def _page(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response
