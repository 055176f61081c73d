"""Whom an address serves: each view declares exactly one rule, and the matrix of tests is made of them.

A rule only says it. Who guards is `access`, whose decorators declare the rule that they keep; `public`,
`own_link`, `customer` and `key` are for views that ask nobody, or ask in their own way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])


class Permission(StrEnum):
    """What somebody may do in a shop, by its name. The vault's list; who has which is the vault's, too."""

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


class Kind(StrEnum):
    """Whom."""

    # Everybody.
    PUBLIC = "public"
    # Whoever holds the link: its token is in the address.
    OWN_LINK = "own link"
    # A customer who proved her address to this shop; others are shown the way in.
    CUSTOMER = "customer"
    # Whoever is signed in, as whom does not matter.
    SIGNED_IN = "signed in"
    # Whoever works for a shop, and of these who has one of the named permissions.
    MEMBER = "member"
    PERMISSION = "permission"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    # Operators and auditors.
    PLATFORM = "platform"
    # An operator to whom the named power was lent.
    POWER = "power"
    # Auditors, and an operator under the power to read the record.
    RECORD = "record"
    # A shop's own program, whose key has the named scope.
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a view serves; `names` are permissions, of which one is enough, a power, or a scope."""

    kind: Kind
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Read as it is declared."""
        return f"{self.kind}({' or '.join(self.names)})" if self.names else str(self.kind)


class RuleDeclaredTwice(TypeError):
    """A view has one rule: of two, one would not be kept."""


def declare(view: V, rule: Rule) -> V:
    """Write the rule on the view; decorators that are put around it carry it on."""
    if rule_of(view) is not None:
        raise RuleDeclaredTwice(f"{view.__name__}: {rule_of(view)} and {rule}")
    view.rule = rule  # type: ignore[attr-defined]
    return view


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """Give the view's rule; None is a mistake that `make check` finds."""
    found = getattr(view, "rule", None)
    return found if isinstance(found, Rule) else None


def public(view: V) -> V:
    """Declare that the view serves everybody."""
    return declare(view, Rule(Kind.PUBLIC))


def own_link(view: V) -> V:
    """Declare that the view serves whoever holds the link."""
    return declare(view, Rule(Kind.OWN_LINK))


def customer(view: V) -> V:
    """Declare that the view tells a customer's own data to herself, and shows others the way in."""
    return declare(view, Rule(Kind.CUSTOMER))


def key(scope: str) -> Callable[[V], V]:
    """Declare that the view serves whoever shows a key of the shop that has this scope."""

    def declared(view: V) -> V:
        return declare(view, Rule(Kind.KEY, (scope,)))

    return declared
