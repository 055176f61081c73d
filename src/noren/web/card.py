"""A customer's card: what the shop writes of her, and her own fields as staff correct them.

What is written goes straight to the vault: a page that was refused shows it again, and nothing else keeps it.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from noren import people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import desk, tags
from noren.booking.models import Status
from noren.errors import BadField
from noren.people import card as at_vault
from noren.web import deeds, times
from noren.web.desk import face_of
from noren.web.forms import DeskForm
from noren.web.shopfront import Face
from noren.web.visits import Visit

# Of each tap, the field it shows; who may is decided by the vault, and the others are not offered the tap.
TAPS = ("notes", "chart")
_MAY: Mapping[str, tuple[str, ...]] = {
    "notes": ("owner", "manager", "staff", "reception"),
    "chart": ("owner", "manager", "staff"),
}
# Her own fields, as they are corrected.
OWN = ("name", "kana", "phone", "mail")
# The newest visits, for which something can be written down.
MOST_VISITS = 20
WHY: Mapping[str, str | Promise] = {
    "too_long": _("This is too long, or too much stands here already: 4,000 characters a note at most."),
    "control": _("This holds characters that cannot be kept."),
}


@dataclass(frozen=True, slots=True)
class Wording:
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """One line as the page shows it. Without a name it was written otherwise, and cannot be changed here."""

    name: str
    newest: Wording
    earlier: tuple[Wording, ...]
    visit: Visit | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Notes, or charts. Not `shown`: masked, if there are any."""

    key: str
    may: bool
    shown: bool
    lines: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    number: int
    word: str
    on: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How often she came, did not, and cancelled."""

    came: int
    no_show: int
    cancelled: int


def tapped(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the field that a tap asks for, if one was tapped."""
    return (given["show"],) if given.get("show") in TAPS else ()


def kept(
    face: Face, told: Mapping[str, str], asked: Sequence[str], role: str, history: Sequence[Visit]
) -> list[Kept]:
    """Return notes and charts, as far as they were told."""
    visits = {visit.id: visit for visit in history}
    return [
        Kept(
            key=key,
            may=role in _MAY[key],
            shown=key in asked,
            lines=tuple(_note(face, line, visits) for line in at_vault.read(told.get(key, ""))),
        )
        for key in TAPS
    ]


def _note(face: Face, line: at_vault.Line, visits: Mapping[int, Visit]) -> Note:
    def wording(words: at_vault.Words) -> Wording:
        return Wording(words.at.astimezone(face.zone), words.by.partition(".")[0], words.text)

    earlier = tuple(wording(each) for each in line.earlier)
    return Note(line.name, wording(line.newest), earlier, visits.get(line.booking))


def tagged(known: Mapping[int, str], told: Mapping[str, str]) -> list[Tagged]:
    """Return the shop's tags, and which of them she has."""
    hers = at_vault.tags(told.get("tags", ""))
    return [Tagged(number, word, number in hers) for number, word in known.items()]


def counts(history: Sequence[Visit]) -> Counts:
    by = Counter(visit.status for visit in history)
    return Counts(by[Status.CHECKED_IN], by[Status.NO_SHOW], by[Status.CANCELLED])


def paid(face: Face, history: Sequence[Visit]) -> dict[int, tuple[int, str]]:
    """Return what was noted as paid in the end, by booking: one question for all of them."""
    found = desk.settled_of(face.id, [visit.id for visit in history])
    methods = deeds.methods()
    return {number: (price, methods.get(method, method)) for number, (price, method) in found.items()}


def writing(
    given: Mapping[str, str], history: Sequence[Visit], refused: BadField | None = None
) -> dict[str, Any]:
    """Return what the forms of a card need; a refused text stands in its form again."""
    return {
        "line": secrets.token_hex(8),
        "visits": history[:MOST_VISITS],
        "written": given if refused else {},
        "why": refused and WHY.get(next(iter(refused.reasons.values())), refused.words()),
    }


def back(person: UUID, anchor: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("console_customer", args=[person]) + anchor)


@permission_required(Permission.CUSTOMERS_CHANGE)
@require_POST
def tag(request: StaffRequest, person: UUID) -> HttpResponse:
    """Give her the ticked tags of those the page showed, and take the others away."""
    known = tags.words(request.shop_id)
    there = {one for one in map(times.number, request.POST.getlist("there")) if one in known}
    ticked = there.intersection(map(times.number, request.POST.getlist("tag")))
    at_vault.tag(request.signed_in.grant, person, add=sorted(ticked), take=sorted(there - ticked))
    return back(person, "#tags")


@permission_required(Permission.CUSTOMERS_CHANGE)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: StaffRequest, person: UUID) -> HttpResponse:
    """Correct her name, kana, phone and mail: what stands is shown, which is on record, and only what was
    changed is written.
    """
    face, grant = face_of(request), request.signed_in.grant
    seen = people.reveal(grant, people.Purpose.CUSTOMER, [person], OWN)
    held = seen.persons.get(person, {})
    form = DeskForm(request.POST) if request.method == "POST" else DeskForm(initial=held)
    if form.is_bound and form.is_valid():
        said = {name: form.cleaned_data.get(name, "").strip() for name in OWN}
        # As the page had it: what a colleague has corrected since is not written over by what it was.
        was = {name: form.data.get(f"was-{name}", held.get(name, "")) for name in OWN}
        changed = {name: text for name, text in said.items() if text not in (was[name], held.get(name, ""))}
        try:
            if changed:
                people.update(grant, person, changed)
            return back(person, "")
        except BadField as refusal:
            form.refused(refusal.reasons)
    context = {
        "shop": face,
        "way": "customers",
        "person": person,
        "title": held.get("name", ""),
        "form": form,
        "was": {name: form.data.get(f"was-{name}", held.get(name, "")) for name in OWN},
        "had_mail": bool(held.get("mail")),
        "budget": seen.budget,
    }
    return render(request, "web/console/card_edit.html", context, status=422 if form.errors else 200)


def write(request: StaffRequest, person: UUID) -> None:
    """Write what a form of the card says: a line, another wording of one, or its end. Raises BadField."""
    given = request.POST
    erases = given.get("deed") == "erase"
    text = "" if erases else given.get("text", "")
    if not text.strip() and not erases:
        return
    booking = times.number(given.get("booking")) or 0
    what = given.get("write", "")
    name = given.get("line", "")[:32]
    at_vault.write_line(request.signed_in.grant, person, what, name, text, booking=booking)
