"""What may be added to a service in one visit: read from an address, offered on the page of free times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from noren.engine import visits
from noren.shops import rules
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Offer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service that may be added; `href`: the page with it. `is_option`: it adds to one she has."""

    id: int
    name: str
    minutes: int
    price: int
    is_option: bool
    href: str


def written(also: Sequence[int]) -> str:
    """Return services as addresses and forms name them: 3-4."""
    return "-".join(map(str, also))


def numbers(text: str) -> tuple[int, ...]:
    """Read what `written` wrote, or somebody else."""
    given = text.split("-")[: visits.MOST]
    return tuple(int(each) for each in given if each.isascii() and each.isdecimal() and len(each) < 12)


def chosen(shop_id: int, service_id: int, text: str) -> tuple[int, ...]:
    """Read what is had in the same visit. What cannot be (any more) is left out, as if it were not there."""
    found, wanted = [service_id], numbers(text)
    if wanted:
        with in_shop(shop_id):
            known = rules.known().rules
        if service_id in known.services:
            for each in wanted:
                able = each in known.services and known.services[each].bookable
                found += [each] if able and visits.may(known, (*found, each)) else []
    return tuple(found[1:])


def without(offer: Offer, service_id: int) -> tuple[int, ...]:
    """Return what is left beside the first when one is taken out; what was added to that one goes with it,
    as `chosen` sees when it reads the address.
    """
    return tuple(each for each in offer.also if each != service_id)


def candidates(shop_id: int, offer: Offer, at: Callable[[tuple[int, ...]], str]) -> list[Candidate]:
    """Return what may be added to what is chosen: options first, then in the shop's order."""
    with in_shop(shop_id):
        found = visits.candidates(rules.known().rules, (offer.id, *offer.also))
        rows = Service.objects.in_bulk([each for each, _ in found])
    return [
        Candidate(
            id=each,
            name=wording.text(rows[each].texts, "name"),
            minutes=sum(segment["minutes"] for segment in rows[each].segments),
            price=rows[each].price,
            is_option=is_option,
            href=at((*offer.also, each)),
        )
        for each, is_option in found
    ]
