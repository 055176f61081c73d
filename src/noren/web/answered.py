"""What a customer said for her bookings, as the console shows it: whom she brings, her answers, her consent.

Names of guests come where hers comes; answers wait for a tap, those about health for one of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.booking import said
from noren.booking.said import Line
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.shops.terms import ServiceTerms
from noren.web import names, wording
from noren.web.shopfront import Face
from noren.web.visits import Visit

GUESTS = "guests"
# Of each tap, the field it shows. Who may is decided by the vault; the others are not offered the tap.
TAPS = ("answers", "health")
_MAY = ("owner", "manager", "staff")
TITLES: dict[str, str | Promise] = {
    GUESTS: gettext_lazy("Who comes"),
    "answers": gettext_lazy("Answers"),
    "health": gettext_lazy("Answers about health"),
}


@dataclass(frozen=True, slots=True)
class Dated:
    """One booking's line, and its booking where it is known."""

    line: Line
    visit: Visit | None


@dataclass(frozen=True, slots=True)
class Part:
    """One field's lines. Not `shown`: there are some, masked. `may`: a tap shows them."""

    key: str
    title: str
    shown: bool
    may: bool
    lines: Sequence[Dated]


@dataclass(frozen=True, slots=True)
class Consent:
    words: str
    version: int


def tapped(request: HttpRequest) -> tuple[str, ...]:
    """Return the field that a tap asks for, if one was tapped."""
    show = request.POST.get("show", "") if request.method == "POST" else ""
    return (show,) if show in TAPS else ()


def brings(visits: Iterable[Visit]) -> tuple[str, ...]:
    """Return which field has the names of those who come, if anybody is named."""
    return (GUESTS,) if any(GUESTS in visit.said_fields for visit in visits) else ()


def guests(told: names.Names, visit: Visit) -> str:
    """Return the names of those whom the customer brings to this visit, as far as they were told."""
    text = told.told.get(visit.person, {}).get(GUESTS, "") if visit.person else ""
    found = [
        each.name for line in said.read(text) if line.booking == visit.said_under for each in line.guests
    ]
    return wording.joined(found)


def who(told: names.Names, visit: Visit) -> str:
    """Return in one line who comes: she, those with her, or those for whom she booked."""
    name, others = told.of(visit.person), guests(told, visit)
    if not others:
        return name
    if visit.for_other:
        return _("%(guests)s (booked by %(name)s)") % {"guests": others, "name": name}
    return _("%(name)s with %(guests)s") % {"name": name, "guests": others}


def parts(
    visits: Sequence[Visit], told: names.Names, asked: tuple[str, ...], role: str, *, only: int | None = None
) -> list[Part]:
    """Return what there is of one customer's visits; `only` of one of them, whose guests stand apart."""
    there = {name for visit in visits for name in visit.said_fields}
    texts = told.told.get(visits[0].person, {}) if visits and visits[0].person else {}
    dates = {visit.said_under: visit for visit in visits}
    return [
        Part(
            key=key,
            title=str(TITLES[key]),
            shown=(key in asked or key == GUESTS) and bool(told.told),
            may=role in _MAY,
            lines=[
                Dated(line, dates.get(line.booking))
                for line in said.read(texts.get(key, ""))
                if only in (None, line.booking)
            ],
        )
        for key in ((GUESTS, *TAPS) if only is None else TAPS)
        if key in there
    ]


def consents(face: Face, visit: Visit) -> list[Consent]:
    """Return to what she agreed, as the shop words it now, and which wording it was."""
    return consents_of(face, [visit])[visit.id]


def consents_of(face: Face, visits: Sequence[Visit]) -> dict[int, list[Consent]]:
    """Return the same of several bookings: the rules are read once, where anybody agreed to anything."""
    if not any(visit.agreed.get("asked", {}).get("consents") for visit in visits):
        return {visit.id: [] for visit in visits}
    with in_shop(face.id):
        services = rules.known().terms.services
    return {visit.id: _consents(visit, services) for visit in visits}


def _consents(visit: Visit, services: Mapping[int, ServiceTerms]) -> list[Consent]:
    agreed = visit.agreed.get("asked", {}).get("consents", ())
    terms = services.get(visit.service_id)
    words = {each.key: wording.of(each.question) for each in terms.asks.questions} if terms else {}
    words[said.HEALTH] = wording.Words(_("Answers about health are kept"))
    return [Consent(words.get(each["key"]) or each["key"], each["version"]) for each in agreed]


def unasked(face: Face, visit: Visit) -> bool:
    """Say whether the shop asks something with this service that nobody asked her: she came from the waiting
    list, or it is asked since she booked.
    """
    if "asked" in visit.agreed:
        return False
    with in_shop(face.id):
        terms = rules.known().terms.services.get(visit.service_id)
    return terms is not None and bool(terms.asks.questions)
