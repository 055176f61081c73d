"""The protocol's methods of a customer's account."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.customers import Customers
from noren_vault.fields import known
from noren_vault.peer import Peer
from noren_vault.proofs import Proofs
from noren_vault.protocol import Params

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]


class CustomerMethods:
    """Read the params, check who asks, call one act, shape the answer. `acts` names them."""

    def __init__(self, customers: Customers, proofs: Proofs) -> None:
        """Keep the acts."""
        self._customers = customers
        self._proofs = proofs
        self.acts: dict[str, Act] = {
            "own_account": self._account,
            "own_let_go": self._let_go,
            "own_end": self._end,
            "own_word": self._word,
            "own_answers": self._answers,
            "own_forget": self._forget,
            "own_address_begin": self._address_begin,
            "own_address_finish": self._address_finish,
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

    async def _answers(self, params: Params, _: Peer) -> Wire:
        booking, given = params.number("booking"), params.texts("fields")
        await self._customers.answer(params.raw.get("grant"), booking, dict(given))
        return {}

    async def _forget(self, params: Params, _: Peer) -> Wire:
        await self._customers.forget(params.raw.get("grant"), known(params.raw.get("fields")))
        return {}

    async def _address_begin(self, params: Params, _: Peer) -> Wire:
        grant, person = await self._customers.of(params.raw.get("grant"))
        await self._proofs.begin(grant.shop, person, grant.path)
        return {}

    async def _address_finish(self, params: Params, _: Peer) -> Wire:
        grant, person = await self._customers.of(params.raw.get("grant"))
        await self._proofs.confirm(grant, person, params.text("code", most=20))
        return {}
