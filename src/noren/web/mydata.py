"""My data: a customer comes in by a mailed code and reads who looked at her data, what for and when.

The address she types is held by nobody: it goes with the form of the code, in her own page.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock, people
from noren.accounts import signin
from noren.accounts.access import Permission, StaffRequest, customer_of, permission_required
from noren.accounts.rules import customer, public
from noren.accounts.session import CUSTOMER, end_session, forget_grant
from noren.errors import ChallengeNeeded, CodeRefused, GrantExpired, GrantRefused, NorenError, NoSuchEntry
from noren.people import published
from noren.web import account, challenge, lookups, passwords
from noren.web.desk import face_of
from noren.web.public import face_or_404
from noren.web.shopfront import Face

_LONGEST_MAIL, _LONGEST_CODE = 254, 20


@customer
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Her list, or the way in."""
    face, held = face_or_404(slug), CUSTOMER.key in request.session
    who = customer_of(request, face.id)
    if who is None:
        return _over(request, face) if held and CUSTOMER.key not in request.session else _door(request, face)
    try:
        told = people.lookups(who.grant, _before(request))
    except (GrantExpired, GrantRefused):
        end_session(request.session, CUSTOMER)
        return _over(request, face)
    context = {
        "shop": face,
        "told": told,
        "lines": lookups.lines(face, told),
        "since": told.since.astimezone(face.zone),
        "until": told.until.astimezone(face.zone),
        "last_reading": told.last_reading and told.last_reading.astimezone(face.zone),
        "later": "before" in request.GET,
        **_rules(face, told),
    }
    return _answer(request, "web/own/mydata.html", context)


def _over(request: HttpRequest, face: Face) -> HttpResponse:
    """The way in again for whose grant has ended."""
    response = _door(request, face, refused=_("Your time here is over. Please come in once more."))
    forget_grant(response, CUSTOMER)
    return response


@public
@sensitive_post_parameters("mail")
@require_POST
def code(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a code mailed. The answer is the same whether the shop knows the address or not."""
    face, mail = face_or_404(slug), _mail(request)
    if not mail:
        return _door(request, face, refused=_("Please enter your mail address."), status=422)
    try:
        signin.begin_code(request, face.id, mail, proof=challenge.proof(request))
    except ChallengeNeeded as refusal:
        return _door(request, face, mail=mail, asked=refusal, status=refusal.status)
    return _code_page(request, face, mail)


@public
@sensitive_post_parameters("mail", "code")
@require_POST
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    face, mail = face_or_404(slug), _mail(request)
    typed = "".join(passwords.typed(request, "code", 200).split())[:_LONGEST_CODE]
    if not mail:
        return _door(request, face, refused=_("Please enter your mail address."), status=422)
    try:
        found = signin.finish_code(
            request, face.id, mail, typed or "-", now=clock.now(), proof=challenge.proof(request)
        )
    except CodeRefused as refusal:
        return _code_page(request, face, mail, refused=refusal.words(), status=refusal.status)
    except ChallengeNeeded as refusal:
        return _code_page(request, face, mail, typed=typed, asked=refusal, status=refusal.status)
    return account.entered(request, face, found, default=reverse("my_data", args=[slug]))


@public
@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    face_or_404(slug)
    response = HttpResponseRedirect(reverse("my_data", args=[slug]))
    signin.sign_out(request, response, CUSTOMER)
    return response


@customer
@require_safe
def proof(request: HttpRequest, slug: str, entry: str) -> HttpResponse:
    """The `.tlog-proof` of one of her lines, to keep."""
    face = face_or_404(slug)
    who = customer_of(request, face.id)
    if who is None:
        return HttpResponseRedirect(reverse("my_data", args=[slug]))
    try:
        text = people.lookup_proof(who.grant, int(entry))
    except GrantExpired:
        return HttpResponseRedirect(reverse("my_data", args=[slug]))
    except NorenError as refusal:
        raise NoSuchEntry from refusal
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{face.slug}-{entry}.tlog-proof"'
    add_never_cache_headers(response)
    return response


@permission_required(Permission.SHOP_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def naming(request: StaffRequest) -> HttpResponse:
    """Whether the shop's customers are told who of the staff looked. The owner decides."""
    owns, refused, status = request.signed_in.role == "owner", "", 200
    if request.method == "POST":
        try:
            people.name_staff(request.signed_in.grant, named=request.POST.get("named") == "yes")
            return HttpResponseRedirect(reverse("console_naming"))
        except GrantRefused as refusal:
            refused, status = refusal.words(), refusal.status
    context = {
        "shop": face_of(request),
        "way": "budget",
        "named": people.naming(request.signed_in.grant),
        "owns": owns,
        "refused": refused,
    }
    return render(request, "web/console/naming.html", context, status=status)


def _door(
    request: HttpRequest,
    face: Face,
    *,
    refused: str = "",
    mail: str = "",
    asked: ChallengeNeeded | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "shop": face,
        "refused": refused,
        "mail": mail,
        "challenge": challenge.shown(asked),
        **_rules(face),
    }
    return _answer(request, "web/own/mydata_door.html", context, status)


def _code_page(
    request: HttpRequest,
    face: Face,
    mail: str,
    *,
    refused: str = "",
    typed: str = "",
    asked: ChallengeNeeded | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "shop": face,
        "mail": mail,
        "typed": typed,
        "refused": refused,
        "challenge": challenge.shown(asked),
    }
    return _answer(request, "web/own/mydata_code.html", context, status)


def _rules(face: Face, told: people.Lookups | None = None) -> dict[str, object]:
    """What is said of the list itself: what it leaves out, since when, how a proof is checked."""
    shown = published.checkpoint()
    last = {"searched": told.searched, "copied": told.copied} if told is not None else {}
    return {
        "vkey": "" if shown is None else shown.vkey,
        "withheld_days": people.WITHHELD_DAYS,
        **{name: at and at.astimezone(face.zone) for name, at in last.items()},
    }


def _answer(
    request: HttpRequest, template: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response


def _mail(request: HttpRequest) -> str:
    return passwords.typed(request, "mail", _LONGEST_MAIL).strip()


def _before(request: HttpRequest) -> int | None:
    given = request.GET.get("before", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= 15 else None
