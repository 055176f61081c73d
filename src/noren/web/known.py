"""Who is signed in to a shop as a customer, if her sign-in still holds, and whether she has been there."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest

from noren import people
from noren.accounts.access import customer_of
from noren.booking import visitors
from noren.errors import GrantExpired, GrantRefused, LedgerUnavailable, VaultUnavailable
from noren.shops.tenancy import shop
from noren.shops.terms import Visitors


def person_of(request: HttpRequest, shop_id: int) -> tuple[str, UUID] | None:
    """Return her grant and who she is; without the vault she is as anybody."""
    who = customer_of(request, shop_id)
    if who is None:
        return None
    try:
        person = people.whoami(who.grant).person
    except (GrantExpired, GrantRefused, VaultUnavailable, LedgerUnavailable):
        return None
    return None if person is None else (who.grant, person)


def been(request: HttpRequest, shop_id: int, now: datetime) -> Visitors:
    """Return what her history says; ALL of who is not signed in."""
    known = person_of(request, shop_id)
    if known is None:
        return Visitors.ALL
    with shop(shop_id):
        return Visitors.AGAIN if visitors.visits(known[1], now) else Visitors.FIRST
