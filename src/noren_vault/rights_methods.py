"""The protocol's methods about rights: memberships, narrowing, proofs, budgets."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault import rights
from noren_vault.allowances import Allowances, Wish
from noren_vault.errors import BadRequest
from noren_vault.grants import Grant, Grants
from noren_vault.memberships import Memberships
from noren_vault.narrowing import Narrowing
from noren_vault.peer import Peer
from noren_vault.proofs import Proofs
from noren_vault.protocol import Params
from noren_vault.rights import Role
from noren_vault.visits import MOST_DEVICE, Visit

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]


class RightsMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(
        self,
        *,
        grants: Grants,
        memberships: Memberships,
        narrowing: Narrowing,
        proofs: Proofs,
        allowances: Allowances,
    ) -> None:
        """Keep the acts."""
        self._grants = grants
        self._memberships = memberships
        self._narrowing = narrowing
        self._proofs = proofs
        self._allowances = allowances
        self.table: dict[str, Method] = {
            "members": self._members,
            "team": self._team,
            "change_member": self._change_member,
            "end_member": self._end_member,
            "rights": self._rights,
            "narrow": self._narrow,
            "prove_begin": self._prove_begin,
            "prove_finish": self._prove_finish,
            "budget": self._budget,
            "step_up_begin": self._step_up_begin,
            "step_up_finish": self._step_up_finish,
            "ask_second": self._ask_second,
            "decide_second": self._decide_second,
        }

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))

    # -- who works there, and what they may see

    async def _members(self, params: Params, _: Peer) -> Wire:
        ended = params.flag("ended")
        return {"members": await self._memberships.all(await self._grant(params), ended=ended)}

    async def _team(self, params: Params, _: Peer) -> Wire:
        return {"team": await self._memberships.team(params.number("shop"))}

    async def _change_member(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        changed = await self._memberships.change(grant, params.text("handle", most=200), params.text("role"))
        return {"member": changed}

    async def _end_member(self, params: Params, _: Peer) -> Wire:
        return {"member": await self._memberships.end(await self._grant(params), params.text("handle"))}

    async def _rights(self, params: Params, _: Peer) -> Wire:
        return {"rights": await self._narrowing.table(await self._grant(params))}

    async def _narrow(self, params: Params, _: Peer) -> Wire:
        grant, purpose = await self._grant(params), rights.purpose_of(params.raw.get("purpose"))
        await self._narrowing.narrow(grant, _role(params), purpose, params.raw.get("fields"))
        return {}

    # -- a customer's own grant

    async def _prove_begin(self, params: Params, peer: Peer) -> Wire:
        path = peer.path(params.text("session", "", most=200))
        await self._proofs.begin(params.shop(), params.person("person"), path)
        return {}

    async def _prove_finish(self, params: Params, _: Peer) -> Wire:
        visit = Visit(
            session=params.text("session", "", most=200),
            address=params.text("address", "", most=100),
            device=params.text("device", "")[:MOST_DEVICE],
        )
        shop, person = params.shop(), params.person("person")
        return await self._proofs.finish(shop, person, params.text("code", most=20), visit)

    # -- budgets

    async def _budget(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.of_shop(params.raw.get("grant"), lent=True)
        return await self._allowances.standing(grant)

    async def _step_up_begin(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.check(params.raw.get("grant"))
        return {"options": await self._allowances.step_up_begin(grant)}

    async def _step_up_finish(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.check(params.raw.get("grant"))
        return {"budget": await self._allowances.step_up_finish(grant, params.mapping("response"))}

    async def _ask_second(self, params: Params, _: Peer) -> Wire:
        wish = Wish(params.text("reason", most=300), params.number("amount"), params.number("minutes"))
        return {"request": await self._allowances.ask(await self._grant(params), wish)}

    async def _decide_second(self, params: Params, _: Peer) -> Wire:
        grant, request = await self._grant(params), params.text("request", most=40)
        await self._allowances.decide(grant, request, approve=params.flag("approve"))
        return {}


def _role(params: Params) -> Role:
    try:
        return Role(params.text("role", most=40))
    except ValueError:
        raise BadRequest("no such role") from None
