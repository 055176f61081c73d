"""The door of a customer's account: in by passkey, by a mailed code or by a password, and out again.

The address she types is held by nobody: it goes with the form of the code, in her own page. Asking for a code
is answered alike for everybody, and an account begins with a booking: who has none here gets no mail from us.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from noren import clock
from noren.accounts import session, signin
from noren.accounts.access import customer_of, safe_next
from noren.accounts.rules import customer, public
from noren.errors import (
    Busy,
    ChallengeNeeded,
    CodeRefused,
    GrantRefused,
    PasskeyRefused,
    PasswordRefused,
    ResetRequired,
    TooManyTries,
)
from noren.people import Second
from noren.web import account_home, challenge, passwords
from noren.web.account_home import query_of
from noren.web.entrance import given
from noren.web.public import face_or_404
from noren.web.shopfront import Face

LONGEST_MAIL, LONGEST_CODE, LONGEST_PASSWORD = 254, 40, 1_000


@customer
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Her bookings, or the door."""
    face = face_or_404(slug)
    if customer_of(request, face.id) is None:
        words = _("Your account is ended, and you are signed out.") if "ended" in request.GET else ""
        return door(request, face, said=words)
    return account_home.page(request, slug=slug)


@public
@require_safe
def again(request: HttpRequest, slug: str) -> HttpResponse:
    """The door for who is in: before something of hers is changed, she comes in anew."""
    words = _("For your safety, please sign in once more before you change this.")
    return door(request, face_or_404(slug), said=words)


@public
@sensitive_post_parameters("mail")
@require_POST
def code(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a code mailed. The answer is the same whether the shop knows the address or not."""
    face, mail = face_or_404(slug), mail_of(request)
    if not mail:
        return door(request, face, refused=_("Please enter your mail address."), status=422)
    try:
        signin.begin_code(request, face.id, mail, proof=challenge.proof(request))
    except ChallengeNeeded as refusal:
        return door(request, face, asked=refusal, mail=mail, status=refusal.status)
    return _code_page(request, face, mail)


@public
@sensitive_post_parameters("mail", "code")
@require_POST
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the code."""
    face, mail = face_or_404(slug), mail_of(request)
    if not mail:
        return door(request, face, refused=_("Please enter your mail address."), status=422)
    typed, proof = code_of(request), challenge.proof(request)
    try:
        answer = signin.finish_code(request, face.id, mail, typed, now=clock.now(), proof=proof)
    except CodeRefused as refusal:
        return _code_page(request, face, mail, refused=refusal.words(), status=refusal.status)
    except ChallengeNeeded as refusal:
        return _code_page(request, face, mail, typed=typed, asked=refusal, status=refusal.status)
    return entered(request, face, answer)


@public
@sensitive_post_parameters("mail", "password")
@require_POST
def password(request: HttpRequest, slug: str) -> HttpResponse:
    """In by mail and password."""
    face, mail = face_or_404(slug), mail_of(request)
    typed, proof = passwords.typed(request, "password", LONGEST_PASSWORD), challenge.proof(request)
    try:
        answer = signin.check_customer(
            request, face.id, mail or "-", typed or "-", now=clock.now(), proof=proof
        )
    except ChallengeNeeded as asked:
        return door(request, face, asked=asked, mail=mail, status=asked.status, by="password")
    except ResetRequired as over:
        return door(request, face, refused=passwords.led(over), status=over.status)
    except (PasswordRefused, GrantRefused):
        refusal = PasswordRefused()
        return door(request, face, refused=refusal.words(), status=refusal.status, by="password")
    except Busy as refused:
        return door(request, face, refused=refused.words(), status=refused.status, by="password")
    return entered(request, face, answer)


@public
@sensitive_post_parameters("code", "ticket")
@require_POST
def second(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the second factor."""
    face, ticket = face_or_404(slug), passwords.typed(request, "ticket", 2_000)
    asked = Second(ticket, "mail" if request.POST.get("way") == "mail" else "code")
    try:
        answer = signin.finish_second(request, asked, code_of(request), now=clock.now())
    except (CodeRefused, TooManyTries) as refusal:
        there = safe_next(request, reverse("account", args=[slug]))
        return _second_page(request, face, asked, there, refused=refusal.words(), status=refusal.status)
    return entered(request, face, answer)


@public
@require_POST
def passkey_begin(request: HttpRequest, slug: str) -> JsonResponse:
    face_or_404(slug)
    return JsonResponse({"options": signin.begin_signin(request)})


@public
@require_POST
def passkey_finish(request: HttpRequest, slug: str) -> JsonResponse:
    """In by passkey. One of another shop's customer is none of this shop's, and no more is said of it."""
    face = face_or_404(slug)
    try:
        found = signin.finish_signin(request, given(request, "answer"), now=clock.now(), shop_id=face.id)
    except GrantRefused:
        raise PasskeyRefused from None
    is_customer = session.place_of(found.who.role) is session.CUSTOMER
    response = JsonResponse({"next": safe_next(request, found.home) if is_customer else found.home})
    found.into(response)
    return response


@public
@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    face_or_404(slug)
    response = HttpResponseRedirect(reverse("account", args=[slug]))
    signin.sign_out(request, response, session.CUSTOMER)
    return response


# -- what the ways in have in common


def door(
    request: HttpRequest,
    face: Face,
    *,
    said: str = "",
    refused: str = "",
    status: int = 200,
    by: str = "",
    asked: ChallengeNeeded | None = None,
    mail: str = "",
) -> HttpResponse:
    """The page with all ways in. `asked`: a challenge, of the way `by` or of the mailed code."""
    context = {
        "shop": face,
        "said": said,
        "refused": refused,
        "by": by,
        "challenge": challenge.shown(asked),
        "mail": mail,
        "query": query_of(request, face),
        "begin": reverse("account_passkey_begin", args=[face.slug]),
        "finish": reverse("account_passkey_finish", args=[face.slug]),
        "passkey": "sign_in",
        "label": _("Sign in with a passkey"),
    }
    return answer(request, "web/account/door.html", context, status)


def entered(
    request: HttpRequest, face: Face, found: signin.Entered | Second, *, default: str = ""
) -> HttpResponse:
    """Go on to the page she wanted, or ask for her second factor."""
    there = safe_next(request, default or reverse("account", args=[face.slug]))
    if isinstance(found, Second):
        return _second_page(request, face, found, there)
    response = HttpResponseRedirect(there)
    found.into(response)
    return response


def answer(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response


def mail_of(request: HttpRequest) -> str:
    return passwords.typed(request, "mail", LONGEST_MAIL).strip()


def code_of(request: HttpRequest) -> str:
    return "".join(passwords.typed(request, "code", 200).split())[:LONGEST_CODE] or "-"


def _code_page(
    request: HttpRequest,
    face: Face,
    mail: str,
    *,
    typed: str = "",
    asked: ChallengeNeeded | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "shop": face,
        "mail": mail,
        "typed": typed,
        "challenge": challenge.shown(asked),
        "refused": refused,
        "query": query_of(request, face),
    }
    return answer(request, "web/account/code.html", context, status)


def _second_page(
    request: HttpRequest, face: Face, asked: Second, there: str, *, refused: str = "", status: int = 200
) -> HttpResponse:
    query = "?" + urlencode({"next": there})
    context = {"shop": face, "second": asked, "refused": refused, "query": query}
    return answer(request, "web/account/second.html", context, status)
