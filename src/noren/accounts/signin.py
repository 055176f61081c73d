"""Sign-in by passkey, joining by invitation, signing out: the browser and the vault talk, this room carries.

Each way has two steps, both POST. `begin_*` returns what `navigator.credentials` wants, as JSON values;
`finish_*` takes what it gave, opens the session under a new key, and gives an Entered, whose `into(response)`
puts the grant into the cookie of the answer. The vault checks everything; nothing is decided here.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from noren import people
from noren.accounts import device
from noren.accounts.session import (
    STAFF,
    Place,
    cookie_name,
    end_session,
    forget_grant,
    open_session,
    place_of,
    set_grant,
)
from noren.errors import CodeRefused, NorenError, PasskeyRefused
from noren.shops import curtain, directory

# The challenge of a sign-in that has begun: only the browser that began can finish. Ends with its session.
BEGUN = "signin_begun"
# The ledger's name of a sign-in that waits for its second factor: the vault binds the ticket to it.
SECOND = "signin_second"
# That a provider has vouched for an operator: the vault's ticket, and the sign-in that it is for.
VOUCHED = "signin_vouched"
_LONGEST_TOTP = 8


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in that the vault accepted; its session is open already."""

    who: people.Who
    grant: str = field(repr=False)
    # The browser's own secret, which the vault knows from now on.
    known: str = field(repr=False)

    @property
    def home(self) -> str:
        """Where to go when no page was asked for."""
        if self.who.role == "auditor":
            return "/operations/audit"
        if self.who.shop_id is None:
            return "/operations/"
        if self.who.role == "customer":
            return f"/{directory.slug(self.who.shop_id)}/account"
        if self.who.role == "owner" and curtain.is_hidden(self.who.shop_id):
            return "/console/start"
        return "/console/"

    def into(self, response: HttpResponseBase) -> None:
        """Hand the grant to the browser with this answer."""
        set_grant(response, self.grant, self.who.expires, place_of(self.who.role))
        device.remember(response, self.known)


def begin_signin(request: HttpRequest) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`: any passkey of this site will do."""
    options = people.signin_begin()
    request.session[BEGUN] = options["challenge"]
    return options


def finish_signin(
    request: HttpRequest, answer: Mapping[str, Any], *, now: datetime, shop_id: int | None = None
) -> Entered:
    """Check the browser's answer and open the session.

    `shop_id` chooses among several shops one works for. PasskeyRefused, GrantRefused (not of that shop),
    VaultUnavailable, LedgerUnavailable.
    """
    challenge = request.session.pop(BEGUN, None)
    if challenge is None:
        raise PasskeyRefused
    visit, first = visit_of(request), request.session.pop(VOUCHED, None)
    if first is not None:  # the ticket is for the sign-in that began with it
        visit["session"] = first["session"]
    ticket = "" if first is None else first["ticket"]
    accepted = people.signin_finish(challenge, answer, shop_id=shop_id, first=ticket, **visit)
    return _enter(request, accepted, visit, now)


def vouched(request: HttpRequest, ticket: str, session: str) -> None:
    """Keep the ticket for the passkey that comes next, in this browser."""
    request.session[VOUCHED] = {"ticket": ticket, "session": session}


def begin_join(invite: str) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create`. InviteRefused, VaultUnavailable."""
    return people.register_begin(invite)


def finish_join(request: HttpRequest, invite: str, answer: Mapping[str, Any], *, now: datetime) -> Entered:
    """Enrol the passkey and sign in with it. The page gives the invitation again: it is kept nowhere here.

    InviteRefused, PasskeyRefused, VaultUnavailable, LedgerUnavailable.
    """
    visit = visit_of(request)
    return _enter(request, people.register_finish(invite, answer, **visit), visit, now)


def begin_take(invite: str) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`: a passkey that is there takes the invitation.

    InviteRefused, VaultUnavailable.
    """
    return people.join_begin(invite)


def finish_take(request: HttpRequest, invite: str, answer: Mapping[str, Any], *, now: datetime) -> Entered:
    """Join a further shop with the passkey that is there, and enter it.

    InviteRefused, PasskeyRefused, GrantRefused, AlreadyJoined, VaultUnavailable, LedgerUnavailable.
    """
    visit = visit_of(request)
    return _enter(request, people.join_finish(invite, answer, **visit), visit, now)


def enter_shop(request: HttpRequest, grant: str, shop_id: int, *, now: datetime) -> Entered:
    """Go to another shop: a new grant and a new session, and no longer the old ones. GrantRefused."""
    visit = visit_of(request)
    return _enter(request, people.enter_shop(grant, shop_id, **visit), visit, now)


def begin_code(request: HttpRequest, shop_id: int, mail: str, *, proof: str = "") -> None:
    """Have a code mailed to a customer. ChallengeNeeded, VaultUnavailable, LedgerUnavailable."""
    people.own_begin(shop_id, mail, address=_address(request), device=_device(request), proof=proof)


def finish_code(
    request: HttpRequest, shop_id: int, mail: str, code: str, *, now: datetime, proof: str = ""
) -> Entered | people.Second:
    """Take a customer's mailed code and open the session, or say that a second factor is asked for.

    CodeRefused, ChallengeNeeded, VaultUnavailable, LedgerUnavailable.
    """
    visit = visit_of(request)
    answer = people.own_finish(shop_id, mail, code, proof=proof, **visit)
    return _enter_or_ask(request, answer, visit, now)


def check_customer(
    request: HttpRequest, shop_id: int, mail: str, password: str, *, now: datetime, proof: str = ""
) -> Entered | people.Second:
    """Sign a customer in by mail and password, or say that a second factor is asked for.

    PasswordRefused, ChallengeNeeded, ResetRequired, Busy, VaultUnavailable, LedgerUnavailable.
    """
    visit = visit_of(request)
    answer = people.password_check(shop_id, mail, password, customer=True, proof=proof, **visit)
    return _enter_or_ask(request, answer, visit, now)


def finish_second(request: HttpRequest, second: people.Second, code: str, *, now: datetime) -> Entered:
    """Take the second factor: a code that was mailed, else a one-time code, or (longer) a recovery code.

    CodeRefused, TooManyTries.
    """
    name = str(request.session.get(SECOND, ""))
    if not name or not second.ticket:
        raise CodeRefused
    visit, typed = {**visit_of(request), "session": name}, "".join(code.split()) or "-"
    if second.way == "mail":
        accepted = people.mailed_check(second.ticket, typed, **visit)
    elif len(typed) <= _LONGEST_TOTP:
        accepted = people.totp_check(second.ticket, typed, **visit)
    else:
        accepted, _ = people.recovery_use(second.ticket, typed, **visit)
    return _enter(request, accepted, visit, now)


def sign_out(request: HttpRequest, response: HttpResponseBase, place: Place = STAFF) -> None:
    """End the grant in the vault, the session and the cookie; with the vault away, the last two."""
    grant = request.COOKIES.get(cookie_name(place))
    end_session(request.session, place)
    forget_grant(response, place)
    if grant:
        try:
            people.signout(grant)
        except NorenError:
            # The browser has forgotten the only copy of the secret; nothing can present it any more.
            return


def visit_of(request: HttpRequest) -> dict[str, str]:
    """What the vault is told of a browser that signs in: its session's new name, from where, which."""
    return {
        "session": _session_name(),
        "address": _address(request),
        "device": _device(request),
        "known": device.secret_of(request),
    }


def _enter_or_ask(
    request: HttpRequest, answer: people.SignedIn | people.Second, visit: dict[str, str], now: datetime
) -> Entered | people.Second:
    if isinstance(answer, people.Second):
        request.session[SECOND] = visit["session"]
        return answer
    return _enter(request, answer, visit, now)


def _enter(request: HttpRequest, accepted: people.SignedIn, visit: dict[str, str], now: datetime) -> Entered:
    before = request.COOKIES.get(cookie_name(place_of(accepted.who.role)))
    if before:
        # The cookie is written over: what it held would live on in the vault with nobody to use it.
        with suppress(NorenError):
            people.signout(before)
    open_session(request.session, accepted.who, accepted.grant, name=visit["session"], now=now)
    return Entered(who=accepted.who, grant=accepted.grant, known=visit["known"])


def _session_name() -> str:
    """Return the name by which the ledger knows this sign-in: random, and not the session cookie's key."""
    return secrets.token_urlsafe(16)


def _device(request: HttpRequest) -> str:
    """Return what the browser says it is, for the vault to seal."""
    return request.headers.get("User-Agent", "")[:400]


def _address(request: HttpRequest) -> str:
    """Return from where the request came, for the vault to seal.

    On https a proxy stands in front on this machine: what it saw itself is the last of X-Forwarded-For, and
    what stands before that anybody may have written.
    """
    near = str(request.META.get("REMOTE_ADDR", ""))
    if not settings.SESSION_COOKIE_SECURE:
        return near
    try:
        return str(ip_address(request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()))
    except ValueError:
        return near
