"""Incidents: the list, the workspace of one, and what is written into its book. Nothing is ever taken out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, NorenError, NoSuchIncident
from noren.incidents import book, duties, reports
from noren.incidents.book import Kind, Workspace
from noren.people import incidents, signs
from noren.people import powers as lent_powers
from noren.people.signs import File
from noren.web import containment, evidence_lines, incident_steps, incident_words, powers, wording
from noren.web.incident_words import KIND, SEVERITY, STANDING, STATE, WEIGHT

LONGEST: Final = 5_000
# The first is the platform's own clock, as in its notices; a script chooses the reader's.
ZONES: Final = (
    "Asia/Tokyo",
    "UTC",
    "Asia/Singapore",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
)


@dataclass(frozen=True, slots=True)
class Term:
    """A report that is owed, with the days that are left; `late` once they are over."""

    law: str
    words: str
    until: str
    left: str
    late: bool
    items: tuple[str, ...]
    filed: bool
    at: datetime | None
    """Its last moment, where it has one to the minute."""


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest) -> HttpResponse:
    """Those that she is a member of, and the form that opens one."""
    refused, status = "", 200
    if request.method == "POST":
        given = given_of(request.POST, "title", "text")
        try:
            words = book.say(Kind.OPENED, **given)
            incident = incidents.open_one(request.signed_in.grant, words)
        except NorenError as refusal:
            refused, status = why(refusal), refusal.status
        else:
            return HttpResponseRedirect(reverse("incident", args=[incident]))
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incidents": [
            (one, book.title_of(one.words), powers.utc(one.opened))
            for one in incidents.all_of(request.signed_in.grant)
        ],
        "refused": refused,
        "longest": LONGEST,
        "longest_title": book.LONGEST_TITLE,
        "given": request.POST,
    }
    return render(request, "web/operations/incidents.html", context, status=status)


@operator_required
@require_safe
def one(request: OperatorRequest, incident: str) -> HttpResponse:
    return workspace(request, incident)


@sensitive_post_parameters()
@operator_required
@require_POST
def add(request: OperatorRequest, incident: str) -> HttpResponse:
    """Add a record; the form comes back with what is missing."""
    try:
        kind = Kind(request.POST.get("kind", ""))
        words = book.say(kind, **_SAID[kind](request.POST))
        incidents.add(request.signed_in.grant, incident, kind, words)
    except (ValueError, KeyError):
        return workspace(request, incident, refused=_("Please choose what it is."), status=422)
    except NoSuchIncident:
        raise
    except NorenError as refusal:
        return workspace(request, incident, refused=why(refusal), status=refusal.status)
    return HttpResponseRedirect(reverse("incident", args=[incident]))


@operator_required
@require_POST
def member(request: OperatorRequest, incident: str) -> HttpResponse:
    """Let an operator in or out, or bar whoever it may be about."""
    handle, standing = request.POST.get("handle", "").strip()[:60], request.POST.get("standing", "")
    if not handle or standing not in STANDING:
        return workspace(request, incident, refused=_("Please say whom, and what she may."), status=422)
    try:
        incidents.change_member(request.signed_in.grant, incident, handle, standing)
    except NoSuchIncident:
        raise
    except NorenError as refusal:
        return workspace(request, incident, refused=refusal.words(), status=refusal.status)
    if request.POST.get("handle") == request.signed_in.handle:
        return HttpResponseRedirect(reverse("incidents"))
    return HttpResponseRedirect(reverse("incident", args=[incident]))


def again(request: OperatorRequest, incident: str, refusal: NorenError) -> HttpResponse:
    """Show it again, with what was wrong."""
    return workspace(request, incident, refused=why(refusal), status=refusal.status)


def workspace(
    request: OperatorRequest, incident: str, *, refused: str = "", status: int = 200
) -> HttpResponse:
    """One incident's page, with what was refused."""
    grant, now = request.signed_in.grant, clock.now()
    told, lending = incidents.read(grant, incident), lent_powers.powers(grant)
    beside, file = _beside(request, incident)
    found = book.workspace(told.records)
    facts, more = containment.of_suspects(grant, incident, found.suspects, now)
    lines = [*map(line_of, found.lines), *facts]
    context = {
        **powers.frame(request, lending),
        **containment.context(grant, incident, found, lending, now),
        "way": "incidents",
        "incident": incident,
        "work": found,
        "members": [(handle, STANDING[standing]) for handle, standing in told.members.items()],
        "standings": STANDING.items(),
        "severities": SEVERITY.items(),
        "states": STATE.items(),
        "weights": WEIGHT.items(),
        "severity": SEVERITY[found.severity],
        "state": STATE[found.state],
        "lines": sorted([*lines, *beside], key=lambda each: each["place"], reverse=True),
        "beside": file,
        "files": signs.files_of(grant, incident),
        "more": more,
        "sessions": containment.sessions(facts),
        "hypotheses": [(each, WEIGHT.get(each.state, each.state)) for each in found.hypotheses],
        "tasks": found.tasks,
        "terms": terms_of(found, now),
        "steps": incident_steps.of(found, incident, now),
        "known": found.known and powers.utc(found.known.known.astimezone(UTC)),
        "kinds": _kinds(now),
        "zones": ZONES,
        "longest": LONGEST,
        "refused": refused,
        "given": request.POST,
    }
    return render(request, "web/operations/workspace.html", context, status=status)


def _beside(request: OperatorRequest, incident: str) -> tuple[list[dict[str, Any]], File | None]:
    """Lines of a file, on our clock, to stand on the same timeline; those that were asked for."""
    file = request.GET.get("file", "")[:40]
    if not file:
        return [], None
    shown = evidence_lines.asked(request, incident, file)
    return [
        {
            "place": (line.at, line.number),
            "when": line.at,
            "utc": evidence_lines.clock_words(line),
            "file": shown.file,
            "number": line.number,
            "text": line.text,
        }
        for line in shown.found.lines
        if line.at is not None
    ], shown.file


def line_of(line: book.Line) -> dict[str, Any]:
    """One record for the timeline."""
    told = line.record
    return {
        "place": (line.when, told.number),
        "taken": line.said.get("file", "") if line.kind == Kind.EVIDENCE else "",
        "line": line,
        "number": told.number,
        "kind": KIND.get(told.kind, told.kind),
        "by": told.by,
        "when": line.when,
        "utc": powers.utc(line.when.astimezone(UTC)),
        "written": powers.utc(told.at) if line.told_later else "",
        "text": incident_words.said(line),
        "because": line.said.get("because", ""),
        "wrote": line.said.get("wrote", "") if line.said.get("outside") else "",
        "of": line.said.get("of"),
        "before": json.dumps(line.said.get("before"), indent=1) if "before" in line.said else "",
        "raw": "" if line.said else told.words,
        "corrections": [(book.said_in(each), powers.utc(each.at), each.by) for each in line.corrections],
    }


def terms_of(found: Workspace, now: datetime) -> list[Term]:
    """What the law makes due, the next first."""
    if found.known is None:
        return []
    terms: list[tuple[datetime, Term]] = []
    for key in found.laws:
        try:
            binding = duties.law(key, found.known.known)
        except duties.NotInForce:
            continue
        made = reports.of(found, key, reports.NO_SHOP, now)
        filed = {step.key for step in made.steps if step.filed} if made else set()
        for due in duties.owed(binding, found.known):
            end = end_of(due.by, binding.zone)
            term = Term(
                wording.of(binding.name),
                wording.of(due.says),
                span_of(due),
                left_of(end, now),
                end <= now,
                tuple(wording.of(item.says) for item in binding.items),
                due.key in filed,
                due.by if isinstance(due.by, datetime) else None,
            )
            terms.append((end, term))
    return [term for _, term in sorted(terms, key=lambda pair: pair[0])]


def end_of(by: date | datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a term is over."""
    if isinstance(by, datetime):
        return by
    return datetime.combine(by + timedelta(days=1), datetime.min.time(), zone)


def span_of(due: duties.Due, zone: ZoneInfo | None = None) -> str:
    """A term's last moment (in UTC without a zone), or its last day, after the one it is waited for from."""
    if isinstance(due.by, datetime) and zone is not None:
        by = due.by.astimezone(zone)
        return f"{wording.full_day(by)} {wording.clock(by)}"
    if isinstance(due.by, datetime):
        return powers.utc(due.by.astimezone(UTC))
    opens = f"{wording.full_day(due.opens)} – " if due.opens else ""
    return opens + wording.full_day(due.by)


def left_of(end: datetime, now: datetime) -> str:
    """How long a term still has."""
    hours = int((end - now).total_seconds()) // 3600
    if hours < 0:
        return _("over")
    if hours < 72:
        return ngettext("%(n)d hour left", "%(n)d hours left", hours) % {"n": hours}
    days = hours // 24
    return ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}


def _kinds(now: datetime) -> list[tuple[str, str]]:
    """The kinds of leak of which somebody must say whether they are so."""
    kinds = duties.law("jp-appi", now).kinds
    return [(kind.key, wording.of(kind.says)) for kind in kinds if kind.least == 1]


# -- reading a form


def given_of(given: QueryDict, *names: str) -> dict[str, str]:
    """Fields of a form, as long as a record may have them."""
    return {name: given.get(name, "").strip()[:LONGEST] for name in names}


def _of(given: QueryDict) -> int | None:
    text = given.get("of", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None


def instant_of(given: QueryDict, name: str) -> str:
    """An instant as the form gives it, a clock's time and whose clock it was; empty where none is given."""
    text, zone = given.get(name, "").strip(), given.get("zone", "UTC")
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadField(field=name, reason="time") from None
    if zone not in ZONES:
        raise BadField(field="zone", reason="unknown")
    told = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).isoformat()
    if book.instant(told) is None:
        raise BadField(field=name, reason="time")
    return told


def _known(given: QueryDict) -> dict[str, Any]:
    text = given.get("persons", "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise BadField(field="persons", reason="number")
    return {
        "at": instant_of(given, "at"),
        "persons": int(text) if text else None,
        "kinds": given.getlist("kinds")[:10],
        "laws": [law for law in duties.LAWS if law in given.getlist("laws")] or list(duties.LAWS),
    }


def _suspect(given: QueryDict) -> dict[str, Any]:
    named, since = given_of(given, "path", "name"), instant_of(given, "since")
    until = instant_of(given, "until")
    if since and until and datetime.fromisoformat(until) <= datetime.fromisoformat(since):
        raise BadField(field="until", reason="order")
    return {**named, "since": since, "until": until}


def _evidence(given: QueryDict) -> dict[str, Any]:
    digest = given.get("sha256", "").strip().lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise BadField(field="sha256", reason="digest")
    return {**given_of(given, "name", "text"), "sha256": digest}


_SAID: Final[Mapping[Kind, Callable[[QueryDict], dict[str, Any]]]] = {
    Kind.FACT: lambda given: {**given_of(given, "text"), "when": instant_of(given, "when")},
    Kind.NOTE: lambda given: given_of(given, "text"),
    Kind.SEVERITY: lambda given: given_of(given, "level"),
    Kind.STATE: lambda given: given_of(given, "state"),
    Kind.COMMANDER: lambda given: given_of(given, "handle"),
    Kind.KNOWN: _known,
    Kind.HYPOTHESIS: lambda given: given_of(given, "text"),
    Kind.WEIGHED: lambda given: {**given_of(given, "weight", "text"), "of": _of(given)},
    Kind.TASK: lambda given: given_of(given, "text", "who"),
    Kind.DONE: lambda given: {**given_of(given, "text"), "of": _of(given)},
    Kind.DECISION: lambda given: given_of(given, "text", "because"),
    Kind.EVIDENCE: _evidence,
    Kind.CORRECTION: lambda given: {**given_of(given, "text"), "of": _of(given)},
    Kind.SUSPECT: _suspect,
}
_FIELD: Final[Mapping[str, str | Promise]] = {
    "title": gettext_lazy("a title"),
    "text": gettext_lazy("what there is to say"),
    "because": gettext_lazy("why"),
    "of": gettext_lazy("of which record"),
    "at": gettext_lazy("since when it is known"),
    "when": gettext_lazy("when it happened"),
    "persons": gettext_lazy("how many people, as a number"),
    "sha256": gettext_lazy("the file's SHA-256: 64 hexadecimal digits"),
    "name": gettext_lazy("the file's name"),
    "skew": gettext_lazy("by how many whole seconds its clock is off"),
    "handle": gettext_lazy("whom"),
    "how": gettext_lazy("how"),
    "shop": gettext_lazy("which shop"),
    "since": gettext_lazy("from when on"),
    "until": gettext_lazy("until when; it comes after the beginning"),
    "path": gettext_lazy("what it is"),
    "named": gettext_lazy("a name that the record can have"),
}


def why(refusal: NorenError) -> str:
    """What a form lacks, or the refusal's own words."""
    if not isinstance(refusal, BadField):
        return refusal.words()
    names = [str(_FIELD.get(name, name)) for name in refusal.reasons]
    return _("Please say %(what)s.") % {"what": ", ".join(names)}
