"""What a role of a shop may do there: named permissions, a closed list.

A shop's owner may take some of them from a role in her shop (`permits`), and never add any. Which fields
somebody sees is `rights`' to say; without the permission of a purpose there is no field left for it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from noren_vault.rights import Narrowed, Purpose, Role


class Permission(StrEnum):
    """One thing that somebody may do in a shop."""

    DAY_SEE = "day.see"
    BOOKINGS_SEE = "bookings.see"
    BOOKINGS_CHANGE = "bookings.change"
    BOOKINGS_SETTLE = "bookings.settle"
    CUSTOMERS_SEE = "customers.see"
    CUSTOMERS_CHANGE = "customers.change"
    HOURS_CHANGE = "hours.change"
    LISTS_EXPORT = "lists.export"
    LISTS_IMPORT = "lists.import"
    BUDGET_APPROVE = "budget.approve"
    SHOP_CHANGE = "shop.change"
    MEMBERS_CHANGE = "members.change"


_ALL: Final = frozenset(Permission)
_AT_THE_DESK: Final = frozenset(
    {
        Permission.DAY_SEE,
        Permission.BOOKINGS_SEE,
        Permission.BOOKINGS_CHANGE,
        Permission.CUSTOMERS_SEE,
        Permission.CUSTOMERS_CHANGE,
    }
)
# An accountant sees bookings by number: when, what, at which price. Nobody's name.
OF_ROLE: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.OWNER: _ALL,
        Role.MANAGER: _ALL - {Permission.MEMBERS_CHANGE},
        Role.STAFF: _AT_THE_DESK,
        Role.RECEPTION: _AT_THE_DESK,
        Role.ACCOUNTANT: frozenset({Permission.DAY_SEE, Permission.BOOKINGS_SEE}),
    }
)
# From whom an owner may take some: not from owners, who would give it back.
TAKEN_FROM: Final = (Role.MANAGER, Role.STAFF, Role.RECEPTION, Role.ACCOUNTANT)

# Without it, no field for the purpose. One's own data need none.
_OF_PURPOSE: Final[Mapping[Purpose, Permission]] = MappingProxyType(
    {
        Purpose.TODAY: Permission.DAY_SEE,
        Purpose.DAY: Permission.DAY_SEE,
        Purpose.DAY_SHEET: Permission.DAY_SEE,
        Purpose.CHECK_IN: Permission.BOOKINGS_SEE,
        Purpose.CUSTOMER: Permission.CUSTOMERS_SEE,
        Purpose.SEARCH: Permission.CUSTOMERS_SEE,
        Purpose.EXPORT: Permission.LISTS_EXPORT,
        Purpose.MEMBERS: Permission.MEMBERS_CHANGE,
    }
)


def left(role: Role, taken: Iterable[str] = ()) -> frozenset[Permission]:
    """Give what a role may do in a shop that has `taken` some of it."""
    gone = set(taken) if role in TAKEN_FROM else set()
    return frozenset(one for one in OF_ROLE.get(role, frozenset()) if one not in gone)


def narrowed_by(permissions: frozenset[Permission], narrowed: Narrowed) -> Narrowed:
    """Leave no field for a purpose whose permission is not there."""
    lacking = {purpose for purpose, needed in _OF_PURPOSE.items() if needed not in permissions}
    return {**narrowed, **dict.fromkeys(lacking, frozenset[str]())}


def named(names: Iterable[Permission]) -> list[str]:
    """Give them in the order of the list, as on the wire."""
    held = set(names)
    return [str(one) for one in Permission if one in held]
