"""Whose data, asked within an incident: question and numbers go into the book, the answer is had again.

Asking needs the power to read the ledger's entries; what came of it the incident's members read.
"""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from tempfile import TemporaryFile
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import OperatorRequest, lent_to, operator_required
from noren.errors import BadField, NorenError, NoSuchIncident, NothingHere
from noren.incidents import asked, book, bundle, comparing, scope
from noren.incidents.asked import Asked
from noren.incidents.book import Kind
from noren.incidents.reports import NO_SHOP
from noren.incidents.scope import Question
from noren.people import incidents
from noren.shops import directory
from noren.shops.models import ShopDirectory
from noren.web import lookups, powers, report_words, scope_words
from noren.web.incidents import ZONES, instant_of, why

# Backups, keys and doors are named at the command line: `noren scope --incident`.
WAYS: Final = (*scope.PATHS, "store")
SHOWN: Final = 200


@sensitive_post_parameters()
@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest, incident: str) -> HttpResponse:
    """The questions that were put, and the form for another."""
    refused, status = "", 200
    if request.method == "POST":
        try:
            number = _put(request, incident, _question(request.POST))
        except NoSuchIncident:
            raise
        except NorenError as refusal:
            refused, status = why(refusal), refusal.status
        else:
            return HttpResponseRedirect(reverse("incident_asked", args=[incident, number]))
    work = book.workspace(incidents.read(request.signed_in.grant, incident).records)
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "asked": [(line, read, powers.utc(line.record.at)) for line, read in _read(work)],
        "ways": [(each, scope_words.WAYS[each]) for each in WAYS],
        "stores": [scope_words.store(each) for each in scope.STORES],
        "zones": ZONES,
        "given": request.POST,
        "refused": refused,
    }
    return render(request, "web/operations/scope.html", context, status=status)


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: OperatorRequest, incident: str, record: int) -> HttpResponse:
    """One question: its numbers, and by a tap its persons, its proof, a comparison, or the same anew."""
    work = book.workspace(incidents.read(request.signed_in.grant, incident).records)
    found = next(((line, read) for line, read in _read(work) if line.record.number == record), None)
    if found is None:
        raise NothingHere
    line, read = found
    more: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            done = _deed(request, incident, work, read)
        except (NoSuchIncident, NothingHere):
            raise
        except NorenError as refusal:
            more, status = {"refused": why(refusal)}, refusal.status
        else:
            if isinstance(done, HttpResponse):
                return done
            more = done
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "line": line,
        "asked": read,
        "at": powers.utc(line.record.at),
        "since": powers.utc(read.question.since.astimezone(UTC)),
        "until": powers.utc(read.question.until.astimezone(UTC)),
        "shops": _shops(read),
        "stores": [
            (scope_words.store(name), scope_words.FORM.get(form, form), held)
            for name, form, held in read.stores
        ],
        "keyside": scope_words.keyside(read.keyside),
        "verdict": report_words.verdict(read),
        "others": [(each.record.number, other) for each, other in _read(work) if each is not line],
        **more,
    }
    return render(request, "web/operations/asked.html", context, status=status)


def _deed(
    request: OperatorRequest, incident: str, work: book.Workspace, read: Asked
) -> HttpResponse | dict[str, Any]:
    """Do what the form asks: somewhere else to go, or more for the page. Raises BadField, PowerNeeded."""
    match request.POST.get("deed"):
        case "again":
            number = _put(request, incident, read.question)
            return HttpResponseRedirect(reverse("incident_asked", args=[incident, number]))
        case "proof":
            return _proof(request, read)
        case "compare":
            return _compared(request, work, read)
        case "persons":
            return _persons(request, read)
        case _:
            raise BadField(field="named", reason="unknown")


def reading(request: OperatorRequest) -> str:
    """Give her grant under the power to read the ledger's entries. Raises PowerNeeded."""
    return lent_to(request.signed_in, "read_ledger_entries")[1]


def _read(work: book.Workspace) -> list[tuple[book.Line, Asked]]:
    return [(line, read) for line in work.scopes if (read := asked.read(line.said)) is not None]


def _put(request: OperatorRequest, incident: str, question: Question) -> int:
    """Ask as of now, and write down what came of it."""
    asking = reading(request)
    question = scope.of_whole_persons(question, asking)
    found = scope.ask(question, grant=asking, untouched=True)
    return incidents.add(
        request.signed_in.grant, incident, Kind.SCOPE, book.say(Kind.SCOPE, **asked.said(question, found))
    )


def _again(request: OperatorRequest, read: Asked) -> tuple[Question, Any]:
    """Have an answer again, as of when it was given."""
    question = replace(read.question, size=read.size)
    return question, scope.ask(question, grant=reading(request))


def _persons(request: OperatorRequest, read: Asked) -> dict[str, Any]:
    _question, found = _again(request, read)
    slugs = {NO_SHOP: _("the platform's own"), **dict(ShopDirectory.objects.values_list("id", "slug"))}
    return {
        "persons": [
            (
                one,
                slugs.get(one.shop_id, one.shop_id),
                scope_words.fields(one.fields),
                scope_words.STATE[one.state],
            )
            for one in found.exposed_people[:SHOWN]
        ],
        "left": max(0, len(found.exposed_people) - SHOWN),
        "same": bundle.digest(found) == read.sha256,
        # Not `shown`: those are the powers that every page of operations knows of.
        "listed": True,
    }


def _compared(request: OperatorRequest, work: book.Workspace, read: Asked) -> dict[str, Any]:
    number = request.POST.get("with", "")
    other = next((each for line, each in _read(work) if str(line.record.number) == number), None)
    if other is None:
        raise NothingHere
    then, now = sorted((other, read), key=lambda one: one.size)
    (_question, before), (_other, after) = _again(request, then), _again(request, now)
    found = comparing.compare(before, after)
    return {
        "compared": found,
        "with": number,
        "came": [(one, scope_words.fields(one.fields)) for one in found.came[:SHOWN]],
        "went": [(one, scope_words.fields(one.fields)) for one in found.went[:SHOWN]],
        "changed": [(one, scope_words.changed(one)) for one in found.changed[:SHOWN]],
        "most": SHOWN,
        "same": (bundle.digest(before), bundle.digest(after)) == (then.sha256, now.sha256),
    }


def _proof(request: OperatorRequest, read: Asked) -> HttpResponse:
    question, found = _again(request, read)
    with TemporaryFile() as file:
        bundle.pack(file, question, found, complete=True, grant=reading(request))
        file.seek(0)
        answer = HttpResponse(file.read(), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="scope-{read.size}.zip"'
    return answer


def _shops(read: Asked) -> list[dict[str, Any]]:
    slugs, words = dict(ShopDirectory.objects.values_list("id", "slug")), lookups.field_words()
    return [
        {
            "name": slugs.get(one.shop_id) or (_("the platform's own") if not one.shop_id else one.shop_id),
            "told": one,
            "possibly": one.persons - one.exposed,
            "fields": [
                (words.get(name, name), one.fields.get(name, 0), one.untouched_fields.get(name, 0))
                for name in (*words, *sorted(there - words.keys()))
                if name in there
            ],
        }
        for one in read.shops
        for there in [{*one.fields, *one.untouched_fields}]
    ]


def _question(given: QueryDict) -> Question:
    """Read the form. Raises BadField, ShopUnknown."""
    way, name = given.get("way", ""), given.get("named", "").strip()[:160]
    if way and (way not in WAYS or not name or not _can_be(way, name)):
        raise BadField(field="named", reason="unknown")
    slug = given.get("shop", "").strip()[:60]
    since, until = _moment(given, "since"), _moment(given, "until")
    if since >= until:
        raise BadField(field="until", reason="time")
    return Question(
        since,
        until,
        {way: (name,)} if way else {},
        directory.shop_id(slug) if slug else None,
    )


def _can_be(way: str, name: str) -> bool:
    if way == "store":
        return name in scope.STORES
    if way == "address":
        try:
            ip_network(name, strict=False)
        except ValueError:
            return False
    return True


def _moment(given: QueryDict, name: str) -> datetime:
    text = instant_of(given, name)
    if not text:
        if name == "until":
            return clock.now()
        raise BadField(field=name, reason="empty")
    return datetime.fromisoformat(text)
