"""What a shop was handed of an incident: what happened, whose data, drafts, its terms; that it has read it.

Its customers are shown by name on a tap, by the right and the budget of who looks, as anywhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, manager_required
from noren.errors import NoSuchIncident
from noren.incidents import handed, reports
from noren.incidents.handed import Told
from noren.people import packs
from noren.people.model import Exposure, ExposureState
from noren.people.packs import Pack
from noren.web import lookups, names, report_words, shop_pack, wording
from noren.web.desk import face_of
from noren.web.report_words import Known, Published
from noren.web.shopfront import Face

SHOWN: Final = 50
FIELDS: Final = ("name", "kana")
# By which kinds of way, as the question names them; never by whose.
_WAYS: Final[dict[str, str | Promise]] = {
    "actor": gettext_lazy("By somebody's sign-in."),
    "credential": gettext_lazy("By something that somebody signs in with."),
    "session": gettext_lazy("By somebody's sign-in."),
    "process": gettext_lazy("By a program of the platform."),
    "address": gettext_lazy("From a place on the network."),
    "device": gettext_lazy("From a device."),
    "export": gettext_lazy("In a list that was taken out."),
    "store": gettext_lazy("In stored data that were taken."),
    "backup": gettext_lazy("In a backup that was taken."),
    "key": gettext_lazy("In what a key opens that was taken."),
    "door": gettext_lazy("By a door between the parts of the system."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One customer: her name as far as it was told, which data, from when to when in words."""

    person: UUID
    name: str
    fields: str
    when: str
    surely: bool


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest, pack: str) -> HttpResponse:
    """The pack; a tap (POST) shows the names of the customers on this page of them."""
    face, now = face_of(request), clock.now()
    told = handed.read(found(request, pack))
    known = known_of(told, face)
    shown = Paginator(packs.persons(request.signed_in.grant, pack), SHOWN).get_page(request.GET.get("page"))
    some = list(shown)
    seen = _names(request, some) if request.method == "POST" else names.Names()
    context = {
        "shop": face,
        "way": "safety",
        "pack": told.pack,
        "title": known.section("title"),
        "handed": told.pack.handed.astimezone(face.zone),
        "read": told.pack.read and told.pack.read.astimezone(face.zone),
        "happened": known.section("happened"),
        "ways": _ways(known),
        "since": known.scope and known.scope.question.since.astimezone(face.zone),
        "until": known.scope and known.scope.question.until.astimezone(face.zone),
        "number": reports.persons_of(told.work, face.id),
        "fields": report_words.fill(known, "fields"),
        "lines": [_line(one, seen, face) for one in some],
        "names": seen,
        "may_names": Permission.CUSTOMERS_SEE in request.signed_in.permissions,
        "shown": shown,
        "terms": [
            (term, wording.of(term.report.binding.authority))
            for term in shop_pack.terms(told.work, face.id, now, face.zone)
        ],
        "notice": shop_pack.notice(known),
        "unsaid": shop_pack.unsaid(),
        "mail": shop_pack.mail(known),
        "may_lists": request.signed_in.may["lists_export"],
    }
    return render(request, "web/console/handed.html", context, status=seen.answer_to(request))


@manager_required
@require_safe
def listed(request: StaffRequest, pack: str) -> HttpResponse:
    """Its customers by number, as a file: no name is in it."""
    found(request, pack)
    made = shop_pack.people_csv(packs.persons(request.signed_in.grant, pack))
    answer = HttpResponse(made, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="people-{pack[:16]}.csv"'
    return answer


@manager_required
@require_POST
def confirm(request: StaffRequest, pack: str) -> HttpResponse:
    """Say that this very pack was read: the operators see it in the incident."""
    text = request.POST.get("number", "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    packs.confirm(request.signed_in.grant, pack, number)
    return HttpResponseRedirect(reverse("console_pack", args=[pack]))


def found(request: StaffRequest, pack: str) -> Pack:
    """Return what the shop was handed last of an incident. Raises NoSuchIncident."""
    for each in packs.all_of(request.signed_in.grant):
        if each.incident == pack:
            return each
    raise NoSuchIncident


def known_of(told: Told, face: Face) -> Known:
    """What a pack tells, as a report is filled from it, in the active language."""
    language = "en" if (get_language() or "").startswith("en") else "ja"
    published = (Published(told.pack.handed, "", told.sections.get(language, {})),)
    scope = reports.newest(told.work)
    return Known(told.work, face.id, scope and scope[1], published, {face.id: face.name})


def title_of(told: Told, face: Face) -> str:
    """What a list calls it."""
    return known_of(told, face).section("title") or _("An incident that touches your customers' data")


def _ways(known: Known) -> list[str]:
    named = known.scope.question.named if known.scope else {}
    return list(dict.fromkeys(str(_WAYS[kind]) for kind in named if kind in _WAYS))


def _names(request: StaffRequest, some: Sequence[Exposure]) -> names.Names:
    persons = [one.person for one in some]
    return names.ask(request.signed_in.grant, people.Purpose.CUSTOMER, persons, FIELDS)


def _line(one: Exposure, seen: names.Names, face: Face) -> Line:
    words = lookups.field_words()
    return Line(
        one.person,
        seen.of(one.person),
        wording.joined([words.get(name, name) for name in one.fields]),
        _span(one.first.astimezone(face.zone), one.last.astimezone(face.zone)),
        one.state is ExposureState.EXPOSED,
    )


def _span(first: datetime, last: datetime) -> str:
    """From when to when, to the minute, saying nothing twice."""
    begin, clock_then = wording.day(first), wording.clock(last)
    end = clock_then if last.date() == first.date() else f"{wording.day(last)} {clock_then}"
    whole = f"{begin} {wording.clock(first)}"
    return whole if end == wording.clock(first) else f"{whole} – {end}"


def context_of(request: StaffRequest, face: Face) -> list[dict[str, Any]]:
    """The packs for a list, the newest first."""
    return [
        {
            "pack": each,
            "title": title_of(handed.read(each), face),
            "handed": each.handed.astimezone(face.zone),
        }
        for each in packs.all_of(request.signed_in.grant)
    ]
