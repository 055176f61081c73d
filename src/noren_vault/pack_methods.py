"""The protocol's methods about packs: an operator hands one over, who may change the shop reads it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.grants import Grants
from noren_vault.incident_methods import asker_of
from noren_vault.incidents import LONGEST
from noren_vault.packs import Packs
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.question import PATHS, TAKEN

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40
_ASKED: Final = ("since", "until", "person", "size", *PATHS, *TAKEN)


class PackMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(self, grants: Grants, packs: Packs) -> None:
        """Keep the acts."""
        self._grants = grants
        self._packs = packs
        self.table: dict[str, Method] = {
            "hand_pack": self._hand,
            "packs": self._all,
            "pack_people": self._people,
            "confirm_pack": self._confirm,
        }

    async def _hand(self, params: Params, peer: Peer) -> Wire:
        asker, asked = await asker_of(self._grants, params, peer), params.mapping("question")
        raw = {name: value for name, value in asked.items() if name in _ASKED and value is not None}
        said, incident = params.said("words", most=LONGEST), params.text("incident", most=_ID)
        return {"number": await self._packs.hand(asker, incident, params.shop(), said, raw)}

    async def _all(self, params: Params, _: Peer) -> Wire:
        return {"packs": await self._packs.of_shop(await self._grants.of_shop(params.raw.get("grant")))}

    async def _people(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        return await self._packs.people(grant, params.text("incident", most=_ID))

    async def _confirm(self, params: Params, _: Peer) -> Wire:
        grant, number = await self._grants.of_shop(params.raw.get("grant")), params.number("number")
        return {"number": await self._packs.confirm(grant, params.text("incident", most=_ID), number)}
