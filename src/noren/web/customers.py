"""Customers in the console: searched by what they said, opened one at a time, shown as far as asked for."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.errors import BudgetExceeded, LedgerUnavailable, NoSuchPerson, PurposeRefused, VaultUnavailable
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, mails, names, visits
from noren.web.desk import face_of

LABELS: dict[str, str | Promise] = {
    "name": _("Name"),
    "kana": _("Name in katakana"),
    "mail": _("Mail"),
    "phone": _("Phone"),
    "note": _("Note"),
}
# What opening a page shows by itself; the rest waits for a tap.
OPEN = ("name", "kana")
CARD = ("name", "kana", "mail", "phone", "note")


@dataclass(frozen=True, slots=True)
class Line:
    key: str
    label: str
    value: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One person on a page: what was told, and what is masked still."""

    id: UUID
    title: str
    short: str
    fields: tuple[Line, ...]
    masked: bool


def card(person: UUID, told: names.Names, asked: tuple[str, ...]) -> Card:
    values = told.told.get(person)
    lines = tuple(
        Line(
            key=key,
            label=str(label),
            value=(values or {}).get(key, ""),
            shown=values is not None and key in asked,
        )
        for key, label in LABELS.items()
    )
    return Card(
        id=person,
        title=told.of(person),
        short=person.hex[:12],
        fields=lines,
        masked=any(not line.shown for line in lines),
    )


def asked_fields(request: HttpRequest) -> tuple[str, ...]:
    """A tap on "show" asks for the card, or for one kind of answers; opening the page asks for the name."""
    if tapped := answered.tapped(request):
        return OPEN + tapped
    return CARD if request.method == "POST" and request.POST.get("show") == "card" else OPEN


@permission_required(Permission.CUSTOMERS_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def customer(request: StaffRequest, person: UUID) -> HttpResponse:
    face = face_of(request)
    with in_shop(face.id):
        history = visits.of(booking_day.history(face.id, person), face)
    if not history:
        raise NoSuchPerson
    if request.method == "POST" and request.POST.get("address") == "try":
        people.try_address(request.signed_in.grant, person)
        return HttpResponseRedirect(request.path)
    erased = request.POST.get("erase", "")
    if request.method == "POST" and erased in answered.TAPS:
        people.update(request.signed_in.grant, person, {erased: ""})
        return HttpResponseRedirect(request.path)
    asked = asked_fields(request)
    told = names.ask(
        request.signed_in.grant, people.Purpose.CUSTOMER, [person], asked, answered.brings(history)
    )
    context = {
        "shop": face,
        "way": "customers",
        "here": request.path,
        "names": told,
        "person": card(person, told, asked),
        "history": history,
        "parts": answered.parts(history, told, asked, request.signed_in.role),
        "mails": mails.of(request.signed_in.grant, person, face),
    }
    return render(request, "web/console/customer.html", context, status=told.answer_to(request))


@permission_required(Permission.CUSTOMERS_SEE)
@sensitive_post_parameters("query")
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: StaffRequest) -> HttpResponse:
    """Find by a part of name, kana, phone or mail. Posted, so that no address keeps what was looked for."""
    query = request.POST.get("query", "").strip()[:254]
    seen, number, told = found(request.signed_in.grant, query) if query else ([], 0, names.Names())
    context = {
        "shop": face_of(request),
        "way": "customers",
        "names": told,
        "query": query,
        "found": seen,
        "number": number,
        "searched": bool(query) and not told.away,
    }
    return render(request, "web/console/customers.html", context, status=told.answer_to(request))


def found(grant: str, query: str) -> tuple[list[dict[str, object]], int, names.Names]:
    """Give who is shown, how many were found, and what it cost."""
    try:
        seen = people.search(grant, query)
    except (VaultUnavailable, LedgerUnavailable, BudgetExceeded, PurposeRefused) as refusal:
        return [], 0, names.refused(refusal)
    rows: list[dict[str, object]] = [{"id": person, **values} for person, values in seen.persons.items()]
    return rows, seen.found, names.Names(budget=seen.budget, entry=seen.entry)
