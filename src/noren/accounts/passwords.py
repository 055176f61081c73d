"""Signing in by mail and password, joining by one, setting another by a mailed link: for staff and customers.

The browser and the vault talk, this room carries. Between password and code the vault's ticket is in the page
and the session holds only the name that the ticket is bound to: neither alone goes on.
"""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from noren import people
from noren.accounts.models import end_sessions
from noren.accounts.signin import Entered, _address, _device, _enter, _session_name, visit_of
from noren.errors import CodeRefused
from noren.people import resets

# The name under which the vault knows the visit whose password was right; ends with its session.
HALF_IN = "half_signed_in"


@dataclass(frozen=True, slots=True)
class Second:
    """Mail and password were right; a code is asked for. `ticket` goes into the page and comes with it.

    `mailed`: the code was mailed, and `mailed` takes it; otherwise `code` and `recovery` do.
    """

    ticket: str
    mailed: bool = False


def check(
    request: HttpRequest, shop_id: int, mail: str, password: str, *, now: datetime, proof: str = ""
) -> Entered | Second:
    """Open the session, or ask for a second factor. `proof` answers a challenge.

    PasswordRefused, ChallengeNeeded, ResetRequired, PasskeyRequired, GrantRefused, Busy, VaultUnavailable,
    LedgerUnavailable.
    """
    visit = visit_of(request)
    found = people.password_check(shop_id, mail, password, proof=proof, customer=False, **visit)
    if isinstance(found, people.SignedIn):
        return _enter(request, found, visit, now)
    # Under a new key: whoever knew the session before is not half in with it.
    request.session.cycle_key()
    request.session[HALF_IN] = visit["session"]
    return Second(found.ticket, mailed=found.way == "mail")


def code(request: HttpRequest, ticket: str, typed: str, *, now: datetime) -> Entered:
    """Take a one-time code and open the session. CodeRefused, TooManyTries, PasskeyRequired."""
    visit = _half_in(request)
    return _enter(request, people.totp_check(ticket, typed, **visit), visit, now)


def mailed(request: HttpRequest, ticket: str, typed: str, *, now: datetime) -> Entered:
    """Take a code that was mailed and open the session. CodeRefused, PasskeyRequired."""
    visit = _half_in(request)
    return _enter(request, people.mailed_check(ticket, typed, **visit), visit, now)


def recovery(request: HttpRequest, ticket: str, typed: str, *, now: datetime) -> tuple[Entered, int]:
    """Take a recovery code, and give how many are left, too. CodeRefused, PasskeyRequired."""
    visit = _half_in(request)
    found, left = people.recovery_use(ticket, typed, **visit)
    return _enter(request, found, visit, now), left


def join(request: HttpRequest, invite: str, password: str, *, now: datetime) -> Entered:
    """Join by an invitation with a password and open the session. The invitation is kept nowhere here.

    InviteRefused, BadPassword, MailTaken, PasskeyRequired, GrantRefused (operators), Busy.
    """
    visit = visit_of(request)
    return _enter(request, people.password_join(invite, password, **visit), visit, now)


def ask_reset(request: HttpRequest, shop_id: int, mail: str, *, proof: str = "") -> None:
    """Have a link mailed, if somebody signs in there with this mail. ChallengeNeeded."""
    visit = {"session": _session_name(), "address": _address(request), "device": _device(request)}
    resets.reset_begin(shop_id, mail, proof=proof, **visit)


def reset(token: str, password: str) -> resets.Reset:
    """Set another password, and end every session of the account. ResetRefused, BadPassword, Busy."""
    done = resets.reset_finish(token, password, session=_session_name())
    end_sessions(done.actor)
    return done


def _half_in(request: HttpRequest) -> dict[str, str]:
    """The visit whose password was right, from this browser."""
    name = request.session.get(HALF_IN)
    if not isinstance(name, str):
        raise CodeRefused
    return {**visit_of(request), "session": name}
