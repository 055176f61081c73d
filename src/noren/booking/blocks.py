"""Time of a resource that cannot be booked: a pause, a day off."""

from datetime import datetime
from typing import Any

from noren.booking import referee
from noren.booking.transact import Actor
from noren.engine.model import Claim
from noren.shops.rules import known
from noren.shops.tenancy import write_in


def block(
    shop_id: int,
    resource_id: int,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
) -> int:
    """Close a resource for a while, over bookings too (they stay, and keep their claims). Gives its id."""
    with write_in(shop_id):
        rules = known().rules
        first, last = int(start.timestamp()) // 60, -(-int(end.timestamp()) // 60)
        claims = [
            Claim(each, rules.resources[each].stock, first, last, first, last)
            for each in _leaves(rules.resources, resource_id)
        ]
        values = {
            "resource_id": resource_id,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "kind": "block",
            "why": reason,
        }
        return referee.block(rules, values, claims, now=now, by=by)


def unblock(shop_id: int, block_id: int) -> None:
    """Open it again."""
    with write_in(shop_id):
        referee.unblock(block_id)


def _leaves(resources: Any, resource_id: int) -> list[int]:
    parts = resources[resource_id].parts
    found = [leaf for part in parts for leaf in _leaves(resources, part)] if parts else [resource_id]
    return sorted(set(found))
