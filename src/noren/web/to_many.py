"""A message to many in the console: which bookings, the words as they arrive, a count, how far it is.

What is typed is kept as a draft before it is tried or counted; nothing goes before the count was agreed to.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import StaffRequest
from noren.booking import work
from noren.booking.models import WorkState
from noren.errors import NoSuchPerson, WordsChanged
from noren.messages import sample, tasks, to_many, wording
from noren.messages.models import State, ToMany
from noren.messages.notice import Kind
from noren.messages.to_many import PARTS, Reach
from noren.messages.wording import LANGUAGES, Fault
from noren.people import correspondence
from noren.shops.tenancy import shop as in_shop
from noren.web import mail_words, times, to_many_picks, works
from noren.web.desk import Unclear, open_face_of
from noren.web.mail_words import Box, words_changer
from noren.web.shopfront import Face

_MINUTE: Final = 60
_ROWS: Final = 7


@dataclass(frozen=True, slots=True)
class Asking:
    """What is agreed to before it goes: to how many, of whom no mail reaches so many."""

    reach: Reach
    unreached: int
    version: int
    changed: bool = False
    """Whether it was agreed to once, and is another by now."""

    @property
    def persons(self) -> int:
        """To how many it goes, or who are called."""
        return len(self.reach.persons)


@words_changer
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List what was written; POST begins another, about the bookings that are picked."""
    face, now = open_face_of(request), clock.now()
    if request.method != "POST":
        return _list(request, face, request.GET)
    try:
        pick = to_many_picks.read(request.POST, face, now)
    except Unclear as fault:
        return _list(request, face, request.POST, wrong=str(fault), status=fault.status)
    number = to_many.draft(face.id, pick, now=now, by=request.signed_in.by)
    return HttpResponseRedirect(reverse("console_many_one", args=[number]))


def _list(
    request: StaffRequest, face: Face, given: QueryDict, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    known = to_many_picks.choices(face)
    context = {
        "shop": face,
        "way": "messages",
        "tab": "many",
        "wrong": wrong,
        "pick": to_many_picks.form(face, to_many_picks.typed(given)),
        "rows": [
            {
                "id": row.id,
                "words": to_many_picks.words(face, row, known),
                "subject": next((said["subject"] or said["opening"] for said in row.words.values()), ""),
                "at": row.made_at.astimezone(face.zone),
                "by": row.made_by.removeprefix("staff:"),
                "work": done,
                "state": _("draft") if done is None else works.STATES[done.state],
            }
            for row, done in to_many.all_of(face.id)
        ],
    }
    return render(request, "web/console/many.html", context, status=status)


@words_changer
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, many_id: int) -> HttpResponse:
    """One of them: a draft is written, tried, counted and sent here; then it says how far it is."""
    face, row = open_face_of(request), to_many.one(request.shop_id, many_id)
    if request.method != "POST":
        return _page(request, face, row, row.words)
    here, deed = reverse("console_many_one", args=[row.id]), request.POST.get("deed", "")
    match deed:
        case "stop":
            to_many.stop(face.id, row.id)
        case "resume":
            to_many.resume(face.id, row.id)
        case "drop":
            to_many.drop(face.id, row.id)
            return HttpResponseRedirect(reverse("console_many"))
        case "pick":
            return _picked(request, face, row, here)
        case "send":
            return _sent(request, face, row, here)
        case _written:
            return _typed(request, face, row, here)
    return HttpResponseRedirect(here)


def _picked(request: StaffRequest, face: Face, row: ToMany, here: str) -> HttpResponse:
    try:
        pick = to_many_picks.read(request.POST, face, clock.now())
    except Unclear as fault:
        said = to_many_picks.typed(request.POST)
        return _page(request, face, row, row.words, status=fault.status, unclear=str(fault), picked=said)
    to_many.pick_anew(face.id, row.id, pick)
    return HttpResponseRedirect(here)


def _sent(request: StaffRequest, face: Face, row: ToMany, here: str) -> HttpResponse:
    """Begin, if as many were agreed to as it would go to; else ask once more."""
    seen, persons = times.number(request.POST.get("seen")), times.number(request.POST.get("persons"))
    now, by = clock.now(), request.signed_in.by
    agreed = {"seen": -1 if seen is None else seen, "persons": persons or 0}
    if to_many.send(face.id, row.id, **agreed, now=now, by=by):
        return HttpResponseRedirect(here)
    row = to_many.one(face.id, row.id)
    asking = replace(_asking(request, face, row), changed=True)
    return _page(request, face, row, row.words, status=409, asking=asking)


def _typed(request: StaffRequest, face: Face, row: ToMany, here: str) -> HttpResponse:
    """Show what is typed as it arrives; keep it, and send it to who asks, or count to whom it would go."""
    deed, given = request.POST.get("deed", ""), _given(request.POST)
    trial = deed.removeprefix("try-")
    if deed not in ("keep", "ask") and trial not in LANGUAGES:
        return _page(request, face, row, given)
    if any(to_many.faults(given).values()):
        return _page(request, face, row, given, status=422)
    seen = times.number(request.POST.get("seen"))
    try:
        to_many.keep(face.id, row.id, given, seen=-1 if seen is None else seen)
    except WordsChanged as refusal:
        row = to_many.one(face.id, row.id)
        return _page(request, face, row, given, status=refusal.status, refused=refusal.words())
    row = to_many.one(face.id, row.id)
    if deed == "ask":
        if not to_many.says_something(row):
            return _page(request, face, row, row.words, status=422, unsaid=True)
        return _page(request, face, row, row.words, asking=_asking(request, face, row))
    if deed == "keep":
        return HttpResponseRedirect(f"{here}?kept")
    with in_shop(face.id):
        minute = int(clock.now().timestamp()) // _MINUTE
        tasks.try_out_many.defer(
            shop_id=face.id, handle=request.signed_in.handle, many_id=row.id, language=trial, minute=minute
        )
    return HttpResponseRedirect(f"{here}?tried")


def _given(posted: QueryDict) -> dict[str, dict[str, str]]:
    """Read the boxes; a field that was tapped without a script comes at the end of its box."""
    given = {lang: {part: posted.get(f"{part}_{lang}", "") for part in PARTS} for lang in LANGUAGES}
    box, _colon, name = posted.get("insert", "").partition(":")
    part, _line, lang = box.partition("_")
    if lang in LANGUAGES and part in PARTS and name in wording.fields(Kind.MANY, part):
        given[lang][part] += f"{{{name}}}"
    return given


def _asking(request: StaffRequest, face: Face, row: ToMany) -> Asking:
    """Count to whom it would go, and ask the vault whom of them no mail reaches."""
    reach = to_many.reach(face.id, row, now=clock.now())
    try:
        without = correspondence.unreached(request.signed_in.grant, reach.persons) if reach.persons else set()
    except NoSuchPerson:
        without = set(reach.persons)
    return Asking(reach, len(without), row.version)


def _page(
    request: StaffRequest,
    face: Face,
    row: ToMany,
    given: dict[str, dict[str, str]],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    is_draft = row.work_id is None
    context = {
        "shop": face,
        "way": "messages",
        "tab": "many",
        "many": row,
        "words": to_many_picks.words(face, row, to_many_picks.choices(face)),
        "pick": to_many_picks.form(face, more.pop("picked", None) or to_many_picks.of(face, row)),
        "kept": "kept" in request.GET,
        "tried": "tried" in request.GET,
        **(_draft(face, row, given) if is_draft else _progress(face, row)),
        **more,
    }
    name = "many_draft" if is_draft else "many_sent"
    return render(request, f"web/console/{name}.html", context, status=status)


def _draft(face: Face, row: ToMany, given: dict[str, dict[str, str]]) -> dict[str, Any]:
    found, reach = to_many.faults(given), to_many.reach(face.id, row, now=clock.now())
    return {
        "reach": reach,
        "persons": len(reach.persons),
        "written": [
            {
                "lang": code,
                "name": name,
                "readers": reach.languages.get(code, 0),
                "boxes": _boxes(code, given.get(code, {}), found.get(code, [])),
            }
            for code, name in mail_words.languages()
        ],
        "theirs": row.words,
        "wrong": [mail_words.said(each) for some in found.values() for each in some],
        "previews": _previews(face, to_many.plain(given), clock.now()),
    }


def _boxes(lang: str, said: dict[str, str], found: list[Fault]) -> list[Box]:
    subject, opening = (mail_words.box(Kind.MANY, lang, part, said.get(part, ""), found) for part in PARTS)
    text: dict[str, Any] = {"label": _("What you tell them"), "house": "", "rows": _ROWS, "needed": True}
    return [replace(subject, name=f"subject_{lang}"), replace(opening, name=f"opening_{lang}", **text)]


def _previews(
    face: Face, said: dict[str, dict[str, str]], now: datetime
) -> list[tuple[str, str, tuple[str, str]]]:
    """Show what is written as it arrives, by language: of nobody's booking."""
    with in_shop(face.id):
        return [
            (code, name, sample.shown(sample.notice(Kind.MANY, code, now=now), wording.of_many(said, code)))
            for code, name in mail_words.languages()
            if code in said
        ]


def _progress(face: Face, row: ToMany) -> dict[str, Any]:
    sending = work.one(face.id, row.work_id or 0)
    told = to_many.sent(face.id, row)
    wrong = {state: told.states.get(state, 0) for state in (State.FAILED, State.UNKNOWN)}
    facts = [
        (pgettext("how many mails", "Sent"), told.states.get(State.SENT, 0)),
        (_("Not sent: to be called, or tried again"), wrong[State.FAILED]),
        (_("May have arrived; not sent again by itself"), wrong[State.UNKNOWN]),
        (_("No longer true of her: not sent"), told.over),
    ]
    return {
        "work": sending,
        "by": sending.by.removeprefix("staff:"),
        "at": sending.made_at.astimezone(face.zone),
        "state": works.STATES[sending.state],
        "facts": [(label, number) for label, number in facts if number],
        "wrong": sum(wrong.values()),
        "calls": wrong[State.FAILED],
        "runs": sending.state == WorkState.RUNNING,
        "stopped": sending.state == WorkState.STOPPED,
        "previews": _previews(face, row.words, clock.now()),
    }
