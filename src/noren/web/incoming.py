"""A list that comes in: looked at first, with what each column is; then asked for, agreed to, taken, undone.

The file comes with each of these steps and is let go after it. What is kept in between is how it is read.
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import incoming, readings, work
from noren.booking.incoming import BookingList
from noren.booking.models import Booking, LineState, Waiting, WorkLine
from noren.errors import NorenError
from noren.people import columns, importing
from noren.people import lists as vault_lists
from noren.people.columns import Reading
from noren.people.importing import CustomerList
from noren.people.model import Row
from noren.people.tables import NotAList
from noren.shops.tenancy import shop as in_shop
from noren.web import lists, looked, shopfront, wording
from noren.web.desk import Unclear, face_of
from noren.web.looked import Looked
from noren.web.shopfront import Offer

UNDO: Final = "customers_undo"


@sensitive_post_parameters()
@permission_required(Permission.LISTS_IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request: StaffRequest) -> HttpResponse:
    """Look at a file as often as it takes; then ask for it to come in. A look writes nothing here."""
    if request.method != "POST":
        return _page(request)
    seen: Looked | None = None
    try:
        raw = _raw(request)
        reading = looked.said(request.POST, raw)
        _may(request, reading)
        face, now = face_of(request), clock.now()
        known = incoming.known_of(face.id, face.zone)
        seen = looked.look(request.signed_in.grant, raw, reading, known, now=now)
        if request.POST.get("deed") != "ask":
            return _page(request, seen)
        return _ask(request, seen)
    except NotAList:
        return _page(request, refused=_("This file is no list that we can read."), status=422)
    except Unclear as unclear:
        return _page(request, seen, refused=str(unclear), status=unclear.status)
    except NorenError as refusal:
        return _page(request, seen, refused=refusal.words(), status=refusal.status)


def _raw(request: StaffRequest) -> bytes:
    sent = request.FILES.get("file")
    raw = b"" if sent is None else sent.read()
    if not raw:
        raise Unclear(_("Please choose the file. Nothing of it was kept, so it is chosen anew each time."))
    return raw


def _may(request: StaffRequest, reading: Reading) -> None:
    """Whoever brings bookings in may book."""
    if reading.kind == "bookings" and not request.signed_in.may.get("bookings_change"):
        raise Unclear(_("You may not bring bookings in."), 403)


def _ask(request: StaffRequest, seen: Looked) -> HttpResponse:
    reason, words = request.POST.get("reason", ""), request.POST.get("words", "").strip()
    if seen.lacks:
        raise Unclear(seen.lacks)
    if reason not in lists.REASONS or not words or len(words) > lists.LONGEST:
        raise Unclear(_("Please choose a file and say why."))
    transfer = people.ask_import(
        request.signed_in.grant,
        fields=seen.fields,
        rows=len(seen.persons),
        about=seen.about,
        reason=reason,
        words=words,
    )
    said = Reading.said(
        seen.kind,
        seen.table.charset,
        seen.table.separator,
        [each.is_what for each in seen.columns],
        services=seen.reading.services,
        staff=seen.reading.staff,
        join=seen.reading.join,
        remind=seen.reading.remind,
        anyway=seen.reading.anyway,
    )
    readings.keep(request.shop_id, transfer, said, now=clock.now())
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))


def _page(
    request: StaffRequest, seen: Looked | None = None, *, refused: str = "", status: int = 200
) -> HttpResponse:
    face = face_of(request)
    kind = seen.kind if seen else request.POST.get("kind", request.GET.get("kind", ""))
    kind = kind if kind in columns.KINDS else columns.KINDS[0]
    context: dict[str, Any] = {
        "shop": face,
        "way": "lists",
        "kind": kind,
        "looked": seen,
        "refused": refused,
        "reasons": lists.REASONS,
        "longest": lists.LONGEST,
        "reason": request.POST.get("reason", ""),
        "words": request.POST.get("words", "")[: lists.LONGEST],
        "charsets": looked.CHARSETS,
        "separators": looked.SEPARATORS,
        "is_what": [(name, looked.COLUMNS[name]) for name in columns.of(kind)],
    }
    if seen is not None and (seen.services or seen.staff):
        context |= {"offers": _offers(face.id), "team": _team(face.id)}
    return render(request, "web/console/incoming.html", context, status=status)


def _offers(shop_id: int) -> list[Offer]:
    return [each for each in shopfront.offers(shop_id) if not (each.stay or each.course)]


def _team(shop_id: int) -> dict[int, str]:
    return {row.id: wording.text(row.texts, "name") or row.key for row in shopfront.staff(shop_id).values()}


@sensitive_post_parameters()
@permission_required(Permission.LISTS_IMPORT)
@require_POST
def take(request: StaffRequest, transfer: str) -> HttpResponse:
    """Bring the very file in that was asked for: all rows are looked at first, and one bad one holds all.

    Customers are left in the vault, sealed, and come in step by step; of a list of bookings they do so first.
    """
    asked = lists.found(request, transfer)
    reading = readings.of(request.shop_id, transfer)
    try:
        _may(request, reading)
        raw = _raw(request)
        _is_that(raw, asked)
        take_some = _take_bookings if reading.kind == "bookings" else _take_customers
        return take_some(request, asked, raw, reading)
    except (NotAList, Unclear) as unclear:
        words = str(unclear) if isinstance(unclear, Unclear) else _("This file is no list that we can read.")
        return lists.show(request, asked, refused=words, status=getattr(unclear, "status", 422))
    except NorenError as refusal:
        return lists.show(request, asked, refused=refusal.words(), status=refusal.status)


def _is_that(raw: bytes, asked: people.Transfer) -> None:
    if looked.about(raw) != asked.about:
        raise Unclear(_("Please choose the very file that you asked for."))


def _take_customers(
    request: StaffRequest, asked: people.Transfer, raw: bytes, reading: Reading
) -> HttpResponse:
    given = importing.read(raw, settings.IDEMPOTENCY_KEY, reading)
    rows = given.each_once()
    if held := _held(request, asked, given, rows):
        return held
    vault_lists.leave_import(request.signed_in.grant, asked.transfer, rows, join=reading.join)
    by = request.signed_in.by
    begun = work.bring_customers(request.shop_id, asked.transfer, len(rows), now=clock.now(), by=by)
    return HttpResponseRedirect(reverse("console_work_one", args=[begun.id]))


def _take_bookings(
    request: StaffRequest, asked: people.Transfer, raw: bytes, reading: Reading
) -> HttpResponse:
    face, now = face_of(request), clock.now()
    begun = work.bookings_of(face.id, asked.transfer)
    if begun is None:
        table, names = importing.opened(raw, reading)
        known, secret = incoming.known_of(face.id, face.zone), settings.IDEMPOTENCY_KEY
        given = incoming.read(table, names, reading, known, now=now, secret=secret)
        rows = given.persons()
        if held := _held(request, asked, given, rows):
            return held
        vault_lists.leave_import(request.signed_in.grant, asked.transfer, rows, join=reading.join)
        lines = incoming.lines(given, face.id, secret)
        ask = work.Ask(asked.transfer, lines, len(rows), reading.remind, reading.anyway)
        begun = work.bring(face.id, ask, now=now, by=request.signed_in.by)
    return HttpResponseRedirect(reverse("console_work_one", args=[begun.id]))


def _held(
    request: StaffRequest, asked: people.Transfer, given: CustomerList | BookingList, rows: list[Row]
) -> HttpResponse | None:
    """Look at all rows; with a bad one none is taken, and the list's page tells of each by its line."""
    seen = people.take_import(request.signed_in.grant, asked.transfer, rows, check=True)
    faults = given.faults_with(seen.bad)
    if not faults:
        return None
    told = looked.fault_words(faults[: looked.MOST_FAULTS])
    refused = _("Nothing was taken. Please mend these lines:")
    return lists.show(request, asked, refused=refused, faults=told, status=422)


@permission_required(Permission.LISTS_IMPORT)
@require_POST
def undo(request: StaffRequest, transfer: str) -> HttpResponse:
    """Erase who came in with a list and is as she came; who has booked since, or was changed, stays."""
    asked = lists.found(request, transfer)
    if asked.kind != "import" or "sure" not in request.POST:
        return lists.show(request, asked, refused=_("Please say that you are sure."), status=422)
    grant, shop_id, now = request.signed_in.grant, request.shop_id, clock.now()
    if not work.end_customers(shop_id, transfer):
        return lists.show(
            request, asked, refused=_("They still come in. Please stop that first."), status=409
        )
    try:
        brought = list(vault_lists.import_brought(grant, transfer))
        booked = _booked(shop_id, transfer, [person for person, _fresh in brought])
        those = [person for person, fresh in brought if fresh and person not in booked]
        begun = work.note_taken(shop_id, UNDO, transfer, len(brought), now=now, by=request.signed_in.by)
        erased = sum(vault_lists.undo_import(grant, transfer, some) for some in _chunks(those))
    except NorenError as refusal:
        return lists.show(request, asked, refused=refusal.words(), status=refusal.status)
    stayed = len(brought) - erased
    work.note_done(shop_id, begun, erased, now=clock.now(), booked=len(booked), stayed=stayed)
    return HttpResponseRedirect(reverse("console_work_one", args=[begun]))


def _chunks(persons: list[UUID]) -> Iterator[list[UUID]]:
    for first in range(0, len(persons), vault_lists.ROWS_A_REQUEST):
        yield persons[first : first + vault_lists.ROWS_A_REQUEST]


def _booked(shop_id: int, transfer: str, persons: list[UUID]) -> set[UUID]:
    """Return who of them has a booking, or waits for one: but for what came with this list and was undone."""
    found: set[UUID] = set()
    with in_shop(shop_id):
        gone = WorkLine.objects.filter(state=LineState.UNDONE, work_id__in=work.ids_of(transfer))
        undone = gone.values_list("booking_id", flat=True)
        for some in _chunks(persons):
            rows = Booking.objects.filter(person_id__in=some).exclude(id__in=list(undone))
            found |= {person for person in rows.values_list("person_id", flat=True) if person}
            found |= set(Waiting.objects.filter(person_id__in=some).values_list("person_id", flat=True))
    return found
