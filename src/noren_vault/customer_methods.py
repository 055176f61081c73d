"""The protocol's methods of a customer's account, and of adding a passkey under a grant."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.customers import Customers
from noren_vault.grants import FRESH_MS, Grant, Grants
from noren_vault.peer import Peer
from noren_vault.proofs import Proofs
from noren_vault.protocol import Params
from noren_vault.signin import SignIn

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]


class CustomerMethods:
    """Read the params, check who asks, call one act, shape the answer. `acts` names them."""

    def __init__(self, customers: Customers, proofs: Proofs, signin: SignIn, grants: Grants) -> None:
        """Keep the acts."""
        self._customers = customers
        self._proofs = proofs
        self._signin = signin
        self._grants = grants
        self.acts: dict[str, Act] = {
            "own_account": self._account,
            "own_let_go": self._let_go,
            "own_end": self._end,
            "own_word": self._word,
            "own_address_begin": self._address_begin,
            "own_address_finish": self._address_finish,
            "passkey_begin": self._passkey_begin,
            "passkey_finish": self._passkey_finish,
        }

    async def _account(self, params: Params, _: Peer) -> Wire:
        return await self._customers.account(params.raw.get("grant"))

    async def _let_go(self, params: Params, _: Peer) -> Wire:
        await self._customers.let_go(params.raw.get("grant"), params.person("person"))
        return {}

    async def _end(self, params: Params, _: Peer) -> Wire:
        await self._customers.end(params.raw.get("grant"))
        return {}

    async def _word(self, params: Params, _: Peer) -> Wire:
        await self._customers.say(params.raw.get("grant"), params.text("text", most=2_000))
        return {}

    async def _address_begin(self, params: Params, _: Peer) -> Wire:
        grant, person = await self._customers.of(params.raw.get("grant"))
        await self._proofs.begin(grant.shop, person, grant.path)
        return {}

    async def _address_finish(self, params: Params, _: Peer) -> Wire:
        grant, person = await self._customers.of(params.raw.get("grant"))
        await self._proofs.confirm(grant, person, params.text("code", most=20))
        return {}

    async def _passkey_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._signin.add_begin(await self._fresh(params))}

    async def _passkey_finish(self, params: Params, _: Peer) -> Wire:
        await self._signin.add_finish(await self._fresh(params), params.mapping("response"))
        return {}

    async def _fresh(self, params: Params) -> Grant:
        """A grant of a shop that was issued just now: a stolen cookie adds no passkey."""
        grant = await self._grants.of_shop(params.raw.get("grant"))
        self._grants.check_fresh(grant, FRESH_MS)
        return grant
