"""Operators' pages about notices: drafts in both languages, asking, agreeing to exactly one text, alone."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import NorenError, NoSuchIncident, NoSuchNotice, NoticeOver
from noren.incidents import book, notice_text, notices
from noren.incidents.models import NoticeDraft
from noren.incidents.notice_text import CONFIDENCE, INCIDENT, LANGUAGES, NOTICE, SECTIONS, STATES, Text
from noren.people import incidents
from noren.people import notices as door
from noren.people import powers as powers_door
from noren.web import notice_drafts, notice_pages, notice_words, powers, times
from noren.web.budget import answer_of

_MOST: Final = 1_000_000_000
# Addresses beside those of notices.
_TAKEN: Final = ("check", "mail")
_BOOK: Final = re.compile(r"[0-9a-f]{16}")
# With these an asking is over, and its draft can be written again.
_ENDED: Final = ("lapsed", "declined", "withdrawn")


@dataclass(frozen=True, slots=True)
class Row:
    """A draft in the list."""

    draft: NoticeDraft
    title: str
    state: str
    ask: str


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest) -> HttpResponse:
    """What is being written, what waits, what was published; a new one begins with its short name."""
    if request.method != "POST":
        return _page(request)
    name, number = request.POST.get("notice", "").strip(), _number(request.POST.get("number"))
    deed, now = request.POST.get("deed", "new"), clock.now()
    if not NOTICE.fullmatch(name) or name in _TAKEN:
        words = _("Please give it a short name: 3 to 40 of a-z, 0-9 and -, such as 2026-11-leak.")
        return _page(request, refused=words, status=422)
    try:
        match deed:
            case "next":
                told = _of_incident(request, notices.last(name).incident)
                made = notices.begin_next(name, now, told)
            case "correct":
                made = notices.begin_correction(name, number, now)
            case "take":
                notices.take_up(name)
                return HttpResponseRedirect(reverse("notices"))
            case _:
                made = notices.begin(name, now, _of_incident(request, request.POST.get("incident", "")))
    except NoticeOver:
        words = _(
            "There is a published notice of this name. Please write its next update, or choose another."
        )
        return _page(request, refused=words, status=409)
    return HttpResponseRedirect(reverse("notice_draft", args=[made.id]))


def _of_incident(request: OperatorRequest, incident: str) -> dict[str, Any]:
    """What is known of the incident, for whoever is its member; else nothing."""
    work = _read(request, incident)
    return notice_drafts.told(work, incident) if work else {}


def _read(request: OperatorRequest, incident: str) -> book.Workspace | None:
    if not _BOOK.fullmatch(incident):
        return None
    try:
        return book.workspace(incidents.read(request.signed_in.grant, incident).records)
    except NoSuchIncident:
        return None


def _page(request: OperatorRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    asks = door.asks(request.signed_in.grant)
    by_id = {one.ask: one for one in asks.all}
    rows = [_row(one, by_id.get(one.asked)) for one in NoticeDraft.objects.order_by("-changed_at")]
    found = notices.published()
    incident = request.POST.get("incident") or request.GET.get("incident", "")
    work = _read(request, incident)
    context = {
        **powers.frame(request),
        "way": "notices",
        "rows": rows,
        "waiting": [one for one in asks.all if one.state == "asked" and not one.own],
        "published": [
            (line, [each.number for each in found[line.notice]]) for line in notice_pages.lines(found)
        ],
        "few": asks.passkeys < powers_door.PASSKEYS,
        "refused": refused,
        "name": request.POST.get("notice") or (f"{clock.now():%Y-%m-%d}" if work else ""),
        "incident": incident if work else "",
        "work": work,
    }
    return render(request, "web/operations/notices.html", context, status=status)


def _row(draft: NoticeDraft, asked: door.Asked | None) -> Row:
    text = notices.text_of(draft)
    title = next((words for one in LANGUAGES if (words := text.words(one, "title"))), "") or draft.notice
    state = str(notice_words.ASKED[asked.state]) if asked is not None else _("being written")
    return Row(draft, title, state, draft.asked if asked is not None else "")


# -- a draft


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: OperatorRequest, draft: int) -> HttpResponse:
    """Write it; what was typed stays in the form, whatever the answer is."""
    one = notices.draft(draft)
    if request.method != "POST":
        return _form(request, one, notices.text_of(one))
    deed = request.POST.get("deed", "save")
    if deed == "again":
        return _again(request, one)
    typed, faults = _typed(request.POST, one)
    if deed == "discard":
        notices.discard(one.id)
        return HttpResponseRedirect(reverse("notices"))
    if faults:
        return _form(request, one, typed, faults=faults, status=422)
    try:
        notices.keep(one.id, _number(request.POST.get("revision")), typed.plain(), clock.now())
    except NoticeOver:
        words = _("Somebody else has saved this draft meanwhile, or it waits for a word. Yours is below.")
        return _form(request, one, typed, faults=[words], status=409)
    if deed == "save":
        return HttpResponseRedirect(reverse("notice_draft", args=[one.id]))
    lacking = [notice_words.fault(*each) for each in notice_text.lacks(typed, clock.now())]
    if lacking:
        return _form(request, notices.draft(one.id), typed, faults=lacking, status=422)
    return HttpResponseRedirect(reverse("notice_preview", args=[one.id]))


def _again(request: OperatorRequest, one: NoticeDraft) -> HttpResponse:
    """Let a draft be written again, whose asking is over or was for her own passkey."""
    if one.asked not in ("", notices.ALONE):
        standing = next(
            (each for each in door.asks(request.signed_in.grant).all if each.ask == one.asked), None
        )
        if standing is None or standing.state not in _ENDED:
            raise NoticeOver
    notices.thaw(one.id, one.asked)
    return HttpResponseRedirect(reverse("notice_draft", args=[one.id]))


def _typed(form: QueryDict, one: NoticeDraft) -> tuple[Text, list[str]]:
    """Read the form; what cannot be read is said."""
    faults, most, until = [], form.get("most", "").strip(), form.get("next", "").strip()
    if most and not (times.number(most) or _MOST + 1) <= _MOST:
        faults.append(_("The number of persons is a whole number."))
        most = ""
    at = _instant(until)
    if until and at is None:
        faults.append(_("Please give the next update as a date and a time."))
    incident = form.get("incident", "").strip()
    if not INCIDENT.fullmatch(incident):
        faults.append(_("The code of an investigation has only a-z, 0-9 and -."))
        incident = ""
    state, surely = form.get("state", ""), form.get("confidence", "")
    told: dict[str, Any] = {
        "state": state if state in STATES else STATES[0],
        "confidence": surely if surely in CONFIDENCE else "unknown",
        "most": int(most or 0),
        "next": notice_text.written(at),
        "incident": incident,
    }
    for language in LANGUAGES:
        told[language] = {name: form.get(f"{language}-{name}", "") for name in ("title", *SECTIONS)}
    return Text.of(told, one.notice, one.number, one.version), faults


def _form(
    request: OperatorRequest,
    one: NoticeDraft,
    text: Text,
    *,
    faults: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = [
        {
            "name": name,
            "label": notice_words.label(name),
            "hint": notice_words.HINTS.get(name, ""),
            "longest": notice_text.LONGEST[name],
            "boxes": [(language, text.words(language, name)) for language in LANGUAGES],
            "line": name == "title",
        }
        for name in ("title", *SECTIONS)
    ]
    context = {
        **powers.frame(request),
        "way": "notices",
        "draft": one,
        "text": text,
        "rows": rows,
        "next": ""
        if text.next_at is None
        else f"{text.next_at.astimezone(notice_words.ZONE):%Y-%m-%dT%H:%M}",
        "states": notice_words.STATES.items(),
        "confidence": notice_words.CONFIDENCE.items(),
        "faults": faults or [],
        "waits": bool(one.asked),
        "alone": one.asked == notices.ALONE,
    }
    return render(request, "web/operations/notice_draft.html", context, status=status)


# -- as the public will see it, and asking


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: OperatorRequest, draft: int) -> HttpResponse:
    """Show it as the public will; by POST ask another operator, or make ready to publish it alone."""
    one = notices.draft(draft)
    if request.method != "POST":
        return _preview(request, one)
    lacking = notice_text.lacks(notices.text_of(one), clock.now())
    if lacking:
        return _preview(request, one, status=422)
    try:
        if request.POST.get("deed") == "alone":
            notices.freeze(one.id, clock.now())
            return HttpResponseRedirect(reverse("notice_alone", args=[one.id]))
        asked = notices.ask(request.signed_in.grant, one.id, clock.now())
    except NoSuchNotice:
        raise
    except NorenError as refusal:
        return _preview(request, one, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("notice_ask", args=[asked]))


def _preview(
    request: OperatorRequest, one: NoticeDraft, *, refused: str = "", status: int = 200
) -> HttpResponse:
    text = notices.text_of(one)
    context = {
        **_seen(request, one, text),
        "faults": [notice_words.fault(*each) for each in notice_text.lacks(text, clock.now())],
        "waits": bool(one.asked),
        "few": door.asks(request.signed_in.grant).passkeys < powers_door.PASSKEYS,
        "refused": refused,
    }
    return render(request, "web/operations/notice_preview.html", context, status=status)


def _seen(request: OperatorRequest, one: NoticeDraft, text: Text) -> dict[str, Any]:
    """A draft as the public will see it, and what a correction changes."""
    before = next((each for each in notices.updates(one.notice) if each.number == one.number), None)
    return {
        **powers.frame(request),
        "way": "notices",
        "draft": one,
        "text": text,
        "columns": [notice_pages.column(text, each, None) for each in notice_pages.reading()],
        "changed": [] if before is None else notice_pages.differences(notice_pages.read(before.newest), text),
        "hash": notice_text.digest(text.canonical()),
        "next_utc": "" if text.next_at is None else notice_words.utc(text.next_at),
    }


@operator_required
@require_safe
def alone(request: OperatorRequest, draft: int) -> HttpResponse:
    """Show once more what is about to happen without a second operator. Nothing has happened yet."""
    one = notices.draft(draft)
    if one.asked != notices.ALONE:
        raise NoticeOver
    context = {
        **_seen(request, one, notices.text_of(one)),
        "passkey": "confirm",
        "begin": reverse("notice_alone_begin", args=[one.id]),
        "finish": reverse("notice_alone_finish", args=[one.id]),
        "label": _("Publish alone with your passkey"),
    }
    return render(request, "web/operations/notice_alone.html", context)


@operator_required
@require_POST
def alone_begin(request: OperatorRequest, draft: int) -> JsonResponse:
    one = notices.draft(draft)
    if one.asked != notices.ALONE:
        raise NoticeOver
    place = door.Text(one.notice, one.number, one.version, notice_text.digest(one.frozen))
    notices.take_up_later(one.notice, clock.now())
    return JsonResponse({"options": door.alone_begin(request.signed_in.grant, place)})


@operator_required
@require_POST
def alone_finish(request: OperatorRequest, draft: int) -> JsonResponse:
    said = notices.alone(request.signed_in.grant, draft, answer_of(request))
    return JsonResponse({"next": reverse("news_update", args=[said.notice, said.number])})


# -- the second operator


@operator_required
@require_safe
def asked(request: OperatorRequest, ask: str) -> HttpResponse:
    return _asked(request, ask)


def _asked(request: OperatorRequest, ask: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = next((one for one in door.asks(request.signed_in.grant).all if one.ask == ask), None)
    if found is None:
        raise NoSuchNotice
    one = NoticeDraft.objects.filter(asked=ask).first()
    text = None if one is None else notices.text_of(one)
    seen = (
        {**powers.frame(request), "way": "notices"}
        if one is None or text is None
        else _seen(request, one, text)
    )
    # What is shown is agreed to only where it has the very hash that was asked for.
    fits = text is not None and notice_text.digest(text.canonical()) == found.hash
    context = {
        **seen,
        "one": found,
        "state": notice_words.ASKED[found.state],
        "asked": powers.utc(found.asked),
        "expires": powers.utc(found.expires),
        "decided": powers.utc(found.decided),
        "fits": fits,
        "agreeing": found.state == "asked" and not found.own and fits,
        "refused": refused,
        "passkey": "confirm",
        "begin": reverse("notice_agree_begin", args=[ask]),
        "finish": reverse("notice_agree_finish", args=[ask]),
        "label": _("Agree to this text with your passkey"),
    }
    return render(request, "web/operations/notice_ask.html", context, status=status)


@operator_required
@require_POST
def agree_begin(request: OperatorRequest, ask: str) -> JsonResponse:
    options = door.agree_begin(request.signed_in.grant, ask)
    notices.take_up_later(notices.waiting(ask).notice, clock.now())
    return JsonResponse({"options": options})


@operator_required
@require_POST
def agree_finish(request: OperatorRequest, ask: str) -> JsonResponse:
    said = notices.agree(request.signed_in.grant, ask, answer_of(request))
    return JsonResponse({"next": reverse("news_update", args=[said.notice, said.number])})


@operator_required
@require_POST
def end(request: OperatorRequest, ask: str) -> HttpResponse:
    """Take one's own asking back, or say no to another's; the draft can be written again."""
    try:
        door.end(request.signed_in.grant, ask)
    except NoSuchNotice:
        raise
    except NorenError as refusal:
        return _asked(request, ask, refused=refusal.words(), status=refusal.status)
    one = NoticeDraft.objects.filter(asked=ask).first()
    if one is None:
        return HttpResponseRedirect(reverse("notices"))
    notices.thaw(one.id, ask)
    return HttpResponseRedirect(reverse("notice_draft", args=[one.id]))


def _number(given: object) -> int:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


def _instant(text: str) -> datetime | None:
    """A date and a time by the clock of Japan."""
    if times.day_of(text[:10]) is None:
        return None
    try:
        return datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=notice_words.ZONE)
    except ValueError:
        return None
