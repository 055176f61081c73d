"""Signing in by an organisation's own provider: the browser goes there and comes back, this room carries.

The session keeps what the way back needs: the vault's `flow`, the ledger's name of the sign-in, and the page
that was asked for. Nothing of it is a secret without the browser's cookie, and nothing of it tells who.
"""

from datetime import datetime

from django.http import HttpRequest

from noren import people
from noren.accounts import signin
from noren.accounts.session import cookie_name
from noren.accounts.signin import _enter, visit_of
from noren.errors import SsoRefused

# The way that has begun, in the session; a new one takes the old one's place.
BEGUN = "sso_begun"


def begin(
    request: HttpRequest, shop_id: int, *, after: str, invite: str | None = None, grant: str | None = None
) -> people.Onward:
    """Begin at the shop's provider. NoSso, SsoAway, InviteRefused, FreshSignInNeeded."""
    onward = people.sso_begin(shop_id, invite=invite, grant=grant)
    request.session[BEGUN] = {"flow": onward.flow, "after": after, "linking": grant is not None}
    return onward


def finish(
    request: HttpRequest, answer: dict[str, str], *, now: datetime
) -> tuple[signin.Entered | people.Vouched | people.Linked, str]:
    """Take the provider's answer, in the browser that began; gives the page that was asked for, too.

    Raises SsoRefused (also when this browser did not begin), SsoAway, SsoUnknown, SsoNoGroup, SsoTaken,
    InviteRefused, GrantRefused, GrantExpired.
    """
    begun = request.session.pop(BEGUN, None)
    if begun is None:
        raise SsoRefused
    visit = visit_of(request)
    told = people.sso_finish(
        begun["flow"],
        answer,
        grant=request.COOKIES.get(cookie_name(), "") if begun["linking"] else None,
        **visit,
    )
    if isinstance(told, people.Vouched):
        signin.vouched(request, told.ticket, visit["session"])
    elif isinstance(told, people.SignedIn):
        return _enter(request, told, visit, now), begun["after"]
    return told, begun["after"]
