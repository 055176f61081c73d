"""Reports of an incident: one for each principal and form, its items to copy, to write over, and to file."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, NorenError, NoSuchIncident, NothingHere
from noren.incidents import book, duties, reports
from noren.incidents.book import Kind
from noren.incidents.reports import NO_SHOP, Report
from noren.people import incidents
from noren.shops.models import ShopDirectory
from noren.web import powers, report_pdf, report_words, shop_pack, wording
from noren.web.incidents import LONGEST, ZONES, end_of, given_of, instant_of, left_of, span_of, why

VERDICT: Final[Mapping[str, str | Promise]] = {
    "holds": pgettext_lazy("encryption", "It releases from the duty."),
    "not": pgettext_lazy("encryption", "It does not release from the duty."),
}


@operator_required
@require_safe
def page(request: OperatorRequest, incident: str) -> HttpResponse:
    """All reports by principal: what is owed by when, what was filed."""
    work = book.workspace(incidents.read(request.signed_in.grant, incident).records)
    now, slugs = clock.now(), dict(ShopDirectory.objects.values_list("id", "slug"))
    found = reports.all_of(work, now)
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "principals": [
            {
                "name": slugs.get(shop_id, shop_id) if shop_id else _("The platform"),
                "id": shop_id,
                "persons": reports.persons_of(work, shop_id),
                "told": not shop_id or reports.told_at(work, shop_id) is not None,
                "reports": [_line(one, now) for one in found if one.shop_id == shop_id],
            }
            for shop_id in (NO_SHOP, *reports.shops_of(work))
        ],
    }
    return render(request, "web/operations/reports.html", context)


@sensitive_post_parameters()
@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: OperatorRequest, incident: str, law: str, principal: int) -> HttpResponse:
    """One report: its items, each to be copied, written over, and the whole filed."""
    work, report = _found(request, incident, law, principal)
    refused, status = "", 200
    if request.method == "POST":
        try:
            _deed(request, incident, work, report)
        except NoSuchIncident:
            raise
        except NorenError as refusal:
            refused, status = why(refusal), refusal.status
        else:
            return HttpResponseRedirect(reverse("incident_report", args=[incident, law, principal]))
    known = report_words.known(work, incident, principal, _language())
    decision = report_words.decided(work)
    context = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "work": work,
        "line": _line(report, clock.now()),
        "report": report,
        "authority": wording.of(report.binding.authority),
        "principal": known.slugs.get(principal, principal) if principal else _("The platform"),
        "items": [
            {
                "key": each.item.key,
                "label": wording.of(each.item.says),
                "own": each.own,
                "text": each.own or report_words.fill(known, each.item.fill),
                "before": each.written[:-1],
                "by": each.written[-1].record.by if each.written else "",
            }
            for each in report.items
        ],
        "unknown": report_words.unknown(),
        "keyside": report_words.keyside(known.scope),
        "verdicts": VERDICT.items(),
        "decision": decision,
        "told": law == duties.TOLD,
        "zones": ZONES,
        "longest": LONGEST,
        "given": request.POST,
        "refused": refused,
    }
    return render(request, "web/operations/report.html", context, status=status)


@operator_required
@require_safe
def pdf(request: OperatorRequest, incident: str, law: str, principal: int) -> HttpResponse:
    """The report on paper, in the page's language."""
    told = _told(request, incident, law, principal)
    reply = HttpResponse(report_pdf.pdf(told, clock.now()), content_type="application/pdf")
    reply["Content-Disposition"] = f'attachment; filename="{law}-{principal}.pdf"'
    return reply


@operator_required
@require_safe
def as_json(request: OperatorRequest, incident: str, law: str, principal: int) -> HttpResponse:
    """The report for a program."""
    told = _told(request, incident, law, principal)
    reply = HttpResponse(json.dumps(told, indent=1, ensure_ascii=False), content_type="application/json")
    reply["Content-Disposition"] = f'attachment; filename="{law}-{principal}.json"'
    return reply


def _language() -> str:
    return (translation.get_language() or "ja")[:2]


def _found(request: OperatorRequest, incident: str, law: str, shop_id: int) -> tuple[book.Workspace, Report]:
    work = book.workspace(incidents.read(request.signed_in.grant, incident).records)
    there = not shop_id or ShopDirectory.objects.filter(id=shop_id).exists()
    report = reports.of(work, law, shop_id, clock.now()) if there and law in duties.FORMS else None
    if report is None:
        raise NothingHere
    return work, report


def _told(request: OperatorRequest, incident: str, law: str, shop_id: int) -> dict[str, Any]:
    work, report = _found(request, incident, law, shop_id)
    known = report_words.known(work, incident, shop_id, _language())
    return shop_pack.in_json(report, known, _language(), clock.now())


def _line(report: Report, now: datetime) -> dict[str, Any]:
    """A report for a list: each of its steps with what is left, or who filed it."""
    return {
        "key": report.key,
        "name": wording.of(report.binding.name),
        "authority": wording.of(report.binding.authority),
        "steps": [_step(report, step, now) for step in report.steps],
    }


def _step(report: Report, step: reports.Step, now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {"key": step.key, "says": wording.of(step.says), "filed": step.filed}
    if step.due is not None:
        end = end_of(step.due.by, report.binding.zone)
        found |= {"until": span_of(step.due), "left": left_of(end, now), "late": end <= now}
    return found


def _deed(request: OperatorRequest, incident: str, work: book.Workspace, report: Report) -> None:
    """An item written over, a report filed, or what encryption is worth decided. Raises BadField."""
    given, place = request.POST, {"form": report.key, "shop": report.shop_id}
    match given.get("deed"):
        case "item":
            key = given.get("item", "")
            if key not in {one.item.key for one in report.items}:
                raise BadField(field="of", reason="unknown")
            kind, words = Kind.ITEM, book.say(Kind.ITEM, **place, item=key, **given_of(given, "text"))
        case "filed" if report.key != duties.TOLD:
            step, at = given.get("step", ""), instant_of(given, "at")
            if step not in {one.key for one in report.steps}:
                raise BadField(field="of", reason="unknown")
            known = report_words.known(work, incident, report.shop_id, _language())
            sha256 = reports.digest(shop_pack.in_json(report, known, _language(), clock.now()))
            more = given_of(given, "receipt", "how")
            kind = Kind.FILED
            words = book.say(kind, **place, step=step, at=at, sha256=sha256, language=_language(), **more)
        case "decide" if given.get("verdict") in VERDICT:
            verdict = given["verdict"]
            kind = Kind.DECISION
            text = _("Encryption: %(verdict)s") % {"verdict": VERDICT[verdict]}
            more = given_of(given, "because")
            words = book.say(kind, text=text, about=report_words.ENCRYPTION, verdict=verdict, **more)
        case _:
            raise BadField(field="of", reason="unknown")
    incidents.add(request.signed_in.grant, incident, kind, words)
