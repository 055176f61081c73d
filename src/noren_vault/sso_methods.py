"""The protocol's methods of signing in by an organisation's provider: read the params, call one act."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.errors import GrantRefused
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.rights import Role
from noren_vault.signin_methods import visit_of
from noren_vault.sso import Sso
from noren_vault.sso_shops import SsoShops
from noren_vault.sso_tokens import MOST_BYTES

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]
_LONGEST_FLOW: Final = 2_000
_LONGEST_ANSWER: Final = 4_000


class SsoMethods:
    """`acts` names the methods."""

    def __init__(self, sso: Sso, shops: SsoShops, grants: Grants, freshness: Freshness) -> None:
        """Keep the acts."""
        self._sso = sso
        self._shops = shops
        self._grants = grants
        self._freshness = freshness
        self.acts: dict[str, Act] = {
            "sso_at": self._at,
            "sso_begin": self._begin,
            "sso_finish": self._finish,
            "sso_logout": self._logout,
            "sso": self._told,
            "sso_set_begin": self._set_begin,
            "sso_set_finish": self._set_finish,
            "sso_platform": self._platform,
        }

    async def _at(self, params: Params, _: Peer) -> Wire:
        return {"at": await self._sso.at(params.number("shop"))}

    async def _begin(self, params: Params, _: Peer) -> Wire:
        """By a shop's number, by an invitation, or by a grant that was issued just now (to bind it)."""
        if params.raw.get("grant") is not None:
            return await self._sso.begin(0, grant=await self._fresh(params))
        if params.raw.get("invite") is not None:
            return await self._sso.begin(0, invite=params.raw["invite"])
        return await self._sso.begin(params.number("shop"))

    async def _finish(self, params: Params, peer: Peer) -> Wire:
        answer = {name: params.text(name, most=_LONGEST_ANSWER) for name in ("state", "code")}
        if params.raw.get("iss") is not None:
            answer["iss"] = params.text("iss", "", most=_LONGEST_ANSWER)
        visit = visit_of(params)
        return await self._sso.finish(
            params.text("flow", most=_LONGEST_FLOW),
            answer,
            visit,
            peer.path(visit.session),
            grant=params.raw.get("grant"),
        )

    async def _logout(self, params: Params, _: Peer) -> Wire:
        shop = params.number("shop")
        return {"ended": await self._sso.logout(shop, params.text("token", most=MOST_BYTES))}

    async def _told(self, params: Params, _: Peer) -> Wire:
        return {"sso": await self._shops.told(await self._grants.of_shop(params.raw.get("grant")))}

    async def _set_begin(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        return {"options": await self._shops.begin(grant, params.mapping("sso"))}

    async def _set_finish(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        await self._shops.finish(grant, params.mapping("sso"), params.mapping("response"))
        return {}

    async def _platform(self, params: Params, peer: Peer) -> Wire:
        await self._shops.platform(params.mapping("sso"), peer.admin_path)
        return {}

    async def _fresh(self, params: Params) -> Grant:
        """Give the grant of a member or an operator who has shown just now who she is."""
        grant = await self._grants.check(params.raw.get("grant"))
        if grant.role is Role.CUSTOMER:
            raise GrantRefused("a customer comes in by a code")
        await self._freshness.check(grant)
        return grant
