"""Customers in the console: searched by what they said, opened one at a time, shown as far as asked for."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking import persons, tags
from noren.errors import BadField, BudgetExceeded, LedgerUnavailable, PurposeRefused, VaultUnavailable
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, joins, mails, names, times, visits
from noren.web import card as card_of
from noren.web.desk import face_of
from noren.web.shopfront import Face
from noren.web.visits import Visit

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
    """A tap on "show" asks for the card, for one kind of answers or of the shop's own words; opening the page
    asks for the name.
    """
    if request.method != "POST":
        return OPEN
    if tapped := answered.tapped(request) or card_of.tapped(request.POST):
        return OPEN + tapped
    return CARD if request.POST.get("show") == "card" else OPEN


@permission_required(Permission.CUSTOMERS_SEE)
@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
def customer(request: StaffRequest, person: UUID) -> HttpResponse:
    """Her card. Of a record that was joined with another one it is the other's."""
    face = face_of(request)
    kept = persons.kept_of(face.id, person)
    if kept is not None:
        return HttpResponseRedirect(reverse("console_customer", args=[kept]))
    with in_shop(face.id):
        history = visits.of(booking_day.history(face.id, person), face)
    if not history:
        # Nobody here has booked: whether she is one of this shop's the vault alone knows.
        people.reveal(request.signed_in.grant, people.Purpose.CUSTOMER, [person], OPEN)
    refused: BadField | None = None
    try:
        if request.method == "POST" and (done := _done(request, person)) is not None:
            return done
    except BadField as refusal:
        refused = refusal
    return _page(request, face, person, history, refused)


def _done(request: StaffRequest, person: UUID) -> HttpResponse | None:
    """Do what a form of the card says; None where it only asks for more. Raises BadField."""
    grant, given = request.signed_in.grant, request.POST
    if given.get("address") == "try":
        people.try_address(grant, person)
        return HttpResponseRedirect(request.path)
    erased = given.get("erase", "")
    if erased in answered.TAPS:
        people.update(grant, person, {erased: ""})
        return HttpResponseRedirect(request.path)
    if given.get("write") in card_of.TAPS:
        card_of.write(request, person)
        return card_of.back(person, f"#{given['write']}")
    return None


def _page(
    request: StaffRequest, face: Face, person: UUID, history: list[Visit], refused: BadField | None
) -> HttpResponse:
    asked, role = (OPEN if refused else asked_fields(request)), request.signed_in.role
    known = tags.words(face.id)
    also = answered.brings(history) + (("tags",) if known else ())
    told = names.ask(request.signed_in.grant, people.Purpose.CUSTOMER, [person], asked, also)
    hers = told.told.get(person, {})
    paid, agreed = card_of.paid(face, history), answered.consents_of(face, history)
    context = {
        "shop": face,
        "way": "customers",
        "here": request.path,
        "names": told,
        "person": card(person, told, asked),
        "history": [(visit, paid.get(visit.id), agreed[visit.id]) for visit in history],
        "counts": card_of.counts(history),
        "tags": card_of.tagged(known, hers),
        "kept": card_of.kept(face, hers, asked, role, history),
        "writing": card_of.writing(request.POST, history, refused),
        "joined": joins.into(face, person),
        "parts": answered.parts(history, told, asked, role),
        "mails": mails.of(request.signed_in.grant, person, face),
        "speaks": next((visit.locale for visit in history if visit.locale), ""),
    }
    status = refused.status if refused else told.answer_to(request)
    return render(request, "web/console/customer.html", context, status=status)


@permission_required(Permission.CUSTOMERS_SEE)
@sensitive_post_parameters("query")
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: StaffRequest) -> HttpResponse:
    """Find by a part of name, kana, phone or mail, and by a tag. Posted, so that no address keeps what was
    looked for.
    """
    face = face_of(request)
    known = tags.words(face.id)
    query = request.POST.get("query", "").strip()[:254]
    tag = times.number(request.POST.get("tag"))
    tag = tag if tag in known else None
    asks = bool(query) or tag is not None
    seen, number, told = found(request, face, query, tag=tag) if asks else ([], 0, names.Names())
    context = {
        "shop": face,
        "way": "customers",
        "names": told,
        "query": query,
        "tags": known,
        "tag": tag,
        "found": seen,
        "number": number,
        "searched": asks and not told.away,
    }
    return render(request, "web/console/customers.html", context, status=told.answer_to(request))


def found(
    request: StaffRequest, face: Face, query: str, *, tag: int | None = None
) -> tuple[list[dict[str, object]], int, names.Names]:
    """Give who is shown, each with the visit that tells two of one name apart, how many were found, and what
    it cost.
    """
    try:
        seen = people.search(request.signed_in.grant, query, tag=tag)
    except (VaultUnavailable, LedgerUnavailable, BudgetExceeded, PurposeRefused) as refusal:
        return [], 0, names.refused(refusal)
    now = clock.now()
    with in_shop(face.id):
        near = booking_day.nearest(face.id, seen.persons, now=now)
        those = {each.person: each for each in visits.of(list(near.values()), face)}
    rows: list[dict[str, object]] = []
    for person, values in seen.persons.items():
        visit = those.get(person)
        rows.append({"id": person, "visit": visit, "was": visit and visit.start <= now, **values})
    return rows, seen.found, names.Names(budget=seen.budget, entry=seen.entry)
