"""Who may see what for which purpose: closed lists.

A role comes from the vault's own tables, never from a request. What is not written here is refused. A shop's
owner may leave less of it to a role in that shop (`narrowing`), and never more.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from noren_vault.errors import BudgetExceeded, PurposeRefused

Narrowed = Mapping[str, frozenset[str]]
WHOLE: Final[Narrowed] = MappingProxyType({})


class Role(StrEnum):
    """What somebody is in a shop; an operator's and an auditor's is 0, the platform. A customer is one of its
    persons, a key is a program of the shop's; nobody is added as one.
    """

    OWNER = "owner"
    MANAGER = "manager"
    STAFF = "staff"
    RECEPTION = "reception"
    ACCOUNTANT = "accountant"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    KEY = "key"
    AUDITOR = "auditor"


# Whom an owner may add to a shop; the first two decide there.
SHOP_ROLES: Final = (Role.OWNER, Role.MANAGER, Role.STAFF, Role.RECEPTION, Role.ACCOUNTANT)
DECIDING: Final = (Role.OWNER, Role.MANAGER)
PLATFORM_ROLES: Final = (Role.OPERATOR, Role.AUDITOR)
PLATFORM: Final = 0


class What(StrEnum):
    """What may be lent to an operator, each with an act behind it; the last three are done once."""

    SUPPORT_SHOP = "support_shop"
    READ_INCIDENT = "read_incident"
    READ_LEDGER_ENTRIES = "read_ledger_entries"
    ROTATE_KEYS = "rotate_keys"
    END_GRANTS = "end_grants"
    INVITE_OPERATOR = "invite_operator"
    INVITE_AUDITOR = "invite_auditor"
    END_MEMBER = "end_member"


OF_A_SHOP: Final = (What.SUPPORT_SHOP, What.READ_INCIDENT)
INVITING: Final = (What.INVITE_OPERATOR, What.INVITE_AUDITOR)
ONCE: Final = (*INVITING, What.END_MEMBER)


class Purpose(StrEnum):
    """Why somebody looks."""

    TODAY = "today"
    DAY = "day"
    DAY_SHEET = "day_sheet"
    CUSTOMER = "customer"
    SEARCH = "search"
    CHECK_IN = "check_in"
    MESSAGE = "message"
    EXPORT = "export"
    SUPPORT = "support"
    OWN = "own"
    INCIDENT = "incident"
    MEMBERS = "members"


_LIST: Final = frozenset({"name", "kana", "note", "guests", "tags"})
_CONTACTS: Final = frozenset({"name", "kana", "mail", "phone"})
_CARD: Final = _CONTACTS | {"note"}
_DESK: Final = _CARD | {"guests"}
_BOOKED: Final = frozenset({"answers", "health", "guests"})
_ALL: Final = _CARD | _BOOKED
# What the shop writes of her: marks and notes for all at the desk, what was done at a visit for who serves.
_MARKED: Final = frozenset({"tags", "notes"})
_KEPT: Final = _MARKED | {"chart"}
_NONE: Final[frozenset[str]] = frozenset()
_AT_THE_DESK: Final = (Role.OWNER, Role.MANAGER, Role.STAFF, Role.RECEPTION)

# Purpose -> role -> fields. Answers are for who decides and for who serves, one customer's page at a time and
# in no list; those about health are a class of their own. Whom a customer brings is told where her name is.
# `message` is the courier's, who needs no grant and tells nobody; `export` is a flow of its own, with a
# second person; `support` and `incident` hold under a lent power only (`LENT`): no role has them by standing.
# `day_sheet` is what reception has on paper when nothing answers: who comes, and how to reach her.
# `members` is for who works there, and shows no customer. An accountant sees nobody: money goes by numbers;
# nor does an auditor, not even herself. A program sees names and contacts, never free text.
MATRIX: Final[Mapping[Purpose, Mapping[Role, frozenset[str]]]] = MappingProxyType(
    {
        Purpose.TODAY: dict.fromkeys(_AT_THE_DESK, _LIST),
        Purpose.DAY: dict.fromkeys(_AT_THE_DESK, _LIST) | {Role.KEY: frozenset({"name", "kana"})},
        Purpose.DAY_SHEET: dict.fromkeys(_AT_THE_DESK, frozenset({"name", "kana", "phone"})),
        Purpose.CUSTOMER: {
            Role.OWNER: _ALL | _KEPT | {"card_last4"},
            Role.MANAGER: _ALL | _KEPT | {"card_last4"},
            Role.STAFF: _ALL | _KEPT,
            Role.RECEPTION: _DESK | _MARKED,
            Role.KEY: _CONTACTS,
        },
        Purpose.SEARCH: dict.fromkeys(_AT_THE_DESK, frozenset({"name", "kana", "tags"})),
        Purpose.CHECK_IN: dict.fromkeys(_AT_THE_DESK, _LIST | {"phone"}),
        Purpose.MESSAGE: {},
        Purpose.EXPORT: dict.fromkeys(DECIDING, _CARD),
        Purpose.SUPPORT: {Role.OPERATOR: frozenset({"name", "kana"})},
        Purpose.OWN: {
            role: _CONTACTS | _BOOKED if role is Role.CUSTOMER else _CONTACTS
            for role in Role
            if role not in (Role.AUDITOR, Role.KEY)
        },
        Purpose.INCIDENT: {Role.OPERATOR: _CONTACTS},
        Purpose.MEMBERS: {Role.OWNER: frozenset({"name", "mail"})},
    }
)
# The purposes that no role has by standing, and the power that gives each.
LENT: Final[Mapping[Purpose, What]] = MappingProxyType(
    {Purpose.SUPPORT: What.SUPPORT_SHOP, Purpose.INCIDENT: What.READ_INCIDENT}
)
# Purposes that a reveal may not name: other ways lead there.
ELSEWHERE: Final = frozenset({Purpose.MESSAGE, Purpose.EXPORT})

# Written whole. Tags, notes and charts grow by lines (`card`), so that nobody's are written over.
WRITABLE: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        Role.OWNER: _ALL,
        Role.MANAGER: _ALL,
        Role.STAFF: _ALL,
        Role.RECEPTION: _DESK,
        Role.ACCOUNTANT: _NONE,
        Role.CUSTOMER: _CONTACTS,
        Role.OPERATOR: _NONE,
        Role.KEY: _NONE,
        Role.AUDITOR: _NONE,
    }
)

MOST_OF_LISTS: Final = 200
MOST_OF_SEARCH: Final = 20
MOST_OTHERWISE: Final = 100
MOST_OF_HEALTH: Final = 1


def purpose_of(text: object) -> Purpose:
    """Read a purpose; one that is not in the list is refused, not guessed. Raises PurposeRefused."""
    try:
        return Purpose(str(text))
    except ValueError:
        raise PurposeRefused("no such purpose") from None


def allowed(
    role: Role, purpose: Purpose, narrowed: Narrowed = WHOLE, *, lent: What | None = None
) -> frozenset[str]:
    """Give the fields that the role may see for this purpose, in a shop that has `narrowed` the role.

    `lent` is the power under which somebody looks.
    """
    most = MATRIX[purpose].get(role, _NONE)
    if LENT.get(purpose) is not lent:
        return _NONE
    return most & narrowed[purpose] if purpose in narrowed else most


def check_reveal(
    role: Role,
    purpose: Purpose,
    fields: tuple[str, ...],
    narrowed: Narrowed = WHOLE,
    *,
    lent: What | None = None,
) -> None:
    """Raise PurposeRefused unless the role may see all of the fields for this purpose."""
    if not set(fields) <= allowed(role, purpose, narrowed, lent=lent):
        raise PurposeRefused(f"{role} may not use {purpose} for {','.join(fields)}")


def check_update(role: Role, fields: tuple[str, ...]) -> None:
    """Raise PurposeRefused unless the role may write all of the fields."""
    if not set(fields) <= WRITABLE[role]:
        raise PurposeRefused(f"{role} may not write {','.join(fields)}")


def check_number(purpose: Purpose, persons: int, fields: tuple[str, ...] = ()) -> None:
    """Raise BudgetExceeded when one request asks for more persons than its purpose, or a field, allows."""
    most = {
        Purpose.TODAY: MOST_OF_LISTS,
        Purpose.DAY: MOST_OF_LISTS,
        Purpose.DAY_SHEET: MOST_OF_LISTS,
        Purpose.MEMBERS: MOST_OF_LISTS,
        Purpose.SEARCH: MOST_OF_SEARCH,
    }.get(purpose, MOST_OTHERWISE)
    if "health" in fields:
        most = MOST_OF_HEALTH
    if persons > most:
        raise BudgetExceeded(f"{persons} persons in one request", most=most)
