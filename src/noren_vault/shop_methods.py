"""The protocol's methods about who works for which shops: permissions, resending, joining, going over."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.errors import BadRequest
from noren_vault.grants import Grant, Grants
from noren_vault.members import Members
from noren_vault.messages import Messages
from noren_vault.peer import Peer
from noren_vault.permits import Permits
from noren_vault.protocol import Params
from noren_vault.rights import Role
from noren_vault.several_shops import SeveralShops
from noren_vault.signin_methods import visit_of

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]


class ShopMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(
        self, *, grants: Grants, members: Members, permits: Permits, several: SeveralShops, messages: Messages
    ) -> None:
        """Keep the acts."""
        self._grants = grants
        self._members = members
        self._permits = permits
        self._several = several
        self._messages = messages
        self.table: dict[str, Method] = {
            "permissions": self._permissions,
            "permit": self._permit,
            "resend_invite": self._resend,
            "join_begin": self._join_begin,
            "join_finish": self._join_finish,
            "enter_shop": self._enter,
        }

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))

    async def _permissions(self, params: Params, _: Peer) -> Wire:
        return {"permissions": await self._permits.table(await self._grant(params))}

    async def _permit(self, params: Params, _: Peer) -> Wire:
        grant, permission = await self._grant(params), params.text("permission", most=40)
        await self._permits.permit(grant, role_of(params), permission, given=params.flag("given"))
        return {}

    async def _resend(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        return {"invited": await self._members.resend(grant, params.text("handle", most=200))}

    async def _join_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._several.begin(params.raw.get("invite"))}

    async def _join_finish(self, params: Params, _: Peer) -> Wire:
        response, visit = params.mapping("response"), visit_of(params)
        ok, invited = await self._several.finish(params.raw.get("invite"), response, visit)
        await self._messages.proved(ok["shop"], invited)
        return ok

    async def _enter(self, params: Params, _: Peer) -> Wire:
        return await self._several.enter(await self._grant(params), params.shop(), visit_of(params))


def role_of(params: Params) -> Role:
    """Read a role. Raises BadRequest."""
    try:
        return Role(params.text("role", most=40))
    except ValueError:
        raise BadRequest("no such role") from None
