"""The door's functions of another password by mail, and of who signs in with a passkey only.

Each raises what `client`'s raise, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.people import wire


@dataclass(frozen=True, slots=True)
class Reset:
    """Whose password was set. `kind`: member or customer. Every session of the account is to end."""

    actor: UUID
    shop_id: int
    kind: str


def _call(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=10)


def reset_begin(
    shop_id: int, mail: str, *, session: str = "", address: str = "", device: str = "", proof: str = ""
) -> None:
    """Have a link mailed to who signs in with this mail. The answer is the same, as soon, for everybody.

    Raises ChallengeNeeded, which `proof` answers.
    """
    visit = {"session": session, "address": address, "device": device, "proof": proof}
    _call("reset_begin", {"shop": shop_id, "mail": mail, **visit})


def reset_finish(token: str, password: str, *, words: Sequence[str] = (), session: str = "") -> Reset:
    """Set another password by the link's token; signs in nobody. Raises ResetRefused, BadPassword, Busy."""
    params = {"token": token, "password": password, "words": list(words), "session": session}
    answer = _call("reset_finish", params)
    return Reset(actor=UUID(answer["actor"]), shop_id=answer["shop"], kind=answer["kind"])


def passkey_rule(grant: str) -> tuple[str, ...]:
    """The roles whose people sign in with a passkey only. GrantRefused: neither owner nor manager."""
    return tuple(_call("passkey_rule", {"grant": grant})["roles"])


def require_passkeys(grant: str, roles: Iterable[str]) -> None:
    """Ask these roles, and no others, for passkeys. An owner's; raises FreshSignInNeeded, GrantRefused."""
    _call("require_passkeys", {"grant": grant, "roles": list(roles)})
