"""What a signed-in session holds, and how it ends: with its grant, by time, by the account's epoch.

The vault is asked at each use whose grant it is: a session ends at once in whatever way its grant was ended,
and a role or a permission that was changed is felt on the next page. While the vault cannot be reached a
session goes on with what it was told last, within its own limits: pages that need no personal data do not
stop with it. Decisions 30 and 35.

The session row holds ids only. The grant's secret is in the user's cookie and nowhere else on this side; the
session knows the grant's id, so that a cookie of another sign-in does not fit.

Who works somewhere may be a customer, too: the two sign-ins have a place each (STAFF, also operators', and
CUSTOMER) in the session and a cookie each, and stand side by side in one browser.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare

from noren import people
from noren.accounts.models import Account
from noren.errors import GrantExpired, GrantRefused, LedgerUnavailable, NorenError, VaultUnavailable


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sign-in stands: its key in the session, its cookie.

    Lax where a page that somebody comes to from elsewhere shall know her (a shop's own site, a mail): no page
    changes anything by GET, and a form of another site carries no token of ours.
    """

    key: str
    cookie: str
    same_site: Literal["Strict", "Lax"]


STAFF = Place("signed_in", "grant", "Strict")
CUSTOMER = Place("customer", "customer", "Lax")
PLACES = (STAFF, CUSTOMER)
# SP 800-63B-4: AAL2 idle at most an hour, overall a day; operators and auditors are held to AAL3. A customer
# sees herself alone (AAL1: 30 days at most), on a device that is mostly her own.
IDLE = {
    "operator": timedelta(minutes=15),
    "auditor": timedelta(minutes=15),
    "customer": timedelta(days=7),
}
IDLE_STAFF = timedelta(hours=1)
ABSOLUTE = {"customer": timedelta(days=30)}
ABSOLUTE_STAFF = timedelta(hours=12)
# How soon after signing in one may change what one signs in with, and one's own data: the vault's numbers.
FRESH = timedelta(minutes=5)
OWN_FRESH = timedelta(minutes=15)
# A session row is written at most this often only to say that it is in use.
TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is asking, for one request."""

    account: Account
    # The vault's id of the actor, and its handle ("aoi.salon"): both stand in the ledger.
    actor: UUID
    handle: str
    # None for operators and auditors.
    shop_id: int | None
    # owner | manager | reception | staff | operator | auditor | customer. For what a page shows; the vault
    # decides for itself.
    role: str
    # The name by which the ledger knows this sign-in.
    session: str
    # The staff key in the shop, None for operators.
    staff_id: str | None
    # By name, what she may do in the shop; none for operators and customers.
    permissions: frozenset[str]
    # For how many shops she works: with several, pages lead from one to another.
    shops: int
    # Presented with each reveal. Never stored, logged or rendered.
    grant: str = field(repr=False)
    # POSIX seconds.
    since: int = 0

    def fresh(self, within: timedelta, *, now: datetime) -> bool:
        """Whether she signed in so short a while ago. For what a page shows; the vault decides."""
        return now.timestamp() < self.since + within.total_seconds()

    @property
    def by(self) -> str:
        """Who of the shop does it, as a history says it (booking.transact.Actor)."""
        return f"staff:{self.handle}"

    @property
    def place(self) -> Place:
        """Where her sign-in stands."""
        return place_of(self.role)

    @property
    def may(self) -> Mapping[str, bool]:
        """Say for a page what she may do: `signed_in.may.hours_change`."""
        return {one.replace(".", "_"): True for one in self.permissions}

    @property
    def manages(self) -> bool:
        """Whether she may change the shop's rules."""
        return "shop.change" in self.permissions


def place_of(role: str) -> Place:
    return CUSTOMER if role == "customer" else STAFF


def cookie_name(place: Place = STAFF) -> str:
    """`__Host-` binds the cookie to this host and to https; a developer's plain http cannot have it."""
    return ("__Host-noren_" if settings.SESSION_COOKIE_SECURE else "noren_") + place.cookie


def set_grant(response: HttpResponseBase, grant: str, until: datetime, place: Place = STAFF) -> None:
    """Hand the grant to the browser. No request that another site makes for a form of its own carries it."""
    response.set_cookie(
        cookie_name(place),
        grant,
        expires=until,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=place.same_site,
        path="/",
    )


def forget_grant(response: HttpResponseBase, place: Place = STAFF) -> None:
    response.delete_cookie(cookie_name(place), path="/", samesite=place.same_site)


def grant_id(grant: str) -> str:
    """Return the part of `<shop>.<grant id>.<secret>` that is no secret."""
    return ".".join(grant.split(".")[:2])


def open_session(session: SessionBase, who: people.Who, grant: str, *, name: str, now: datetime) -> None:
    """Begin a session under a new key; nothing of the old one stays but a sign-in of the other place.

    `name` is the ledger's for it.
    """
    account, place = Account.of(who.actor.id), place_of(who.role)
    stamp = int(now.timestamp())
    absolute = ABSOLUTE.get(who.role, ABSOLUTE_STAFF)
    _renew(session, but=place)
    session[place.key] = {
        "actor": str(who.actor.id),
        "handle": who.actor.handle,
        "shop": who.shop_id,
        "role": who.role,
        "staff": who.staff,
        "permissions": sorted(who.permissions),
        "shops": len(who.memberships),
        "session": name,
        "grant": grant_id(grant),
        "hash": account.session_hash(),
        "until": min(int(who.expires.timestamp()), stamp + int(absolute.total_seconds())),
        "since": stamp,
        "seen": stamp,
    }


def end_session(session: SessionBase, place: Place) -> None:
    """End a place's sign-in under a new key; the other's stays."""
    _renew(session, but=place)


def _renew(session: SessionBase, *, but: Place) -> None:
    """Begin the session anew: only the sign-ins of the other places are in it."""
    others = {one.key: session[one.key] for one in PLACES if one is not but and one.key in session}
    session.flush()
    session.update(others)


def read_session(request: HttpRequest, *, now: datetime, place: Place = STAFF) -> SignedIn | None:
    """Return who is signed in; None without a session, after its time, its idle time or its epoch."""
    held = request.session.get(place.key)
    grant = request.COOKIES.get(cookie_name(place), "")
    if held is None or not grant or grant_id(grant) != held["grant"]:
        return None
    stamp = int(now.timestamp())
    idle = IDLE.get(held["role"], IDLE_STAFF)
    if stamp >= held["until"] or stamp - held["seen"] >= int(idle.total_seconds()):
        return None
    account = Account.objects.filter(id=held["actor"]).first()
    if account is None or not constant_time_compare(held["hash"], account.session_hash()):
        request.session.pop(place.key, None)
        with suppress(NorenError):
            people.signout(grant)  # so that the vault does not list it as a session that holds
        return None
    if stamp - held["seen"] >= int(TOUCH.total_seconds()):
        request.session[place.key] = {**held, "seen": stamp}
    who = SignedIn(
        account=account,
        actor=account.id,
        handle=held["handle"],
        shop_id=held["shop"],
        role=held["role"],
        session=held["session"],
        staff_id=held["staff"],
        permissions=frozenset(held.get("permissions", ())),
        shops=held.get("shops", 1),
        grant=grant,
        since=held.get("since", 0),
    )
    return _asked(request, who)


def _asked(request: HttpRequest, who: SignedIn) -> SignedIn | None:
    """Ask the vault: None where the grant holds no more, as the session has it while there is no answer."""
    try:
        return _told_anew(request, who, people.whoami(who.grant))
    except (GrantExpired, GrantRefused):
        # Without the row nothing is left that could hold again while the vault is away.
        request.session.pop(who.place.key, None)
        return None
    except (VaultUnavailable, LedgerUnavailable):
        return who


def _told_anew(request: HttpRequest, who: SignedIn, told: people.Who) -> SignedIn:
    """Give who asks as the vault told just now, and keep it in the session where it has changed."""
    now = replace(
        who, role=told.role, staff_id=told.staff, permissions=told.permissions, shops=len(told.memberships)
    )
    if now != who:
        request.session[who.place.key] = {
            **request.session[who.place.key],
            "role": now.role,
            "staff": now.staff_id,
            "permissions": sorted(now.permissions),
            "shops": now.shops,
        }
    return now
