"""Names on a console page: asked for in one recorded batch.

The page goes on by numbers when they cannot be had.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from noren import people
from noren.errors import (
    BudgetExceeded,
    LedgerUnavailable,
    NorenError,
    NoSuchPerson,
    PurposeRefused,
    VaultUnavailable,
)

# What one page asks for at most; the vault refuses longer lists.
MOST = 200


@dataclass(frozen=True, slots=True)
class Names:
    """What was told, and what it cost. `away` says in words why nothing was, `status` is its number."""

    told: dict[UUID, dict[str, str]] = field(default_factory=dict, repr=False)
    budget: people.Budget | None = None
    entry: int | None = None
    away: str = ""
    # Whether it was for want of budget: the page then leads to where more is given.
    over: bool = False
    status: int = 200

    def of(self, person: UUID | None) -> str:
        """The person's name, or else her number."""
        if person is None:
            return _("Nobody")
        return self.told.get(person, {}).get("name") or short(person)

    def kana(self, person: UUID | None) -> str:
        return "" if person is None else self.told.get(person, {}).get("kana", "")

    def answer_to(self, request: HttpRequest) -> int:
        """A refused tap is a refusal; a page that shows more than names goes on by numbers."""
        return self.status if request.method == "POST" else 200


def short(person: UUID) -> str:
    """Enough of an opaque id to tell two customers of a day apart."""
    return _("Customer %(number)s") % {"number": person.hex[:6]}


def refused(refusal: NorenError) -> Names:
    """Nothing was told, and why."""
    return Names(away=refusal.words(), status=refusal.status, over=isinstance(refusal, BudgetExceeded))


def ask(
    grant: str,
    purpose: people.Purpose,
    persons: Iterable[UUID | None],
    fields: tuple[str, ...],
    also: tuple[str, ...] = (),
) -> Names:
    """Reveal `fields` of the persons. Raises GrantExpired, GrantRefused; everything else the page says.

    `also` are told where the role may see them: a shop that has narrowed it leaves the rest as it is.
    """
    wanted = list(dict.fromkeys(person for person in persons if person is not None))[:MOST]
    if not wanted:
        return Names()
    try:
        seen = _reveal(grant, purpose, wanted, fields, also)
    except (VaultUnavailable, LedgerUnavailable, BudgetExceeded, PurposeRefused, NoSuchPerson) as refusal:
        return refused(refusal)
    return Names(told=seen.persons, budget=seen.budget, entry=seen.entry)


def _reveal(
    grant: str, purpose: people.Purpose, persons: list[UUID], fields: tuple[str, ...], also: tuple[str, ...]
) -> people.Revealed:
    # Refused, nothing was told and nothing is on record: what is left of `also` is asked for.
    for more in (also, *((each,) for each in also if len(also) > 1)):
        try:
            return people.reveal(grant, purpose, persons, fields + more)
        except PurposeRefused:
            if not more:
                raise
    return people.reveal(grant, purpose, persons, fields)
