"""The inquiry desk as who asks sees it: the form, her inquiry behind its link, and what she adds to it.

The first thing that touches a form's body is the cutter (`inquiry_given`): card numbers, passwords and keys
are out of it before it is looked at, shown again, or handed on. The page behind the link tells no other page
where one came from; so it has no forms, which a browser would send from nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import SignedIn
from noren.accounts.rules import own_link, public
from noren.accounts.session import PLACES, read_session
from noren.accounts.signin import visit_of
from noren.errors import BadField, ChallengeNeeded, InquiryFull, NorenError, NothingHere, TooManyInquiries
from noren.incidents import inquiry_given, inquiry_pace
from noren.incidents.inquiry_given import FileRefused, Given
from noren.incidents.models import NoticeVersion
from noren.incidents.notice_text import NOTICE
from noren.people import inquiries
from noren.people.inquiries import LONGEST, Said
from noren.web import challenge, inquiry_words

# No person sees this field; a program that fills all of them does.
TRAP: Final = "website"
_LONGEST_MAIL: Final = 254
_LANGUAGES: Final = ("ja", "en", "ja-easy")
_CHOICES: Final = (("ja", "日本語"), ("ja-easy", "やさしい日本語"), ("en", "English"))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a form comes back: at which field, and in words."""

    field: str
    words: str
    status: int = 422


# -- asking


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Show the form; sent, it leads to the inquiry's own page."""
    notice = _notice(request.GET.get("about", ""))
    if request.method != "POST":
        return _form(request, {"about": "notice" if notice else "", "notice": notice})
    try:
        given = _given(request)
    except FileRefused as refused:
        # What stood in the other fields is cut and shown again; of the files nothing is left.
        return _form(request, _shown(request, _words_alone(request)), fault=_of_file(refused))
    shown, notice = _shown(request, given), _notice(request.POST.get("notice", ""))
    fault = _lacks(request, given)
    if fault is not None:
        return _form(request, shown, fault=fault)
    who = _who(request) if request.POST.get("account") else None
    try:
        token = inquiries.ask(
            _said(given),
            about=shown["about"],
            notice=notice,
            locale=_language(),
            mail=given.mail,
            grant=None if who is None else who.grant,
            proof=challenge.proof(request),
            visit=visit_of(request),
        )
    except BadField:
        fault = Fault("mail", _("This mail address cannot be. Please look for a slip."))
        return _form(request, shown, fault=fault)
    except ChallengeNeeded as needed:
        fault = Fault("", str(needed.message), needed.status)
        return _form(request, shown, fault=fault, asked=needed, again=bool(given.files))
    except TooManyInquiries as many:
        return _form(request, shown, fault=Fault("", many.words(), many.status))
    return _sent(token, given)


def _form(
    request: HttpRequest,
    shown: Mapping[str, Any],
    *,
    fault: Fault | None = None,
    asked: ChallengeNeeded | None = None,
    again: bool = False,
) -> HttpResponse:
    """The form, with a challenge that is solved while she writes. Raises VaultUnavailable."""
    told, now = inquiries.form(), clock.now()
    context = {
        "given": shown,
        "abouts": inquiry_words.ABOUT.items(),
        "fault": fault,
        "again": again,
        "asked": asked is not None,
        "challenge": challenge.shown(asked or ChallengeNeeded(**told.challenge)),
        "expected": inquiry_words.local(inquiry_pace.expected(now, told.waiting, told.took)),
        "hours": inquiry_words.hours(),
        "open": inquiry_pace.is_open(now),
        "waiting": told.waiting,
        "who": _who(request),
        "trap": TRAP,
        "longest": LONGEST,
        # What else stood in the address is not repeated.
        "stay": reverse("inquiry") + (f"?about={shown['notice']}" if shown["notice"] else ""),
    }
    response = render(request, "web/inquiry/ask.html", context, status=200 if fault is None else fault.status)
    add_never_cache_headers(response)
    return response


# -- the inquiry's own page


@own_link
@require_safe
def own(request: HttpRequest, link: str) -> HttpResponse:
    """Her words and the answers. No form is here: a browser sends none from a page that names no referrer."""
    told = inquiries.own(link)
    context = {
        **_of(told, link),
        "sent": "sent" in request.GET,
        "cards": _count(request.GET.get("cards")),
        "secrets": _count(request.GET.get("secrets")),
        "renewed": "renewed" in request.GET,
        "choices": _CHOICES,
    }
    response = render(request, "web/inquiry/own.html", context)
    response["Referrer-Policy"] = "no-referrer"
    add_never_cache_headers(response)
    return response


@own_link
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def more(request: HttpRequest, link: str) -> HttpResponse:
    """Add words, take a new link, or erase all of it."""
    if request.method != "POST":
        return _more(request, link)
    match request.POST.get("deed", ""):
        case "add":
            return _add(request, link)
        case "renew":
            return HttpResponseRedirect(f"{reverse('inquiry_own', args=[inquiries.renew(link)])}?renewed=1")
        case "erase":
            if not request.POST.get("sure"):
                return _more(request, link, fault=Fault("sure", _("Please tick that it shall be erased.")))
            inquiries.erase(link)
            return render(request, "web/inquiry/erased.html")
        case _:
            raise NothingHere


def _add(request: HttpRequest, link: str) -> HttpResponse:
    try:
        given = _given(request)
    except FileRefused as refused:
        return _more(request, link, words=_words_alone(request).words, fault=_of_file(refused))
    fault = _lacks(request, given, about=False)
    if fault is not None:
        return _more(request, link, words=given.words, fault=fault)
    try:
        inquiries.add(link, _said(given), visit_of(request))
    except (TooManyInquiries, InquiryFull) as refusal:
        return _more(request, link, words=given.words, fault=Fault("", refusal.words(), refusal.status))
    return _sent(link, given)


def _more(request: HttpRequest, link: str, *, words: str = "", fault: Fault | None = None) -> HttpResponse:
    context = {
        **_of(inquiries.own(link), link),
        "words": words,
        "fault": fault,
        "longest": LONGEST,
        "trap": TRAP,
    }
    response = render(
        request, "web/inquiry/more.html", context, status=200 if fault is None else fault.status
    )
    add_never_cache_headers(response)
    return response


def _of(told: inquiries.Told, link: str) -> dict[str, Any]:
    """What both pages show of an inquiry."""
    one = told.standing
    return {
        "one": one,
        "link": link,
        "address": f"{settings.NOREN_ORIGIN}{reverse('inquiry_own', args=[link])}",
        "about": inquiry_words.ABOUT.get(one.about, one.about),
        "state": inquiry_words.STATES[one.state],
        "promised": inquiry_words.local(one.promised_at),
        "late": inquiry_words.is_late(one.promised_at, clock.now()),
        "hours": inquiry_words.hours(),
        "lines": [(each, inquiry_words.local(each.at)) for each in told.lines],
    }


# -- reading a form


def _given(request: HttpRequest) -> Given:
    """All that was typed or sent, cut: the first thing that is done with it. Raises FileRefused."""
    uploads = request.FILES.getlist("files")
    # A body that is larger than may be held in memory has lost its files (settings).
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if not uploads and length > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        raise FileRefused(inquiry_given.NoFile.TOO_LARGE)
    return inquiry_given.given(
        request.POST.get("words", ""), request.POST.get("mail", "")[:_LONGEST_MAIL], uploads
    )


def _words_alone(request: HttpRequest) -> Given:
    return inquiry_given.given(
        request.POST.get("words", ""), request.POST.get("mail", "")[:_LONGEST_MAIL], ()
    )


def _lacks(request: HttpRequest, given: Given, *, about: bool = True) -> Fault | None:
    """What a form lacks, the first of it."""
    if request.POST.get(TRAP):
        return Fault(
            "", _("Something was filled in that nobody sees. It is empty now: please send it again.")
        )
    if about and request.POST.get("about") not in inquiry_words.ABOUT:
        return Fault("about", _("Please choose what it is about."))
    if not given.words:
        return Fault("words", _("Please write what you would like to ask."))
    if inquiry_given.too_long(given):
        return Fault("words", _("This is too long: 8,000 characters are the most."))
    return None


def _shown(request: HttpRequest, given: Given) -> dict[str, Any]:
    """The form as it is shown again: cut."""
    about = request.POST.get("about", "")
    return {
        "about": about if about in inquiry_words.ABOUT else "",
        "notice": _notice(request.POST.get("notice", "")),
        "words": given.words,
        "mail": given.mail,
        "alone": not request.POST.get("account"),
    }


def _said(given: Given) -> Said:
    told = inquiries.form()
    promised = inquiry_pace.expected(clock.now(), told.waiting, told.took)
    return Said(given.words, promised, given.files, given.pasted)


def _sent(link: str, given: Given) -> HttpResponse:
    words = f"?sent=1&cards={given.cards}&secrets={len(given.pasted)}"
    return HttpResponseRedirect(reverse("inquiry_own", args=[link]) + words)


def _of_file(refused: FileRefused) -> Fault:
    return Fault("files", str(inquiry_words.FILES[refused.reason]))


def _notice(name: str) -> str:
    """A notice's short name, if there is a published one of it."""
    if not NOTICE.fullmatch(name) or not NoticeVersion.objects.filter(notice=name).exists():
        return ""
    return name


def _who(request: HttpRequest) -> SignedIn | None:
    """Whoever is signed in, as a customer or at work."""
    for place in reversed(PLACES):
        try:
            who = read_session(request, now=clock.now(), place=place)
        except NorenError:
            continue
        if who is not None:
            return who
    return None


def _language() -> str:
    language = translation.get_language() or ""
    return language if language in _LANGUAGES else "en"


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) <= 3 else 0
