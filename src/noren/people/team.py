"""The door's function about who works for a shop, as the worker knows them: ids, and what each may do.

To be written to, not to be looked at: no name, no address. The pages may not ask.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from noren.people import wire


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who has joined a shop. `staff`: her key there, where she serves."""

    handle: str
    role: str
    staff: str | None
    person: UUID
    permissions: frozenset[str]


def of(shop_id: int) -> tuple[Member, ...]:
    """Return who works for the shop and has joined. Raises VaultUnavailable."""
    answer = wire.call(str(settings.VAULT_SOCKET), "team", {"shop": shop_id}, seconds=10.0)
    return tuple(
        Member(
            handle=one["handle"],
            role=one["role"],
            staff=one["staff"],
            person=UUID(one["person"]),
            permissions=frozenset(one["permissions"]),
        )
        for one in answer["team"]
    )
