"""Operators' pages about telling people: who is in the scope, how it reads, agreeing, and how it goes."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import (
    NorenError,
    NoSuchIncident,
    NoSuchPerson,
    NoSuchTelling,
    NothingHere,
    ShopUnknown,
    TellingOver,
)
from noren.incidents import book, notices, reports
from noren.incidents.scope import BadMoment, Question, moment
from noren.incidents.telling import LETTERS, rows
from noren.incidents.telling import begin as begin_telling
from noren.incidents.telling_words import HOLES, HOUSE, LONGEST, fit
from noren.people import incidents
from noren.people import tellings as door
from noren.people.tellings import Telling, Told
from noren.shops import directory
from noren.shops.models import ShopDirectory
from noren.web import powers, scope_words
from noren.web.budget import answer_of
from noren.web.scope_words import WAYS

_VALUE: Final = 400
# Whose mails are offered to look at.
_SAMPLES: Final = 12
STATES: Final[Mapping[str, str | Promise]] = {
    "made": pgettext_lazy("telling", "Nothing is sent: it waits for another operator"),
    "lapsed": pgettext_lazy("telling", "Over: nobody agreed within a day"),
    "withdrawn": pgettext_lazy("telling", "Withdrawn"),
    "agreed": pgettext_lazy("telling", "Is being sent"),
}
BY: Final[Mapping[str, str | Promise]] = {
    "waiting": pgettext_lazy("told", "To be told by mail"),
    "told": pgettext_lazy("told", "Told by mail"),
    "unknown": pgettext_lazy("told", "Unknown, not sent again"),
    "bounced": pgettext_lazy("told", "The mail came back"),
    "failed": pgettext_lazy("told", "Could not be sent"),
    "no_mail": pgettext_lazy("told", "Has no mail address"),
    "joined": pgettext_lazy("told", "Told under the record it was joined to"),
    "erased": pgettext_lazy("told", "Cannot be told: erased"),
    "canary": pgettext_lazy("told", "Nobody: a canary"),
}
KINDS: Final[Mapping[str, str | Promise]] = {
    "customer": pgettext_lazy("told", "Customers"),
    "member": pgettext_lazy("told", "People with accounts at work"),
}
LANGUAGES: Final[Mapping[str, str | Promise]] = {
    "ja": gettext_lazy("Japanese"),
    "easy": gettext_lazy("Easy Japanese"),
    "en": gettext_lazy("English"),
    "": gettext_lazy("Not known: both languages"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """The words of one kind in one language, as the form has them."""

    name: str
    kind: str
    language: str
    subject: str
    text: str
    wrong: bool


# -- beginning


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest, incident: str) -> HttpResponse:
    """Those of an incident, and the form that finds who is to be told. Nothing is sent by it."""
    if request.method != "POST":
        return _page(request, incident)
    words = _words(request.POST)
    if not all(fit(one) for languages in words.values() for one in languages.values()):
        refused = _("These words cannot be: look at those that are marked.")
        return _page(request, incident, refused=refused, status=422)
    try:
        question = _question(request.POST)
        name = request.POST.get("notice", "")[:40]
        made = begin_telling(request.signed_in.grant, incident, question, name, words=words)
    except (BadMoment, ShopUnknown):
        refused = _("Please say from when to when, which way, and of a shop its address.")
        return _page(request, incident, refused=refused, status=422)
    except NoSuchIncident:
        raise
    except NorenError as refusal:
        return _page(request, incident, refused=refusal.words(), status=refusal.status)
    except RuntimeError:  # the vault's own word on what was asked
        refused = _("There is no such thing to ask about. Please look for a slip.")
        return _page(request, incident, refused=refused, status=422)
    return HttpResponseRedirect(reverse("telling", args=[made.telling]))


def _page(request: OperatorRequest, incident: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = door.all_of(request.signed_in.grant, incident)
    words = _words(request.POST) if request.method == "POST" else HOUSE
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "tellings": [(one, _state(one), powers.utc(one.made)) for one in found],
        "notices": sorted(notices.published(), reverse=True),
        "ways": WAYS.items(),
        "boxes": list(_boxes(words)),
        "holes": " ".join(f"{{{one}}}" for one in HOLES),
        "longest": LONGEST,
        "refused": refused,
        "given": request.POST or _as_asked(request.signed_in.grant, incident),
    }
    return render(request, "web/operations/tellings.html", context, status=status)


def _as_asked(grant: str, incident: str) -> dict[str, str]:
    """The form as the incident asked last whose data it is: those are told who stand in that answer. Empty
    where it has not asked yet, or of several kinds of way at once.
    """
    found = reports.newest(book.workspace(incidents.read(grant, incident).records))
    if found is None or len(named := found[1].question.named) > 1 or found[1].question.persons:
        return {}
    question = found[1].question
    slug = (
        ShopDirectory.objects.filter(id=question.shop_id or reports.NO_SHOP)
        .values_list("slug", flat=True)
        .first()
    )
    kind, values = next(iter(named.items()), ("all", ()))
    return {
        "path": kind,
        "value": " ".join(values),
        "since": question.since.isoformat(),
        "until": question.until.isoformat(),
        "shop": slug or "",
        "asked": "" if found[1].unbounded else str(found[1].persons),
    }


def _boxes(words: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Iterator[Box]:
    for kind, languages in words.items():
        for language, one in languages.items():
            name = f"{kind}-{language}"
            label, spoken = str(KINDS[kind]), str(LANGUAGES[language])
            yield Box(name, label, spoken, one["subject"], one["text"], not fit(one))


def _words(given: QueryDict) -> dict[str, dict[str, dict[str, str]]]:
    """The form's words; what it does not hold is said as the house says it."""
    return {
        kind: {
            language: {
                name: given.get(f"{kind}-{language}-{name}", usual).replace("\r\n", "\n")
                for name, usual in one.items()
            }
            for language, one in languages.items()
        }
        for kind, languages in HOUSE.items()
    }


def _question(given: QueryDict) -> Question:
    """Raises BadMoment, ShopUnknown."""
    kind, value = given.get("path", ""), given.get("value", "").strip()[:_VALUE]
    now = clock.now()
    since, until = (_moment(given.get(name, ""), now) for name in ("since", "until"))
    if kind not in WAYS or (kind != "all" and not value) or since >= until:
        raise BadMoment
    slug = given.get("shop", "").strip()
    shop_id = directory.shop_id(slug) if slug else None
    named = {} if kind == "all" else {kind: tuple(value.split()) if kind != "device" else (value,)}
    return Question(since, until, named, shop_id)


def _moment(text: str, now: Any) -> Any:
    return moment(text.strip()[:60] or "0s", now=now)


# -- one


@operator_required
@require_safe
def one(request: OperatorRequest, telling: str) -> HttpResponse:
    return _one(request, telling)


def _one(request: OperatorRequest, telling: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = door.show(request.signed_in.grant, telling)
    samples = _samples(request, found) if found.state == "made" else []
    agreeing = found.state == "made" and not found.own
    context = {
        **_shown(request, found),
        "samples": [
            (each, KINDS[each.kind], LANGUAGES[each.language], scope_words.fields(each.fields))
            for each in samples
        ],
        "texts": [
            (KINDS[kind], LANGUAGES[language], said["subject"], said["text"])
            for kind in KINDS
            for language, said in sorted(found.words[kind].items(), reverse=True)
        ],
        "agreeing": agreeing,
        "refused": refused,
        "passkey": "confirm",
        "begin": reverse("telling_begin", args=[telling, "agreed"]),
        "finish": reverse("telling_finish", args=[telling, "agreed"]),
        "label": _("Agree with your passkey: it goes out"),
    }
    return render(request, "web/operations/telling.html", context, status=status)


def _shown(request: OperatorRequest, found: Telling) -> dict[str, Any]:
    """What every page of one shows of it."""
    done = found.number("told", "unknown", "bounced", "failed")
    return {
        **powers.frame(request),
        "way": "incidents",
        "one": found,
        "state": _state(found),
        "made": powers.utc(found.made),
        "decided": powers.utc(found.decided),
        "counts": [(words, found.by[name]) for name, words in BY.items() if name in found.by],
        "instead": sum(found.instead.values()),
        "kinds": [(words, found.kinds[name]) for name, words in KINDS.items() if name in found.kinds],
        "languages": [
            (words, found.languages[name]) for name, words in LANGUAGES.items() if name in found.languages
        ],
        "done": done,
        "mails": done + found.number("waiting"),
        "letters": found.number(*LETTERS),
        "sending": found.state == "agreed" and bool(found.number("waiting")) and not found.stopped,
    }


def _samples(request: OperatorRequest, found: Telling) -> list[Told]:
    """Some of those to be told: of each kind and language, and of each set of fields, one."""
    chosen: dict[tuple[str, ...], Told] = {}
    for told in door.people(request.signed_in.grant, found.telling):
        if told.state == "waiting":
            chosen.setdefault((told.kind, told.language, *told.fields), told)
        if len(chosen) >= _SAMPLES:
            break
    return list(chosen.values())


def _state(found: Telling) -> str:
    if found.state == "agreed":
        if found.stopped:
            return _("The mails are stopped")
        if not found.number("waiting"):
            return _("Everybody who can be told by mail has been told")
    return str(STATES[found.state])


@operator_required
@require_POST
def deed(request: OperatorRequest, telling: str) -> HttpResponse:
    """Withdraw it, hold its mails, let them go on."""
    acts = {"withdraw": door.withdraw, "stop": door.stop, "resume": door.resume}
    act = acts.get(request.POST.get("deed", ""))
    if act is None:
        raise NothingHere
    try:
        act(request.signed_in.grant, telling)
    except (NoSuchTelling, NoSuchIncident):
        raise
    except NorenError as refusal:
        return _one(request, telling, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("telling", args=[telling]))


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: OperatorRequest, telling: str, person: UUID) -> HttpResponse:
    """One person's mail, without a name and without a code; by POST mailed to who looks."""
    tried = ""
    if request.method == "POST":
        try:
            tried = door.try_out(request.signed_in.grant, telling, person)
        except NoSuchPerson:
            # Herself: the first operator may have no address. Who is not in it is not there below.
            tried = "no_address"
    subject, text = door.preview(request.signed_in.grant, telling, person)
    context = {
        **powers.frame(request),
        "way": "incidents",
        "telling": telling,
        "person": person,
        "subject": subject,
        "text": text,
        "tried": tried,
    }
    return render(request, "web/operations/telling_preview.html", context)


# -- letting it go out


@operator_required
@require_safe
def alone(request: OperatorRequest, telling: str) -> HttpResponse:
    """Show once more what is about to happen without a second operator. Nothing has happened yet."""
    found = door.show(request.signed_in.grant, telling)
    if found.state != "made":
        raise TellingOver
    context = {
        **_shown(request, found),
        "passkey": "confirm",
        "begin": reverse("telling_begin", args=[telling, "alone"]),
        "finish": reverse("telling_finish", args=[telling, "alone"]),
        "label": _("Send alone with your passkey"),
    }
    return render(request, "web/operations/telling_alone.html", context)


@operator_required
@require_POST
def begin(request: OperatorRequest, telling: str, way: str) -> JsonResponse:
    return JsonResponse({"options": door.begin(request.signed_in.grant, telling, alone=_alone(way))})


@operator_required
@require_POST
def finish(request: OperatorRequest, telling: str, way: str) -> JsonResponse:
    door.agree(request.signed_in.grant, telling, answer_of(request), alone=_alone(way))
    return JsonResponse({"next": reverse("telling", args=[telling])})


def _alone(way: str) -> bool:
    if way not in ("alone", "agreed"):
        raise NothingHere
    return way == "alone"


# -- evidence


class _Line:
    """What a csv writer writes a line to."""

    def write(self, text: str) -> str:
        return text


@operator_required
@require_safe
def evidence(request: OperatorRequest, telling: str) -> StreamingHttpResponse:
    """Who was told what, when, by which channel, with what result: opaque ids, as a file. On record."""
    door.show(request.signed_in.grant, telling)
    lines = rows(request.signed_in.grant, telling)
    writer = csv.writer(_Line())
    response = StreamingHttpResponse(
        (writer.writerow(row) for row in lines), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="telling-{telling}.csv"'
    return response
