"""The protocol's methods of the inventory of secrets: an operator's, or an administrator's process."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.grants import Grants
from noren_vault.incident_methods import asker_of
from noren_vault.inventory import Inventory, New
from noren_vault.peer import Peer
from noren_vault.protocol import Params

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_SHORT = 40


class InventoryMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(self, grants: Grants, inventory: Inventory) -> None:
        """Keep the acts."""
        self._grants = grants
        self._inventory = inventory
        self.table: dict[str, Method] = {
            "secrets": self._all,
            "note_secret": self._note,
            "end_secret_note": self._end,
        }

    async def _all(self, params: Params, peer: Peer) -> Wire:
        return await self._inventory.all(await asker_of(self._grants, params, peer))

    async def _note(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        new = New(
            kind=params.text("kind", most=_SHORT),
            secret=params.text("secret", "", most=_SHORT),
            place=params.text("place", "", most=_SHORT),
            reaches=params.items("reaches") if "reaches" in params.raw else (),
            rotated_at=params.maybe_number("rotated_at"),
            words=params.texts("words"),
        )
        return {"secret": await self._inventory.note(asker, new)}

    async def _end(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        await self._inventory.end(asker, params.text("note", most=_SHORT))
        return {}
