"""The door's functions on API keys. Each raises what `client`'s raise, too.

A key itself passes through here and is kept nowhere: the vault has its hash, and knows what it may do.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import wire
from noren.people.client import revealed
from noren.people.model import Revealed

SCOPES: Final = ("bookings:read", "bookings:write", "people:read")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its shop sees it: everything but the key. `holds`: neither ended nor over."""

    name: str
    label: str
    scopes: tuple[str, ...]
    by: str
    made: datetime
    expires: datetime
    used: datetime | None
    ended: datetime | None
    holds: bool


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made, told this once."""

    name: str
    key: str = field(repr=False)
    expires: datetime


def _call(method: str, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=10)


def api_keys(grant: str) -> tuple[ApiKey, ...]:
    """The shop's keys, newest first, ended ones for 90 days; an owner or manager asks. GrantRefused."""
    return tuple(_key(one) for one in _call("api_keys", grant=grant)["keys"])


def make_api_key(grant: str, *, label: str, scopes: Iterable[str], days: int) -> NewApiKey:
    """Make a key. Raises FreshSignInNeeded (more than five minutes ago), TooManyApiKeys, GrantRefused."""
    told = _call("make_api_key", grant=grant, label=label, scopes=list(scopes), days=days)
    return NewApiKey(told["name"], told["key"], _instant(told["expires"]))


def end_api_key(grant: str, name: str) -> None:
    """End a key for good: it holds for no request that comes after. NoSuchApiKey, GrantRefused."""
    _call("end_api_key", grant=grant, name=name)


def use_api_key(key: str, shop_id: int, scope: str) -> str:
    """Ask whether a key may do this in the shop now; gives its name. Raises ApiKeyRefused, ScopeNeeded."""
    return str(_call("use_api_key", key=key, shop=shop_id, scope=scope)["name"])


def reveal_by_key(
    key: str, shop_id: int, purpose: str, persons: Iterable[UUID], fields: Iterable[str]
) -> Revealed:
    """Ask for plaintext by a key. Raises ApiKeyRefused, ScopeNeeded, and as `reveal`."""
    asked: dict[str, Any] = {
        "key": key,
        "shop": shop_id,
        "purpose": purpose,
        "persons": [str(person) for person in persons],
        "fields": list(fields),
        "nonce": secrets.token_hex(16),
    }
    return revealed(_call("reveal_by_key", **asked))


def _key(told: dict[str, Any]) -> ApiKey:
    return ApiKey(
        name=told["name"],
        label=told["label"],
        scopes=tuple(told["scopes"]),
        by=told["by"],
        made=_instant(told["made"]),
        expires=_instant(told["expires"]),
        used=None if told["used"] is None else _instant(told["used"]),
        ended=None if told["ended"] is None else _instant(told["ended"]),
        holds=told["holds"],
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
