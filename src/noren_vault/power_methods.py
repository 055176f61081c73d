"""The protocol's methods about powers, and about who belongs to the platform."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.grants import Grant, Grants
from noren_vault.peer import Peer
from noren_vault.platform import Platform
from noren_vault.power_asks import LONGEST, Ask
from noren_vault.powers import Powers
from noren_vault.protocol import Params

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40


class PowerMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(self, grants: Grants, powers: Powers, platform: Platform) -> None:
        """Keep the acts."""
        self._grants = grants
        self._powers = powers
        self._platform = platform
        self.table: dict[str, Method] = {
            "powers": self._all,
            "ask_power": self._ask,
            "glass_begin": self._glass_begin,
            "break_glass": self._break_glass,
            "lend_begin": self._lend_begin,
            "lend_finish": self._lend_finish,
            "decline_power": self._decline,
            "enter_power": self._enter,
            "end_power": self._end,
            "review_power": self._review,
            "platform_people": self._people,
        }

    async def _operator(self, params: Params) -> Grant:
        return await self._grants.of_platform(params.raw.get("grant"))

    async def _all(self, params: Params, _: Peer) -> Wire:
        return await self._powers.all(await self._grants.check(params.raw.get("grant")))

    async def _ask(self, params: Params, _: Peer) -> Wire:
        return {"power": await self._powers.ask(await self._operator(params), Ask.of(params))}

    async def _glass_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._powers.glass_begin(await self._operator(params), Ask.of(params))}

    async def _break_glass(self, params: Params, _: Peer) -> Wire:
        grant, ask = await self._operator(params), Ask.of(params)
        return {"power": await self._powers.break_glass(grant, ask, params.mapping("response"))}

    async def _lend_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._powers.agree_begin(await self._operator(params), _id(params))}

    async def _lend_finish(self, params: Params, _: Peer) -> Wire:
        await self._powers.agree(await self._operator(params), _id(params), params.mapping("response"))
        return {}

    async def _decline(self, params: Params, _: Peer) -> Wire:
        await self._powers.decline(await self._operator(params), _id(params))
        return {}

    async def _enter(self, params: Params, _: Peer) -> Wire:
        return {"power": await self._powers.enter(await self._operator(params), _id(params))}

    async def _end(self, params: Params, _: Peer) -> Wire:
        await self._powers.end(await self._grants.check(params.raw.get("grant")), _id(params))
        return {}

    async def _review(self, params: Params, _: Peer) -> Wire:
        grant, words = await self._operator(params), params.text("words", most=LONGEST)
        await self._powers.review(grant, _id(params), words)
        return {}

    async def _people(self, params: Params, _: Peer) -> Wire:
        return {"people": await self._platform.people(await self._grants.check(params.raw.get("grant")))}


def _id(params: Params) -> str:
    return params.text("power", most=_ID)
