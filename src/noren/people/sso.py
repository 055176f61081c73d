"""The door's functions on signing in by an organisation's own provider. Each raises what `client`'s do, too.

`shop_id` 0 is the platform: its operators.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from noren.people import wire
from noren.people.client import signed_in
from noren.people.model import SignedIn

PLATFORM = 0


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a shop's people sign in; `required`: and nowhere else."""

    host: str
    required: bool


@dataclass(frozen=True, slots=True)
class Onward:
    """The provider's page to go to. `flow` stays with the browser and comes back with the answer."""

    url: str
    host: str
    flow: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vouched:
    """An operator for whom the provider has vouched; `ticket` goes with her passkey's answer."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Linked:
    """The account that asked is bound to whoever signed in at the provider."""


@dataclass(frozen=True, slots=True)
class SsoSettings:
    """A shop's provider. An empty secret leaves the one that is there."""

    issuer: str
    client_id: str
    claim: str
    roles: Mapping[str, str]
    domains: tuple[str, ...] = ()
    arrivals: bool = False
    required: bool = False
    secret: str = field(default="", repr=False)

    def to_wire(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "secret": self.secret,
            "claim": self.claim,
            "roles": dict(self.roles),
            "domains": list(self.domains),
            "arrivals": self.arrivals,
            "required": self.required,
        }


def _call(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    # The vault asks the provider meanwhile, for fifteen seconds at most.
    return wire.call(str(settings.VAULT_SOCKET), method, dict(params), seconds=25)


def sso_at(shop_id: int) -> Provider | None:
    """Where a shop's people sign in, or None: here."""
    at = _call("sso_at", {"shop": shop_id})["at"]
    return None if at is None else Provider(**at)


def sso_begin(shop_id: int = PLATFORM, *, invite: str | None = None, grant: str | None = None) -> Onward:
    """Begin at the provider: to sign in, to join by an invitation, or to bind the grant's account.

    Raises NoSso, SsoAway, InviteRefused, FreshSignInNeeded.
    """
    return Onward(**_call("sso_begin", {"shop": shop_id, "invite": invite, "grant": grant}))


def sso_finish(
    flow: str,
    answer: Mapping[str, str],
    *,
    grant: str | None = None,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
) -> SignedIn | Vouched | Linked:
    """Hand over what the provider answered: `state`, `code`, `iss`.

    Raises SsoRefused, SsoAway, SsoUnknown, SsoNoGroup, SsoTaken, InviteRefused, GrantRefused.
    """
    visit = {"session": session, "address": address, "device": device, "known": known}
    told = _call("sso_finish", {"flow": flow, **answer, "grant": grant, **visit})
    if "linked" in told:
        return Linked()
    return Vouched(told["first"]) if "first" in told else signed_in(told)


def sso_logout(shop_id: int, token: str) -> int:
    """Hand over a provider's logout token; gives how many sign-ins ended. Raises SsoRefused, NoSso."""
    return int(_call("sso_logout", {"shop": shop_id, "token": token})["ended"])


def sso(grant: str) -> SsoSettings | None:
    """The shop's settings, without the secret; an owner asks."""
    told = _call("sso", {"grant": grant})["sso"]
    return None if told is None else SsoSettings(**{**told, "domains": tuple(told["domains"])})


def sso_set_begin(grant: str, wanted: SsoSettings | None) -> dict[str, Any]:
    """Options for confirming these by passkey; None: to sign in by no provider. SsoSetting, NoSso."""
    return dict(_call("sso_set_begin", {"grant": grant, "sso": _wire(wanted)})["options"])


def sso_set_finish(grant: str, wanted: SsoSettings | None, response: Mapping[str, Any]) -> None:
    """Check the passkey's answer and take the settings. Raises PasskeyRefused, SsoNotTried."""
    _call("sso_set_finish", {"grant": grant, "sso": _wire(wanted), "response": dict(response)})


def sso_platform(wanted: SsoSettings | None) -> None:
    """Take the platform's settings; an administrator's process. Raises SsoSetting, NoSso, SsoNotTried."""
    _call("sso_platform", {"sso": _wire(wanted)})


def _wire(wanted: SsoSettings | None) -> dict[str, Any]:
    return {} if wanted is None else wanted.to_wire()
