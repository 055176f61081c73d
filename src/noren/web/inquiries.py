"""The inquiry desk as operators work at it: the list, one inquiry, saved answers, what was pasted.

No power is needed. Opening one inquiry is a reveal on record; the list shows none of its words. All that is
written here is cut as what is asked is.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import (
    BadField,
    InquiryFull,
    InquiryHeld,
    InquiryMoved,
    NoSuchIncident,
    NoSuchInquiry,
    NothingHere,
)
from noren.incidents import book, cutting, inquiry_pace, saved_answers
from noren.people import incidents
from noren.people import inquiries as door
from noren.people.inquiries import LONGEST, Standing
from noren.web import inquiry_words, powers

_NAMES: Final = {"ja": "日本語", "en": "English", "ja-easy": "やさしい日本語"}
DONE: Final[Mapping[str, str | Promise]] = {
    "sent": gettext_lazy("Answered. A mail says that the answer is there."),
    "none": gettext_lazy("Answered. No address was given: it is read by the link alone."),
    "unsent": gettext_lazy("Answered, but the mail could not be sent. It is read by the link alone."),
    "waits": gettext_lazy("Answered. The mail could not be sent yet: it is tried again by itself."),
    "relinked": gettext_lazy("The old link opens nothing any more."),
    "cut": gettext_lazy(
        "Something in your words looked like a card number, a password or a key, and was cut."
    ),
}
PASTED: Final[Mapping[str, str | Promise]] = {
    "password": gettext_lazy("a password"),
    "key": gettext_lazy("a key or token"),
    "private-key": gettext_lazy("a private key"),
    "database-address": gettext_lazy("an address with a password in it"),
}
_SORTS: Final = ("waiting", "answered", "closed")


@operator_required
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """Those that wait, or that stand otherwise; what was pasted and is to be made anew."""
    told, now = door.desk(request.signed_in.grant), clock.now()
    chosen = request.GET.get("state", "waiting")
    state = chosen if chosen in _SORTS else "waiting"
    mine = request.GET.get("mine") == "1"
    handle = request.signed_in.handle
    shown = [one for one in told.inquiries if one.state == state and (not mine or one.holder == handle)]
    context = {
        **powers.frame(request),
        "way": "inquiries",
        "rows": [_row(one, now) for one in shown],
        "state": state,
        "mine": mine,
        "tabs": [
            (one, inquiry_words.STATES[one], sum(each.state == one for each in told.inquiries))
            for one in _SORTS
        ],
        "pasted": [(one, PASTED[one.kind], inquiry_words.short(one.at)) for one in told.pasted],
        "open_pasted": sum(one.done_at is None for one in told.pasted),
        "hours": inquiry_words.hours(),
        "open": inquiry_pace.is_open(now),
    }
    return render(request, "web/operations/inquiries.html", context)


def _row(one: Standing, now: datetime) -> dict[str, Any]:
    return {
        "one": one,
        "about": inquiry_words.ABOUT.get(one.about, one.about),
        "promised": inquiry_words.short(one.promised_at),
        "asked": inquiry_words.short(one.asked_at),
        "late": one.state == "waiting" and inquiry_words.is_late(one.promised_at, now),
        "language": _NAMES[one.locale],
    }


@operator_required
@require_safe
def one(request: OperatorRequest, inquiry: str) -> HttpResponse:
    return _one(request, inquiry)


def _one(
    request: OperatorRequest, inquiry: str, *, words: str = "", refused: str = "", status: int = 200
) -> HttpResponse:
    """One with its lines: a reveal. Raises NoSuchInquiry."""
    told = door.read(request.signed_in.grant, inquiry)
    standing = told.standing
    if not words and (saved := request.GET.get("saved", "")):
        words = _filled(saved, standing)
    context = {
        **powers.frame(request),
        "way": "inquiries",
        "told": told,
        **_row(standing, clock.now()),
        "state": inquiry_words.STATES[standing.state],
        "lines": [(each, inquiry_words.local(each.at)) for each in told.lines],
        "hers": standing.holder == request.signed_in.handle,
        "others": standing.holder not in (None, request.signed_in.handle),
        "saved": saved_answers.every(),
        "incidents": [
            (each.incident, book.title_of(each.words)) for each in incidents.all_of(request.signed_in.grant)
        ],
        "words": words,
        "refused": refused,
        "done": DONE.get(request.GET.get("done", ""), "") if request.method == "GET" else "",
        "was_cut": request.method == "GET" and request.GET.get("cut") == "1",
        "cut_words": DONE["cut"],
        "longest": LONGEST,
    }
    return render(request, "web/operations/inquiry.html", context, status=status)


@sensitive_post_parameters()
@operator_required
@require_POST
def deed(request: OperatorRequest, inquiry: str) -> HttpResponse:
    """Do one thing with it; who is refused sees her words again."""
    act = _DEEDS.get(request.POST.get("deed", ""))
    if act is None:
        raise NothingHere
    cut = cutting.cut(request.POST.get("words", "").strip())
    words = cut.text[:LONGEST]
    try:
        done = act(request, inquiry, words)
    except BadField:
        return _one(request, inquiry, refused=_("Please write something first."), status=422)
    except (InquiryHeld, InquiryMoved, InquiryFull, NoSuchIncident) as refusal:
        return _one(request, inquiry, words=words, refused=refusal.words(), status=refusal.status)
    told = f"?done={done}" if done else "?"
    return HttpResponseRedirect(
        reverse("inquiry_one", args=[inquiry]) + told + ("&cut=1" if cut.found else "")
    )


def _take(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.take(request.signed_in.grant, inquiry, request.POST.get("held_by", "")[:160])
    return ""


def _give_back(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.give_back(request.signed_in.grant, inquiry)
    return ""


def _answer(request: OperatorRequest, inquiry: str, words: str) -> str:
    seen = request.POST.get("seen", "")
    if not words:
        raise BadField(field="words", reason="text")
    if not (seen.isascii() and seen.isdecimal() and len(seen) <= 4):
        raise NothingHere
    went = door.answer(request.signed_in.grant, inquiry, words, int(seen))
    return {"": "none", "sent": "sent", "already": "sent", "deferred": "waits"}.get(went, "unsent")


def _note(request: OperatorRequest, inquiry: str, words: str) -> str:
    if not words:
        raise BadField(field="words", reason="text")
    door.note(request.signed_in.grant, inquiry, words)
    return ""


def _close(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.move(request.signed_in.grant, inquiry, "closed")
    return ""


def _reopen(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.move(request.signed_in.grant, inquiry, "waiting")
    return ""


def _link(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.link(request.signed_in.grant, inquiry, request.POST.get("incident", "")[:40])
    return ""


def _relink(request: OperatorRequest, inquiry: str, _words: str) -> str:
    door.relink(request.signed_in.grant, inquiry)
    return "relinked"


_DEEDS: Final[Mapping[str, Callable[[OperatorRequest, str, str], str]]] = {
    "take": _take,
    "give-back": _give_back,
    "answer": _answer,
    "note": _note,
    "close": _close,
    "reopen": _reopen,
    "link": _link,
    "relink": _relink,
}


@operator_required
@require_POST
def made_anew(request: OperatorRequest) -> HttpResponse:
    """What was pasted was made anew; another one may have said so already."""
    with suppress(NoSuchInquiry):
        door.made_anew(request.signed_in.grant, _number(request.POST.get("secret", "")))
    return HttpResponseRedirect(reverse("inquiries") + "#pasted")


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def saved(request: OperatorRequest) -> HttpResponse:
    """The saved answers: write one, change it, take it away."""
    refused, status = "", 200
    if request.method == "POST":
        given = [request.POST.get(name, "") for name in ("title", "ja", "en")]
        try:
            if request.POST.get("deed") == "forget":
                saved_answers.forget(_number(request.POST.get("answer", "")))
            else:
                saved_answers.keep(given[0], given[1], given[2], clock.now())
        except BadField as fault:
            refused, status = _why(fault), fault.status
        else:
            return HttpResponseRedirect(reverse("inquiries_saved"))
    chosen = next(
        (each for each in saved_answers.every() if str(each.id) == request.GET.get("change", "")), None
    )
    context = {
        **powers.frame(request),
        "way": "inquiries",
        "saved": saved_answers.every(),
        "fields": saved_answers.FIELDS,
        "given": _again(request) if refused else chosen,
        "refused": refused,
        "longest": saved_answers.LONGEST,
        "longest_title": saved_answers.LONGEST_TITLE,
    }
    return render(request, "web/operations/inquiries_saved.html", context, status=status)


def _again(request: OperatorRequest) -> dict[str, str]:
    """What was typed, cut, to be typed on."""
    return {name: cutting.cut(request.POST.get(name, "")).text for name in ("title", "ja", "en")}


def _why(fault: BadField) -> str:
    if "field" in fault.reasons.values():
        fields = ", ".join(f"{{{one}}}" for one in saved_answers.FIELDS)
        return _("Only these can stand in braces: %(fields)s.") % {"fields": fields}
    return _("Please write a title, and the answer in both languages.")


def _filled(text: str, standing: Standing) -> str:
    """A saved answer in the language in which she asked."""
    language = "en" if standing.locale == "en" else "ja"
    news = reverse("news_notice", args=[standing.notice]) if standing.notice else reverse("news")
    with translation.override(standing.locale):
        values = {
            "hours": inquiry_words.hours(),
            "news": settings.NOREN_ORIGIN + news,
            "desk": settings.NOREN_ORIGIN + reverse("inquiry"),
        }
    return saved_answers.filled(_number(text), language, values)


def _number(text: str) -> int:
    """A row's number. Raises NothingHere."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise NothingHere
    return int(text)
