"""What a shop offers, as its page and its frame list it: by service, by who serves, by what is free next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from noren.booking import availability
from noren.shops.terms import Visitors
from noren.web import shopfront
from noren.web.shopfront import Face, Member, Offer
from noren.web.ways import Way
from noren.web.week import LOOK


@dataclass(frozen=True, slots=True)
class Line:
    """A service, where its times are, and its first free time with the address of that day."""

    service: Offer
    address: str
    soonest: datetime | None
    soonest_address: str


def of(face: Face, way: Way, staff: int | None, been: Visitors, now: datetime) -> dict[str, Any]:
    """Return the services, those of one who serves where she was chosen, and all who may be chosen. `been`:
    whether she says that she is here for the first time.
    """
    offers, team = shopfront.offers(face.id), shopfront.team(face.id)
    busy = {member for each in offers for member in each.staff}
    chosen = next((each for each in team if each.id == staff and each.id in busy), None)
    fitting = [each for each in offers if Visitors.ALL in (been, each.visitors) or each.visitors is been]
    shown = [each for each in fitting if chosen is None or chosen.id in each.staff]
    return {
        "offers": offers,
        "services": [_line(face, way, each, chosen, now) for each in shown],
        "chosen_member": chosen,
        "been": _been(face, way, chosen, been) if any(each.visitors for each in offers) else (),
        "all_services": way.at("shop", [face.slug]),
        "team": [(each, _hers(face, way, each) if each.id in busy else "") for each in team],
    }


def been_of(text: str) -> Visitors:
    """Read her own word from an address (`?been=`); what is none is no word."""
    return Visitors(text) if text in set(Visitors) else Visitors.ALL


def _been(face: Face, way: Way, chosen: Member | None, been: Visitors) -> list[dict[str, object]]:
    kept = {} if chosen is None else {"staff": str(chosen.id)}
    words = {
        Visitors.ALL: _("All services"),
        Visitors.FIRST: _("First time here"),
        Visitors.AGAIN: _("I have been here"),
    }
    return [
        {
            "words": said,
            "href": way.at("shop", [face.slug], kept | {"been": str(each) or "all"}) + "#services",
            "current": each is been,
        }
        for each, said in words.items()
    ]


def _hers(face: Face, way: Way, member: Member) -> str:
    return way.at("shop", [face.slug], {"staff": str(member.id)})


def _line(face: Face, way: Way, offer: Offer, chosen: Member | None, now: datetime) -> Line:
    there = [face.slug, offer.id]
    kept = {} if chosen is None else {"staff": str(chosen.id)}
    today = now.astimezone(face.zone).date()
    # When a stay may begin depends on its nights, which nobody has said yet.
    soonest = None
    if offer.stay is None:
        asked: dict[str, Any] = {"now": now, "staff": chosen and chosen.id, "party": offer.party_min}
        soonest = availability.soonest(face.id, offer.id, today, today + LOOK, **asked)
    day = "" if soonest is None else soonest.date().isoformat()
    return Line(
        offer, way.at("book", there, kept), soonest, way.at("book", there, {**kept, "from": day, "day": day})
    )
