"""Who may see what for which purpose: closed lists.

A role comes from the vault's own memberships, never from a request. What is not written here is refused.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from noren_vault.errors import BudgetExceeded, PurposeRefused


class Role(StrEnum):
    """What somebody is in a shop; an operator's shop is 0, the platform."""

    OWNER = "owner"
    MANAGER = "manager"
    STAFF = "staff"
    OPERATOR = "operator"


SHOP_ROLES: Final = (Role.OWNER, Role.MANAGER, Role.STAFF)
PLATFORM: Final = 0


class Purpose(StrEnum):
    """Why somebody looks."""

    TODAY = "today"
    DAY = "day"
    CUSTOMER = "customer"
    SEARCH = "search"
    MESSAGE = "message"
    OWN = "own"
    SUPPORT = "support"
    INCIDENT = "incident"


_LIST: Final = frozenset({"name", "kana", "note"})
_CARD: Final = frozenset({"name", "kana", "mail", "phone", "note", "answers"})
_OWN: Final = frozenset({"name", "kana", "mail", "phone"})
_SEARCH: Final = frozenset({"name", "kana"})
_NONE: Final[frozenset[str]] = frozenset()

# Purpose -> role -> fields. `message` is the courier's, who needs no grant and tells nobody; `support` and
# `incident` wait for powers that are lent for a reason and a time: no role has them by standing.
MATRIX: Final[Mapping[Purpose, Mapping[Role, frozenset[str]]]] = MappingProxyType(
    {
        Purpose.TODAY: dict.fromkeys(SHOP_ROLES, _LIST),
        Purpose.DAY: dict.fromkeys(SHOP_ROLES, _LIST),
        Purpose.CUSTOMER: {
            Role.OWNER: _CARD | {"card_last4"},
            Role.MANAGER: _CARD | {"card_last4"},
            Role.STAFF: _CARD - {"answers"},
        },
        Purpose.SEARCH: dict.fromkeys(SHOP_ROLES, _SEARCH),
        Purpose.MESSAGE: {},
        Purpose.OWN: dict.fromkeys(Role, _OWN),
        Purpose.SUPPORT: {},
        Purpose.INCIDENT: {},
    }
)

WRITABLE: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        Role.OWNER: _CARD,
        Role.MANAGER: _CARD,
        Role.STAFF: _CARD - {"answers"},
        Role.OPERATOR: _NONE,
    }
)

MOST_OF_LISTS: Final = 200
MOST_OF_SEARCH: Final = 20
MOST_OTHERWISE: Final = 100


def purpose_of(text: object) -> Purpose:
    """Read a purpose; one that is not in the list is refused, not guessed. Raises PurposeRefused."""
    try:
        return Purpose(str(text))
    except ValueError:
        raise PurposeRefused("no such purpose") from None


def check_reveal(role: Role, purpose: Purpose, fields: tuple[str, ...]) -> None:
    """Raise PurposeRefused unless the role may see all of the fields for this purpose."""
    if not set(fields) <= MATRIX[purpose].get(role, _NONE):
        raise PurposeRefused(f"{role} may not use {purpose} for {','.join(fields)}")


def check_update(role: Role, fields: tuple[str, ...]) -> None:
    """Raise PurposeRefused unless the role may write all of the fields."""
    if not set(fields) <= WRITABLE[role]:
        raise PurposeRefused(f"{role} may not write {','.join(fields)}")


def check_number(purpose: Purpose, persons: int) -> None:
    """Raise BudgetExceeded when one request asks for more persons than its purpose allows."""
    most = {
        Purpose.TODAY: MOST_OF_LISTS,
        Purpose.DAY: MOST_OF_LISTS,
        Purpose.SEARCH: MOST_OF_SEARCH,
    }.get(purpose, MOST_OTHERWISE)
    if persons > most:
        raise BudgetExceeded(f"{persons} persons in one request", most=most)
