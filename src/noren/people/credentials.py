"""The door's functions on passwords and second factors. Each raises what `client`'s raise, too.

What an account signs in with is changed within five minutes after somebody signed in or confirmed that it is
she (FreshSignInNeeded). `shop_id` is the shop in which somebody signs in: an account is a shop's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from noren.people import wire
from noren.people.client import entered, signed_in
from noren.people.model import Second, SignedIn


@dataclass(frozen=True, slots=True)
class TotpSeed:
    """A new seed of one-time codes, shown once: in base32, and as the `otpauth:` address of a QR code."""

    secret: str
    uri: str


def _call(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, dict(params), seconds=10)


def password_set(grant: str, password: str, *, words: Sequence[str] = (), old: str | None = None) -> None:
    """Set the account's password and end its other sessions. `words`: names of shop and service.

    By the `old` one, or else by a passkey that was shown within five minutes, a customer by having come in
    within them (FreshSignInNeeded). Raises OwnPasswordRefused, BadPassword (facts: reason, least, most),
    MailTaken, MailUnproved, Busy.
    """
    _call("password_set", {"grant": grant, "password": password, "words": list(words), "old": old})


def password_join(
    invite: str,
    password: str,
    *,
    words: Sequence[str] = (),
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
) -> SignedIn:
    """Join by an invitation with a password instead of a passkey. Raises InviteRefused, BadPassword, Busy."""
    params = {"invite": invite, "password": password, "words": list(words)}
    visit = {"session": session, "address": address, "device": device, "known": known}
    return signed_in(_call("password_set", {**params, **visit}))


def password_check(
    shop_id: int,
    mail: str,
    password: str,
    *,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
    proof: str = "",
    customer: bool = False,
) -> SignedIn | Second:
    """Sign in by mail and password, as one who works there, or as a `customer`.

    `known` is the browser's secret, `proof` answers a challenge. Raises PasswordRefused (also for an unknown
    mail), ChallengeNeeded, GrantRefused, Busy.
    """
    params = {
        "shop": shop_id,
        "mail": mail,
        "password": password,
        "session": session,
        "address": address,
        "device": device,
        "known": known,
        "proof": proof,
        "customer": customer,
    }
    return entered(_call("password_check", params))


def mailed_check(
    ticket: str, code: str, *, session: str = "", address: str = "", device: str = "", known: str = ""
) -> SignedIn:
    """Finish a sign-in with the code that was mailed for it. Raises CodeRefused."""
    params = {"second": ticket, "code": code, "session": session, "address": address, "device": device}
    return signed_in(_call("mailed_check", {**params, "known": known}))


def totp_begin(grant: str) -> TotpSeed:
    """Make a seed; codes are asked for once `totp_finish` has seen one. Raises FreshSignInNeeded."""
    answer = _call("totp_begin", {"grant": grant})
    return TotpSeed(secret=answer["secret"], uri=answer["uri"])


def totp_finish(grant: str, code: str) -> None:
    """Turn one-time codes on with a first one. Raises CodeRefused, FreshSignInNeeded."""
    _call("totp_finish", {"grant": grant, "code": code})


def totp_end(grant: str) -> None:
    """Turn one-time codes off. Raises FreshSignInNeeded; BadPassword: too short to stand alone."""
    _call("totp_end", {"grant": grant})


def totp_check(
    ticket: str, code: str, *, session: str = "", address: str = "", device: str = "", known: str = ""
) -> SignedIn:
    """Finish a sign-in with a one-time code, in the session of the ticket. CodeRefused, TooManyTries."""
    params = {"second": ticket, "code": code, "session": session, "address": address, "device": device}
    return signed_in(_call("totp_check", {**params, "known": known}))


def recovery_make(grant: str) -> tuple[str, ...]:
    """Make ten recovery codes in place of the old ones; shown once. NoSecondFactor, FreshSignInNeeded."""
    return tuple(_call("recovery_make", {"grant": grant})["codes"])


def recovery_use(
    ticket: str, code: str, *, session: str = "", address: str = "", device: str = "", known: str = ""
) -> tuple[SignedIn, int]:
    """Finish a sign-in with a recovery code; gives how many are left, too. Raises CodeRefused."""
    params = {"second": ticket, "code": code, "session": session, "address": address, "device": device}
    answer = _call("recovery_use", {**params, "known": known})
    return signed_in(answer), int(answer["codes_left"])
