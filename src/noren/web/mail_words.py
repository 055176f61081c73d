"""The shop's own words in its mails: shown as they arrive while they are typed, kept as versions, tried out.

What a mail must say (to whom, what, when, the link, the shop) stands around them and is no part of them.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import NothingHere, WordsChanged
from noren.messages import easy, sample, tasks, words
from noren.messages import wording as own_words
from noren.messages.models import Wording
from noren.messages.notice import Kind
from noren.messages.wording import LANGUAGES, LONGEST, PARTS, Fault, Own, Wrong
from noren.shops.tenancy import shop as in_shop
from noren.web import times, wording
from noren.web.desk import open_face_of
from noren.web.shopfront import Face

KINDS: Final[dict[Kind, str | Promise]] = {
    Kind.BOOKED: gettext_lazy("Confirmation"),
    Kind.REMINDER: gettext_lazy("Reminder"),
    Kind.MOVED: pgettext_lazy("a mail", "Another time, as she asked"),
    Kind.CANCELLED: gettext_lazy("Notice of cancellation"),
    Kind.ASKED: gettext_lazy("Notice that the request has come"),
    Kind.DECLINED: gettext_lazy("Notice that it was declined"),
    Kind.RELEASED: gettext_lazy("Notice that the time was given free"),
    Kind.RESCHEDULED: pgettext_lazy("a mail", "Another time, moved by the shop"),
    Kind.REASSIGNED: pgettext_lazy("a mail", "Somebody else serves"),
    Kind.CHOOSE: gettext_lazy("Request to choose another time"),
    Kind.DELAYED: gettext_lazy("Notice of a delay"),
    Kind.CALLED_OFF: pgettext_lazy("a mail", "A class does not take place"),
    Kind.JOINED: gettext_lazy("Waiting list: on the list"),
    Kind.OFFERED: gettext_lazy("Waiting list: an offer"),
    Kind.LINK: gettext_lazy("A new link"),
    Kind.THANKS: gettext_lazy("Thanks after a visit"),
    Kind.ZONE: pgettext_lazy("a mail", "The law has changed the clock"),
}
"""Those that have words of their own; a message to many is written each time."""
LABELS: Final[dict[str, str | Promise]] = {
    "subject": gettext_lazy("Subject"),
    "opening": gettext_lazy("Opening"),
    "closing": gettext_lazy("Closing words"),
}
_ROWS: Final = {"opening": 5, "closing": 4}
# How many of the earlier wordings are listed.
_EARLIER: Final = 5
_MINUTE: Final = 60
words_changer = permission_required(Permission.HOURS_CHANGE)


@dataclass(frozen=True, slots=True)
class Box:
    """One part of a mail's words, as a box of the form."""

    name: str
    label: str | Promise
    value: str
    house: str
    """What stands in the mail while the box is empty."""
    fields: tuple[tuple[str, str], ...]
    """What may stand in braces, and what that is in words."""
    rows: int
    most: int
    faults: tuple[str, ...] = ()
    needed: bool = False
    """Whether a mail says nothing without it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which words are looked at, and those that hold now."""

    face: Face
    kind: Kind
    lang: str
    holds: Own


def field_words() -> dict[str, str]:
    """Say what each field is filled with."""
    return {
        "name": pgettext("a field of a mail", "customer's name"),
        "shop": pgettext("a field of a mail", "name of the shop"),
        "day": pgettext("a field of a mail", "day"),
        "when": pgettext("a field of a mail", "day and times"),
        "service": pgettext("a field of a mail", "service"),
        "staff": pgettext("a field of a mail", "who serves"),
        "party": pgettext("a field of a mail", "how many people"),
        "price": pgettext("a field of a mail", "price"),
        "phone": pgettext("a field of a mail", "the shop's phone"),
        "minutes": pgettext("a field of a mail", "minutes of delay"),
        "until": pgettext("a field of a mail", "until when it is kept"),
        "was": pgettext("a field of a mail", "the time before"),
    }


def said(fault: Fault) -> str:
    """Say what is wrong, and how to mend it."""
    match fault.why:
        case Wrong.FIELD:
            told = _("%(said)s is no field here. Please tap one of the fields below the box.")
        case Wrong.WIDE:
            told = _("%(said)s has braces that are no field's. Please tap the field below the box.")
        case Wrong.BRACE:
            told = _("There is a %(said)s alone. Braces are for fields only.")
        case Wrong.CONTROL:
            told = _("This holds characters that nobody sees. Please type it again, without copying.")
        case Wrong.LINE:
            told = _("A subject is one line.")
        case Wrong.LONG:
            told = _("This is too long: at most %(said)s characters.")
    return told % {"said": fault.said}


@words_changer
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """List the kinds of mails, and which of them are said in the shop's own words."""
    face = open_face_of(request)
    with in_shop(face.id):
        found = own_words.all_of()
    context = {
        "shop": face,
        "way": "messages",
        "tab": "words",
        "rows": [
            {
                "kind": kind,
                "label": label,
                "own": [(code, name, _own(found.get((kind, code)))) for code, name in languages()],
            }
            for kind, label in KINDS.items()
        ],
    }
    return render(request, "web/console/mail_words.html", context)


def languages() -> list[tuple[str, str]]:
    """Give those in which a shop writes, each by its own name."""
    return [(code, str(name)) for code, name in settings.LANGUAGES if code in LANGUAGES]


def _own(row: Wording | None) -> bool:
    return row is not None and bool(row.subject or row.opening or row.closing)


@words_changer
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, mail: str) -> HttpResponse:
    """The words of one kind in one language. POST shows them as they would arrive, keeps them, tries them."""
    if mail not in KINDS:
        raise NothingHere
    face, kind, lang = open_face_of(request), Kind(mail), _language(request)
    with in_shop(face.id):
        asked = Asked(face, kind, lang, own_words.of(kind, lang))
    if request.method != "POST":
        return _page(request, asked, _begun(request, asked))
    deed, given = request.POST.get("deed", ""), {part: request.POST.get(part, "") for part in PARTS}
    here = f"{reverse('console_mail_words', args=[kind])}?in={lang}"
    match deed:
        case "keep" | "house":
            wanted = given if deed == "keep" else dict.fromkeys(PARTS, "")
            return _kept(request, asked, wanted, here)
        case "try":
            _try_out(request, kind, lang)
            return HttpResponseRedirect(f"{here}&tried#try")
    if "insert" in request.POST:
        given = _inserted(kind, given, request.POST["insert"])
    return _page(request, asked, given)


def _language(request: StaffRequest) -> str:
    given = request.POST if request.method == "POST" else request.GET
    asked = given.get("in", "") or wording.spoken_language()
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _begun(request: StaffRequest, asked: Asked) -> dict[str, str]:
    """Fill the boxes with what holds now, or with an earlier version that was asked for."""
    holds = {part: getattr(asked.holds, part) for part in PARTS}
    version = times.number(request.GET.get("version"))
    with in_shop(request.shop_id):
        row = _versions(asked).filter(version=version or 0).first()
    return holds if row is None else {part: getattr(row, part) for part in PARTS}


def _versions(asked: Asked) -> QuerySet[Wording]:
    return Wording.objects.filter(kind=asked.kind, language=asked.lang)


def _kept(request: StaffRequest, asked: Asked, wanted: dict[str, str], here: str) -> HttpResponse:
    wrong = own_words.faults(asked.kind, wanted)
    if wrong:
        return _page(request, asked, wanted, status=422)
    seen, by = times.number(request.POST.get("seen")), request.signed_in.by
    shop_id, kind, lang = asked.face.id, asked.kind, asked.lang
    try:
        own_words.keep(shop_id, kind, lang, wanted, seen=-1 if seen is None else seen, now=clock.now(), by=by)
    except WordsChanged as refusal:
        with in_shop(shop_id):
            theirs = own_words.of(kind, lang)
        asked = replace(asked, holds=theirs)
        return _page(request, asked, wanted, status=refusal.status, refused=refusal.words(), theirs=theirs)
    return HttpResponseRedirect(f"{here}&kept")


def _try_out(request: StaffRequest, kind: Kind, lang: str) -> None:
    """Send what holds now to who asks: at most one of a kind in a minute."""
    with in_shop(request.shop_id):
        tasks.try_out.defer(
            shop_id=request.shop_id,
            handle=request.signed_in.handle,
            kind=str(kind),
            language=lang,
            minute=int(clock.now().timestamp()) // _MINUTE,
        )


def _inserted(kind: Kind, given: dict[str, str], wished: str) -> dict[str, str]:
    """Put a field at the end of a box, where no script puts it where one writes."""
    part, _colon, name = wished.partition(":")
    if part not in PARTS or name not in own_words.fields(kind, part):
        return given
    return {**given, part: f"{given[part]}{{{name}}}"}


def _page(
    request: StaffRequest, asked: Asked, given: dict[str, str], *, status: int = 200, **more: Any
) -> HttpResponse:
    face, kind, lang, holds = asked.face, asked.kind, asked.lang, asked.holds
    now, found = clock.now(), own_words.faults(kind, given)
    with in_shop(face.id):
        told = sample.notice(kind, lang, now=now)
        spoken = sample.notice(kind, easy.CODE, now=now)
        earlier = list(_versions(asked).order_by("-version")[: _EARLIER + 1])
    subject, opening, closing = (own_words.plain(part, given[part]) for part in PARTS)
    context = {
        "shop": face,
        "way": "messages",
        "tab": "words",
        "kind": kind,
        "label": KINDS[kind],
        "lang": lang,
        "languages": languages(),
        "boxes": [box(kind, lang, part, given[part], found) for part in PARTS],
        "seen": holds.version,
        "is_house": holds.is_house,
        "stays": kind in own_words.KEEPS_HOUSE,
        "preview": sample.shown(told, Own(subject, opening, closing)),
        "in_easy": sample.shown(spoken) if lang == "ja" else None,
        "wrong": [said(each) for each in found],
        "kept": "kept" in request.GET,
        "tried": "tried" in request.GET,
        "earlier": [
            {
                "version": row.version,
                "at": row.at.astimezone(face.zone),
                "by": row.by.removeprefix("staff:"),
                "own": _own(row),
            }
            for row in earlier
            if row.version != holds.version
        ][:_EARLIER],
        **more,
    }
    return render(request, "web/console/mail_words_one.html", context, status=status)


def box(kind: Kind, lang: str, part: str, value: str, found: list[Fault]) -> Box:
    """Give a part's box with what is in it, and what is wrong there."""
    house = {"subject": words.SUBJECTS[lang][kind], "opening": words.OPENINGS[lang][kind], "closing": ""}
    called = field_words()
    return Box(
        name=part,
        label=LABELS[part],
        value=value,
        house=house[part],
        fields=tuple((f"{{{each}}}", called[each]) for each in own_words.fields(kind, part)),
        rows=_ROWS.get(part, 1),
        most=LONGEST[part],
        faults=tuple(said(each) for each in found if each.part == part),
    )
