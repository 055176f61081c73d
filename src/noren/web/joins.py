"""Two records that may be one customer: the hint, the look for them, the preview, joining, and parting again.

Who is shown nobody else's name before she asks for it: a hint tells numbers, and which fields are the same.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking import merging, persons
from noren.booking.models import MergeState
from noren.errors import (
    BudgetExceeded,
    LedgerUnavailable,
    MergeRefused,
    NorenError,
    NoSuchPerson,
    NothingHere,
    PurposeRefused,
    VaultUnavailable,
)
from noren.people import card
from noren.shops.tenancy import shop as in_shop
from noren.web import names, visits
from noren.web.desk import face_of
from noren.web.shopfront import Face
from noren.web.visits import Visit

LABELS: dict[str, str | Promise] = {
    "name": _("Name"),
    "kana": _("Name in katakana"),
    "mail": _("Mail"),
    "phone": _("Phone"),
}
SAME: dict[str, str | Promise] = {
    "kana": _("same name in katakana"),
    "mail": _("same mail"),
    "phone": _("same phone"),
}
# By itself only these say that it is one person; a name may be two people's.
STRONG = ("mail", "phone")
_AWAY = (VaultUnavailable, LedgerUnavailable, BudgetExceeded, PurposeRefused, NoSuchPerson)


@dataclass(frozen=True, slots=True)
class Double:
    """One record that may be hers: its number and why, no name."""

    id: UUID
    short: str
    why: tuple[str | Promise, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """One record that was joined to hers."""

    id: UUID
    short: str
    at: datetime
    by: str
    until: datetime | None
    bookings: int
    may_part: bool
    open: bool
    """Whether it is not known yet what became of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of both. `state` as people.card.Compared says; `choice`: whether one is to be chosen."""

    key: str
    label: str | Promise
    state: str
    stays: str
    goes: str

    @property
    def choice(self) -> bool:
        return self.state == "differs"


def hint(request: StaffRequest, person: UUID | None) -> list[Double]:
    """Return who may be the same as an unproved guest, by the same mail or phone; nobody's name is told."""
    if person is None or Permission.CUSTOMERS_CHANGE not in request.signed_in.permissions:
        return []
    try:
        told = card.alike(request.signed_in.grant, person, wait=False)
    except _AWAY:
        return []
    if told.proved:
        return []
    return [_double(each) for each in told.alike if set(STRONG) & set(each.fields)]


def into(face: Face, person: UUID) -> list[Joined]:
    """Return the records that were joined to a customer's."""
    now = clock.now()
    return [
        Joined(
            id=row.double,
            short=names.short(row.double),
            at=row.begun_at.astimezone(face.zone),
            by=row.begun_by.removeprefix("staff:").partition(".")[0],
            until=row.until and row.until.astimezone(face.zone),
            bookings=len(row.bookings),
            may_part=row.state != MergeState.MERGING and (row.until is None or now < row.until),
            open=row.state != MergeState.MERGED,
        )
        for row in merging.into(face.id, person)
    ]


@permission_required(Permission.CUSTOMERS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def doubles(request: StaffRequest, person: UUID) -> HttpResponse:
    """GET says what a look does; POST looks who may be the same, by number and by what is the same."""
    face = face_of(request)
    if (kept := persons.kept_of(face.id, person)) is not None:
        return HttpResponseRedirect(reverse("console_doubles", args=[kept]))
    _known(request, face, person)
    told = names.Names()
    found: list[Double] = []
    looked = request.method == "POST"
    if looked:
        try:
            found = [_double(each) for each in card.alike(request.signed_in.grant, person, wait=True).alike]
        except (VaultUnavailable, LedgerUnavailable, BudgetExceeded, PurposeRefused) as refusal:
            told, looked = names.refused(refusal), False
    context = {
        "shop": face,
        "way": "customers",
        "names": told,
        "person": person,
        "title": names.short(person),
        "found": found,
        "looked": looked,
    }
    return render(request, "web/console/doubles.html", context, status=told.answer_to(request))


@permission_required(Permission.CUSTOMERS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest, person: UUID, kept: UUID) -> HttpResponse:
    """The preview: both side by side, field by field. POST shows them, or joins the first to the other."""
    face, grant = face_of(request), request.signed_in.grant
    if persons.kept_of(face.id, person) == kept:
        return HttpResponseRedirect(reverse("console_customer", args=[kept]))
    refused: NorenError | None = None
    if request.method == "POST" and request.POST.get("step") == "join":
        take = [name for name in LABELS if request.POST.get(f"take_{name}") == "goes"]
        try:
            merging.merge(face.id, person, kept, take, grant=grant, now=clock.now(), by=request.signed_in.by)
            return HttpResponseRedirect(reverse("console_customer", args=[kept]) + "#joined")
        except (MergeRefused, VaultUnavailable, LedgerUnavailable) as refusal:
            refused = refusal
    return _preview(request, face, person, kept, refused)


def _preview(
    request: StaffRequest, face: Face, person: UUID, kept: UUID, refused: NorenError | None
) -> HttpResponse:
    grant, shown = request.signed_in.grant, request.method == "POST"
    if person == kept:
        raise NothingHere
    compared = card.compare(grant, person, kept)
    fields = tuple(LABELS) if shown else ("name", "kana")
    told = names.ask(grant, people.Purpose.CUSTOMER, [kept, person], fields)
    stays, goes = (told.told.get(each, {}) for each in (kept, person))
    why = MergeRefused(reason=compared.refused) if compared.refused else None
    context = {
        "shop": face,
        "way": "customers",
        "names": told,
        "person": person,
        "kept": kept,
        "rows": [
            Row(key, label, compared.fields[key], stays.get(key, ""), goes.get(key, ""))
            for key, label in LABELS.items()
        ],
        "shows": shown and not told.away,
        "refused": (refused or why) and (refused or why).words(),  # type: ignore[union-attr]
        "may": why is None,
        "sides": [(kept, _visits(face, kept)), (person, _visits(face, person))],
    }
    status = refused.status if refused else told.answer_to(request)
    return render(request, "web/console/join.html", context, status=status)


@permission_required(Permission.CUSTOMERS_CHANGE)
@require_POST
def part(request: StaffRequest, person: UUID) -> HttpResponse:
    """Undo: what was brought over goes back to its own record."""
    face = face_of(request)
    kept = persons.kept_of(face.id, person)
    there = [] if kept is None else merging.into(face.id, kept)
    row = next((each for each in there if each.double == person), None)
    if row is None:
        # Pressed twice is pressed once.
        _known(request, face, person)
        return HttpResponseRedirect(reverse("console_customer", args=[person]))
    merging.undo(face.id, row.id, grant=request.signed_in.grant, now=clock.now(), by=request.signed_in.by)
    return HttpResponseRedirect(reverse("console_customer", args=[row.kept]))


def _known(request: StaffRequest, face: Face, person: UUID) -> None:
    """Raise NoSuchPerson unless she is one of this shop's: she has booked here, or the vault knows her."""
    if not booking_day.history(face.id, person):
        people.reveal(request.signed_in.grant, people.Purpose.CUSTOMER, [person], ("name", "kana"))


def _visits(face: Face, person: UUID) -> list[Visit]:
    with in_shop(face.id):
        return visits.of(booking_day.history(face.id, person)[:10], face)


def _double(each: card.Alike) -> Double:
    return Double(each.person, names.short(each.person), tuple(SAME[name] for name in each.fields))
