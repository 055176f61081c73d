"""The door's functions about who works for which shops: permissions, invitations, going over to another shop.

They raise as `client`'s do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from noren.people import wire
from noren.people.client import signed_in
from noren.people.model import Invited, SignedIn


@dataclass(frozen=True, slots=True)
class Permits:
    """What the platform permits a role (`most`), and what the shop left of it. `fixed`: nothing is taken."""

    role: str
    most: tuple[str, ...]
    left: tuple[str, ...]
    fixed: bool


def _call(method: str, params: Mapping[str, Any], *, seconds: float = 10.0) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, dict(params), seconds=seconds)


def permissions(grant: str) -> tuple[Permits, ...]:
    """What each role may do in the grant's shop; an owner asks."""
    return tuple(
        Permits(one["role"], tuple(one["most"]), tuple(one["left"]), one["fixed"])
        for one in _call("permissions", {"grant": grant})["permissions"]
    )


def permit(grant: str, role: str, permission: str, *, given: bool) -> None:
    """Take a permission from a role, or give it back; an owner's act, biting at once."""
    _call("permit", {"grant": grant, "role": role, "permission": permission, "given": given})


def resend_invite(grant: str, handle: str) -> Invited:
    """Mail a new link to whom was invited; the old one ends. Raises NoSuchMember, AlreadyJoined."""
    answer = _call("resend_invite", {"grant": grant, "handle": handle}, seconds=60)["invited"]
    return Invited(handle=answer["handle"], mail=answer["mail"])


def join_begin(invite: str) -> dict[str, Any]:
    """Options for `navigator.credentials.get`, bound to the invitation. Raises InviteRefused."""
    return dict(_call("join_begin", {"invite": invite})["options"])


def join_finish(
    invite: str,
    response: Mapping[str, Any],
    *,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
) -> SignedIn:
    """Take an invitation with a passkey that is there. InviteRefused, PasskeyRefused, AlreadyJoined."""
    visit = {"session": session, "address": address, "device": device, "known": known}
    return signed_in(_call("join_finish", {"invite": invite, "response": dict(response), **visit}))


def enter_shop(
    grant: str, shop_id: int, *, session: str = "", address: str = "", device: str = "", known: str = ""
) -> SignedIn:
    """Go to another shop one works for; the grant at hand ends. GrantRefused: not there, or no passkey."""
    visit = {"session": session, "address": address, "device": device, "known": known}
    return signed_in(_call("enter_shop", {"grant": grant, "shop": shop_id, **visit}))
