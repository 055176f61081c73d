"""Another password by a mailed link. Whoever asks gets the same answer; what is told is told by mail.

The token stands behind the # of the link, so it reaches no log and no referrer; the page puts it into its
form, and only sending that uses it up. Nobody is signed in by it. (Other sites are told no referrer, as
on every page: with `no-referrer` a browser would call the form's own origin `null`, and Django refuse it.)
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren.accounts import passwords
from noren.accounts.rules import public
from noren.errors import BadPassword, ChallengeNeeded, ResetRefused, ShopUnknown
from noren.people.resets import Reset
from noren.shops import directory
from noren.web import challenge, remembered
from noren.web.passwords import AWAY, LONGEST_MAIL, chosen, from_link, shop_typed, typed, why


@public
@sensitive_post_parameters("mail")
@require_http_methods(["GET", "HEAD", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a link. Known, unknown, or asked for too often: one answer, or one puzzle for all."""
    if request.method != "POST":
        return _page(request, "web/password/forgot.html", {"shop": remembered.shop(request)})
    slug, mail = shop_typed(request), typed(request, "mail", LONGEST_MAIL).strip()
    kept: dict[str, object] = {"shop": slug, "mail": mail}
    if not slug or not mail:
        return _again(request, kept, _("Please fill in shop and mail address."), 422)
    try:
        passwords.ask_reset(request, directory.shop_id(slug), mail, proof=challenge.proof(request))
    except ShopUnknown as refusal:
        return _again(request, kept, refusal.words(), 422)
    except ChallengeNeeded as refusal:
        return _again(request, {**kept, "challenge": challenge.shown(refusal)}, "", refusal.status)
    except AWAY as refusal:
        return _again(request, kept, refusal.words(), refusal.status)
    return _page(request, "web/password/asked.html", {"shop": slug})


@public
@sensitive_post_parameters("token", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    """Show the form; take it. A GET changes nothing: programs that look into mails open links."""
    if request.method != "POST":
        return _page(request, "web/password/reset.html", {})
    token = from_link(typed(request, "token", 500))
    kept: dict[str, object] = {"token": token}
    try:
        password = chosen(request)
        if not token or not password:
            return _page(
                request, "web/password/reset.html", {**kept, "refused": _("Please fill this in.")}, 422
            )
        done = passwords.reset(token, password)
    except BadPassword as refusal:
        return _page(request, "web/password/reset.html", {**kept, "bad": why(refusal)}, refusal.status)
    except ResetRefused as refusal:
        context: dict[str, object] = {"refused": refusal.words(), "over": True}
        return _page(request, "web/password/reset.html", context, refusal.status)
    except AWAY as refusal:
        return _page(request, "web/password/reset.html", {**kept, "refused": refusal.words()}, refusal.status)
    return _page(request, "web/password/done.html", {"door": _door(done)})


def _again(request: HttpRequest, kept: dict[str, object], refused: str, status: int) -> HttpResponse:
    return _page(request, "web/password/forgot.html", {**kept, "refused": refused}, status)


def _door(done: Reset) -> str:
    """Where the account signs in."""
    slug = directory.slug(done.shop_id)
    if done.kind == "customer":
        return reverse("account", args=[slug])
    return f"{reverse('console_sign_in')}?shop={slug}"


def _page(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response
