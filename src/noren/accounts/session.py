"""What a signed-in session holds, and how it ends: by time, by the account's epoch, by its own hand.

The session row holds ids only. The grant's secret is in the user's cookie and nowhere else on this side; the
session knows the grant's id, so that a cookie of another sign-in does not fit.

Who works somewhere may be a customer, too: the two sign-ins have a place each (STAFF, also operators', and
CUSTOMER) in the session and a cookie each, and stand side by side in one browser.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare

from noren import people
from noren.accounts.models import Account


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
# SP 800-63B-4: AAL2 idle at most an hour, overall a day; operators are held to AAL3. A customer sees herself
# alone (AAL1: 30 days at most), on a device that is mostly her own.
IDLE = {"operator": timedelta(minutes=15), "customer": timedelta(days=7)}
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
    # None for operators.
    shop_id: int | None
    # The vault's code of it. For what a page shows; the vault decides from its own tables.
    role: str
    # The name by which the ledger knows this sign-in.
    session: str
    # The staff key in the shop, None for operators.
    staff_id: str | None
    # Presented with each reveal. Never stored, logged or rendered.
    grant: str = field(repr=False)
    # POSIX seconds.
    since: int = 0

    def fresh(self, within: timedelta, *, now: datetime) -> bool:
        """Whether she signed in so short a while ago. For what a page shows; the vault decides."""
        return now.timestamp() < self.since + within.total_seconds()

    @property
    def manages(self) -> bool:
        """Whether she may change the shop's rules."""
        return self.role in ("owner", "manager")


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
        return None
    if stamp - held["seen"] >= int(TOUCH.total_seconds()):
        request.session[place.key] = {**held, "seen": stamp}
    return SignedIn(
        account=account,
        actor=account.id,
        handle=held["handle"],
        shop_id=held["shop"],
        role=held["role"],
        session=held["session"],
        staff_id=held["staff"],
        grant=grant,
        since=held.get("since", 0),
    )
