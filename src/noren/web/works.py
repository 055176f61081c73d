"""Long work: what runs and what ran, how far it is; stopped, gone on with, undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes, work
from noren.booking.models import LineState, Work, WorkLine, WorkState
from noren.errors import NothingHere, VaultUnavailable
from noren.messages import to_many
from noren.web import lists, shopfront
from noren.web.desk import face_of
from noren.web.looked import WHY
from noren.web.shopfront import Face

MOST_LINES: Final = 200
KINDS: Final[Mapping[str, str | Promise]] = {
    work.IN: gettext_lazy("Bookings that come in"),
    work.UNDO: gettext_lazy("Bookings that came in are undone"),
    work.PERSONS: gettext_lazy("Customers who come in"),
    to_many.WORK: gettext_lazy("Message to many"),
    changes.CHANGE: gettext_lazy("Bookings that follow a change"),
    "customers_undo": gettext_lazy("Customers who came in are undone"),
    "list_out": gettext_lazy("A list that leaves"),
    "list_in": gettext_lazy("A list that comes in"),
}
STATES: Final[Mapping[str, str | Promise]] = {
    WorkState.RUNNING: gettext_lazy("runs"),
    WorkState.STOPPED: gettext_lazy("stopped"),
    WorkState.DONE: gettext_lazy("done"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One of them on the page: `by` is a handle. No `href`: its page is not for who looks. `first`: the
    customers of a list of bookings come in first, and it is they who are counted.
    """

    href: str
    what: str | Promise
    by: str
    at: datetime
    state: str | Promise
    done: int
    total: int
    odd: int
    runs: bool
    first: bool = False


@permission_required(*lists.LISTS)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """All of them, the newest first; also the lists of which the vault says how far they are."""
    face = face_of(request)
    works = work.all_of(face.id, now=clock.now())
    settles = request.signed_in.may["bookings_settle"]
    rows = [row_of(each, face, settles=settles) for each in works]
    # What comes in step by step stands there already.
    ours = {each.transfer for each in works if each.kind in (work.IN, work.PERSONS)}
    away = False
    try:
        moved = [each for each in people.transfers(request.signed_in.grant) if each.runs]
        rows += [_moved(each, face) for each in moved if each.transfer not in ours]
    except VaultUnavailable:
        away = True
    rows.sort(key=lambda row: row.at, reverse=True)
    context = {
        "shop": face,
        "way": "lists",
        "rows": rows,
        "runs": any(row.runs for row in rows),
        "away": away,
    }
    return render(request, "web/console/work.html", context)


def row_of(one: Work, face: Face, *, settles: bool = False) -> Row:
    """Say how far it is. `settles`: who looks decides on bookings, and so sees those that follow a change."""
    change = one.kind == changes.CHANGE
    name = "console_change" if change else "console_work_one"
    first = work.customers_first(one)
    done, total = work.customers(one) if first else (one.done, one.total)
    return Row(
        reverse(name, args=[one.id]) if settles or not change else "",
        KINDS.get(one.kind, one.kind),
        one.by.removeprefix("staff:"),
        one.made_at.astimezone(face.zone),
        STATES[one.state],
        done,
        total,
        one.odd,
        one.state == WorkState.RUNNING,
        first,
    )


def _moved(one: people.Transfer, face: Face) -> Row:
    runs = one.state == "ready" and one.told < one.persons
    return Row(
        reverse("console_list", args=[one.transfer]),
        KINDS["list_out" if one.kind == "export" else "list_in"],
        one.handle,
        one.asked.astimezone(face.zone),
        lists.state_of(one),
        one.told,
        one.persons,
        0,
        runs,
    )


@permission_required(*lists.LISTS)
@require_safe
def one(request: StaffRequest, work_id: int) -> HttpResponse:
    """One of them: how far it is, and what did not fit."""
    face = face_of(request)
    found = _of_a_list(face.id, work_id)
    brings, stepped = found.kind == work.IN, found.kind in (work.IN, work.PERSONS)
    undone = "over" in found.facts or work.is_undone(face.id, found.id)
    counts = work.counts(face.id, found.id) if brings else {}
    odd = work.odd_lines(face.id, found.id, MOST_LINES) if brings else []
    comes = found.kind == work.PERSONS or work.customers_first(found)
    context: dict[str, Any] = {
        "shop": face,
        "way": "lists",
        "work": found,
        "row": row_of(found, face),
        "brings": brings,
        "facts": _facts(found, counts),
        "lines": _lines(face, odd),
        "more": max(0, counts.get(LineState.ODD, 0) + counts.get(LineState.KEPT, 0) - len(odd)),
        "stops": stepped and found.state == WorkState.RUNNING,
        "resumes": stepped and found.state == WorkState.STOPPED and not undone,
        "customers": work.customers(found) if brings else (0, 0),
        "waits": comes and found.state == WorkState.STOPPED,
        "over": "over" in found.facts,
        "many": found.facts.get("many"),
        "undoes": brings and counts.get(LineState.MADE, 0) > 0,
    }
    return render(request, "web/console/work_one.html", context)


def _of_a_list(shop_id: int, work_id: int) -> Work:
    """Return one. What follows a change has a page of its own, for others: NothingHere."""
    found = work.one(shop_id, work_id)
    if found.kind == changes.CHANGE:
        raise NothingHere
    return found


def _facts(found: Work, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    if found.kind == work.IN:
        words = {
            LineState.MADE: _("Booked"),
            LineState.THERE: _("There already"),
            LineState.ODD: _("Do not fit"),
            LineState.UNDONE: _("Undone"),
            LineState.KEPT: _("Stay, for they were changed"),
        }
        return [(label, counts[state]) for state, label in words.items() if counts.get(state)]
    said = {
        "booked": _("Stay, for they have booked"),
        "stayed": _("Stay in all"),
        "lost": _("Characters that Shift_JIS does not have"),
    }
    return [(label, found.facts[name]) for name, label in said.items() if found.facts.get(name)]


def _lines(face: Face, odd: list[WorkLine]) -> list[dict[str, Any]]:
    """What did not fit, with the nearest times: each leads to booking her there, as reception does."""
    offers = {each.id: each.name for each in shopfront.offers(face.id)} if odd else {}
    told = []
    for each in odd:
        start = each.start and each.start.astimezone(face.zone)
        near = [datetime.fromisoformat(at).astimezone(face.zone) for at in each.near]
        told.append(
            {
                "line": each.line,
                "start": start,
                "service": offers.get(each.service_id or 0, ""),
                "why": WHY.get(each.why, each.why),
                "near": [(at, _book_at(each, at)) for at in near],
                "href": _book_at(each, start) if each.state == LineState.ODD else "",
            }
        )
    return told


def _book_at(line: WorkLine, at: datetime | None) -> str:
    if line.person_id is None:
        return ""
    said = {"service": line.service_id or "", "staff": line.asked_staff_id or ""}
    said |= {"date": at.date().isoformat(), "time": f"{at:%H:%M}"} if at else {}
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{reverse('console_new_known', args=[line.person_id])}?{query}"


@permission_required(Permission.LISTS_IMPORT)
@require_POST
def deed(request: StaffRequest, work_id: int) -> HttpResponse:
    """Stop it, go on with it, or undo what came in."""
    shop_id, what = request.shop_id, request.POST.get("deed")
    if _of_a_list(shop_id, work_id).kind == to_many.WORK:
        # Who may write to many stops it on its own page.
        raise NothingHere
    if what == "stop":
        work.stop(shop_id, work_id)
    elif what == "resume":
        work.resume(shop_id, work_id)
    elif what == "undo" and "sure" in request.POST:
        work_id = work.undo(shop_id, work_id, now=clock.now(), by=request.signed_in.by).id
    return HttpResponseRedirect(reverse("console_work_one", args=[work_id]))
