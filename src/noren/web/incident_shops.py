"""The shops of an incident: whose customers it was, whether they were told, and each one's pack."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, NorenError, NoSuchIncident, NothingHere
from noren.incidents import book, duties, handed, handing, reports, scope
from noren.incidents.book import Kind
from noren.people import incidents
from noren.shops.models import ShopDirectory
from noren.web import powers, report_words, shop_pack, wording
from noren.web.incident_scope import reading
from noren.web.incidents import LONGEST, ZONES, end_of, given_of, instant_of, left_of, span_of, why


@operator_required
@require_safe
def page(request: OperatorRequest, incident: str) -> HttpResponse:
    """Each shop with how many of its customers, and whether it was told."""
    work = book.workspace(incidents.read(request.signed_in.grant, incident).records)
    slugs, now = dict(ShopDirectory.objects.values_list("id", "slug")), clock.now()
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "asked": reports.newest(work),
        "shops": [
            {
                "id": shop_id,
                "slug": slugs.get(shop_id, shop_id),
                "persons": reports.persons_of(work, shop_id),
                **_told(work, shop_id, now),
                "handed": reports.handed_to(work, shop_id),
            }
            for shop_id in reports.shops_of(work)
        ],
    }
    return render(request, "web/operations/told_shops.html", context)


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: OperatorRequest, incident: str, principal: int) -> HttpResponse:
    """A shop's pack as a page; told, and the pack as a file, by a tap."""
    grant, refused, status = request.signed_in.grant, "", 200
    work = book.workspace(incidents.read(grant, incident).records)
    if not ShopDirectory.objects.filter(id=principal).exists():
        raise NothingHere
    if request.method == "POST":
        try:
            if request.POST.get("deed") == "pack":
                return _pack(request, work, incident, principal)
            deed = _hand if request.POST.get("deed") == "hand" else _tell
            deed(request, work, incident, principal)
        except NoSuchIncident:
            raise
        except NorenError as refusal:
            refused, status = why(refusal), refusal.status
        else:
            return HttpResponseRedirect(reverse("incident_shop", args=[incident, principal]))
    now = clock.now()
    known = report_words.known(work, incident, principal, translation.get_language() or "ja")
    told = reports.told_at(work, principal)
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "shop_id": principal,
        "slug": known.slugs.get(principal, principal),
        "asked": known.scope,
        "there": known.there,
        "number": report_words.fill(known, "number") if known.there else "",
        "fields": report_words.fill(known, "fields"),
        "told": told,
        "tellings": [line for line in work.told if line.said.get("shop") == principal],
        "terms": shop_pack.terms(work, principal, now),
        "notice": shop_pack.notice(known),
        "unsaid": shop_pack.unsaid(),
        "mail": shop_pack.mail(known),
        "handed": reports.handed_to(work, principal),
        "happened": request.POST.get("text") or _happened(work, principal) or known.section("happened"),
        "longest": LONGEST,
        "zones": ZONES,
        "given": request.POST,
        "refused": refused,
        **_told(work, principal, now),
    }
    return render(request, "web/operations/shop_pack.html", context, status=status)


def _told(work: book.Workspace, shop_id: int, now: datetime) -> dict[str, Any]:
    """Whether it was told, and until when it has to be."""
    report = reports.of(work, duties.TOLD, shop_id, now)
    due = next((step.due for step in report.steps if step.due), None) if report else None
    line = reports.told_at(work, shop_id)
    found: dict[str, Any] = {"told_at": line and line.said.get("at"), "due": "", "late": False}
    if due is not None and report is not None:
        end = end_of(due.by, report.binding.zone)
        found |= {"due": span_of(due), "left": left_of(end, now), "late": end <= now}
    return found


def _tell(request: OperatorRequest, _work: book.Workspace, incident: str, shop_id: int) -> None:
    """Put on record that the shop was told."""
    given = given_of(request.POST, "how", "receipt")
    at = instant_of(request.POST, "at")
    if not at:
        raise BadField(field="at", reason="empty")
    words = book.say(Kind.TOLD, shop=shop_id, at=at, **given)
    incidents.add(request.signed_in.grant, incident, Kind.TOLD, words)


def _happened(work: book.Workspace, shop_id: int) -> str:
    """What the shop was told last of what happened."""
    found = reports.handed_to(work, shop_id)
    sections = found[0].said["sections"] if found else {}
    return str(wording.of({language: said.get("happened", "") for language, said in sections.items()}))


def _hand(request: OperatorRequest, work: book.Workspace, incident: str, shop_id: int) -> None:
    """Hand the pack over into the shop's console: what happened in her words, or as it was published."""
    now, text, sections = clock.now(), given_of(request.POST, "text")["text"], {}
    for language in shop_pack.LANGUAGES:
        known = report_words.known(work, incident, shop_id, language)
        with translation.override(language):
            said = {name: known.section(name) for name in handed.TOLD} | {
                "cause": report_words.fill(known, "cause")
            }
        sections[language] = {name: words for name, words in said.items() if words}
        if text:
            sections[language]["happened"] = text
    words = handed.words(work, shop_id, sections, at=now, how=_("In its console"))
    handing.hand(request.signed_in.grant, incident, shop_id, words, handed.question(work), now=now)


def _pack(request: OperatorRequest, work: book.Workspace, incident: str, shop_id: int) -> HttpResponse:
    """Ask once more, of this shop alone, as of when the incident asked."""
    found = reports.newest(work)
    if found is None:
        raise BadField(field="named", reason="empty")
    grant, read = reading(request), found[1]
    question = replace(read.question, shop_id=shop_id, size=read.size)
    answer = scope.ask(question, grant=grant)
    known = {one: report_words.known(work, incident, shop_id, one) for one in shop_pack.LANGUAGES}
    made = shop_pack.zipped(known, question, answer, grant=grant, now=clock.now())
    reply = HttpResponse(made, content_type="application/zip")
    reply["Content-Disposition"] = f'attachment; filename="shop-{shop_id}.zip"'
    return reply
