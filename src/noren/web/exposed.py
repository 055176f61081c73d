"""One's own exposure: who has the code of our mail sees which of her data became known, and nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren.accounts.rules import public
from noren.accounts.signin import visit_of
from noren.errors import ChallengeNeeded, NoSuchExposure
from noren.incidents import notices
from noren.people import tellings
from noren.people.tellings import Exposure
from noren.web import challenge
from noren.web.notice_words import ZONE

_LONGEST: Final = 60
FIELDS: Final[Mapping[str, str | Promise]] = {
    "name": pgettext_lazy("exposed", "Your name"),
    "kana": pgettext_lazy("exposed", "The reading of your name"),
    "mail": pgettext_lazy("exposed", "Your mail address"),
    "phone": pgettext_lazy("exposed", "Your phone number"),
    "note": pgettext_lazy("exposed", "What you asked the shop for"),
    "card_last4": pgettext_lazy("exposed", "The last four digits of your card"),
    "answers": pgettext_lazy("exposed", "Your answers to the shop's questions"),
    "health": pgettext_lazy("exposed", "Your answers about health"),
    "guests": pgettext_lazy("exposed", "The names of those you brought"),
    "tags": pgettext_lazy("exposed", "The shop's marks about you"),
    "notes": pgettext_lazy("exposed", "The shop's notes about you"),
    "chart": pgettext_lazy("exposed", "The shop's chart about you"),
    "presence": pgettext_lazy("exposed", "That you are a customer"),
    "account_password": pgettext_lazy("exposed", "Your password"),
    "account_passkey": pgettext_lazy("exposed", "The public part of your passkey"),
    "account_mail_index": pgettext_lazy("exposed", "Your mail address for signing in"),
    "account_address": pgettext_lazy("exposed", "From where you signed in"),
}
_OF_AN_ACCOUNT = pgettext_lazy("exposed", "Other data of your sign-in")
_LOOKED: Final = ("today", "day", "day_sheet", "customer", "search", "check_in", "support", "members")
# What to do, by the fields that make it necessary.
ADVICE: Final[tuple[tuple[frozenset[str], str | Promise], ...]] = (
    (
        frozenset({"account_password", "account_other"}),
        gettext_lazy("Change your password, and change it also where you used the same or a similar one."),
    ),
    (
        frozenset({"card_last4"}),
        gettext_lazy("Nobody can pay with the last four digits alone. Look for charges you do not know."),
    ),
    (
        frozenset({"mail", "phone", "account_mail_index"}),
        gettext_lazy("Beware of mails and calls that pretend to be about this. We never ask for a password."),
    ),
    (
        frozenset({"health", "chart", "notes", "answers"}),
        gettext_lazy("Should anybody mention these contents to you, do not answer, and tell us."),
    ),
)


@public
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form; sent, what the code is of. A wrong one is one answer."""
    if request.method != "POST":
        return _page(request)
    code = request.POST.get("code", "").strip()[:_LONGEST]
    if not code:
        return _page(request, refused=_("Please type the code of our mail."), status=422)
    try:
        found = tellings.exposed(code, proof=challenge.proof(request), **visit_of(request))
    except NoSuchExposure as refusal:
        return _page(request, code=code, refused=refusal.words(), status=refusal.status)
    except ChallengeNeeded as refusal:
        return _page(request, code=code, asked=refusal, status=refusal.status)
    return _page(request, found=found)


def _page(
    request: HttpRequest,
    *,
    code: str = "",
    refused: str = "",
    asked: ChallengeNeeded | None = None,
    found: Exposure | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "code": code,
        "refused": refused,
        "challenge": challenge.shown(asked),
        "found": found,
    }
    if found is not None:
        context |= {
            "fields": _in_words(found.fields),
            "ways": _ways(found.ways),
            "todo": _to_do(found.fields),
            "since": f"{found.since.astimezone(ZONE):%Y-%m-%d %H:%M}",
            "until": f"{found.until.astimezone(ZONE):%Y-%m-%d %H:%M}",
            "notice": found.notice if notices.updates(found.notice) else "",
        }
    response = render(request, "web/exposed.html", context, status=status)
    add_never_cache_headers(response)
    return response


def _in_words(fields: Iterable[str]) -> list[str]:
    there = set(fields)
    known = [str(words) for name, words in FIELDS.items() if name in there]
    return known + ([str(_OF_AN_ACCOUNT)] if there - set(FIELDS) else [])


def _ways(ways: Iterable[str]) -> list[str]:
    """By which kinds of way, never by whom."""
    told = {
        "looked": _("Somebody looked at them in the booking system."),
        "export": _("They were in a list that was taken out."),
        "taken": _("They were in stored data that were taken."),
        "other": _("They passed in another way."),
    }
    kinds = {_kind(one) for one in ways}
    return [words for kind, words in told.items() if kind in kinds]


def _kind(way: str) -> str:
    if way in _LOOKED:
        return "looked"
    return {"export": "export", "taken": "taken"}.get(way.partition(".")[0], "other")


def _to_do(fields: Iterable[str]) -> list[str]:
    there = set(fields)
    found = [str(words) for about, words in ADVICE if about & there]
    return found or [_("There is nothing you need to do now.")]
