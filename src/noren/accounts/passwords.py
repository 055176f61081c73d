"""Signing in by mail and password, joining by one, setting another by a mailed link: for staff and customers.

The browser and the vault talk, this room carries. Between password and code the vault's ticket is in the page
and the session holds only the name that the ticket is bound to: neither alone goes on.
"""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from noren import people
from noren.accounts.models import end_sessions
from noren.accounts.signin import Entered, _address, _device, _enter, _session_name
from noren.errors import CodeRefused
from noren.people import resets

# The name under which the vault knows the visit whose password was right; ends with its session.
HALF_IN = "half_signed_in"


@dataclass(frozen=True, slots=True)
class Second:
    """Mail and password were right; a code is asked for. `ticket` goes into the page and comes with it."""

    ticket: str


def check(request: HttpRequest, shop_id: int, mail: str, password: str, *, now: datetime) -> Entered | Second:
    """Open the session, or ask for a second factor.

    PasswordRefused, ResetRequired, PasskeyRequired, GrantRefused, Busy, VaultUnavailable, LedgerUnavailable.
    """
    name = _session_name()
    found = people.password_check(
        shop_id, mail, password, session=name, address=_address(request), device=_device(request)
    )
    if isinstance(found, people.SignedIn):
        return _enter(request, found, name, now)
    # Under a new key: whoever knew the session before is not half in with it.
    request.session.cycle_key()
    request.session[HALF_IN] = name
    return Second(found.ticket)


def code(request: HttpRequest, ticket: str, typed: str, *, now: datetime) -> Entered:
    """Take a one-time code and open the session. CodeRefused, PasskeyRequired."""
    name = _half_in(request)
    found = people.totp_check(ticket, typed, session=name, address=_address(request), device=_device(request))
    return _enter(request, found, name, now)


def recovery(request: HttpRequest, ticket: str, typed: str, *, now: datetime) -> tuple[Entered, int]:
    """Take a recovery code, and give how many are left, too. CodeRefused, PasskeyRequired."""
    name = _half_in(request)
    found, left = people.recovery_use(
        ticket, typed, session=name, address=_address(request), device=_device(request)
    )
    return _enter(request, found, name, now), left


def join(request: HttpRequest, invite: str, password: str, *, now: datetime) -> Entered:
    """Join by an invitation with a password and open the session. The invitation is kept nowhere here.

    InviteRefused, BadPassword, MailTaken, PasskeyRequired, GrantRefused (operators), Busy.
    """
    name = _session_name()
    found = people.password_join(
        invite, password, session=name, address=_address(request), device=_device(request)
    )
    return _enter(request, found, name, now)


def ask_reset(request: HttpRequest, shop_id: int, mail: str) -> None:
    """Have a link mailed, if somebody signs in there with this mail."""
    resets.reset_begin(shop_id, mail, session=_session_name(), address=_address(request))


def reset(token: str, password: str) -> resets.Reset:
    """Set another password, and end every session of the account. ResetRefused, BadPassword, Busy."""
    done = resets.reset_finish(token, password, session=_session_name())
    end_sessions(done.actor)
    return done


def _half_in(request: HttpRequest) -> str:
    name = request.session.get(HALF_IN)
    if not isinstance(name, str):
        raise CodeRefused
    return name
