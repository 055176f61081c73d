"""The protocol's methods about who looked: a person's own data, a shop's counts; and naming staff."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault import fields, own_records
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.defence import Defence
from noren_vault.errors import InvestigationRefused, PowerNeeded
from noren_vault.grants import Grant, Grants
from noren_vault.keys import Keys
from noren_vault.looks import Looks
from noren_vault.mydata import MyData
from noren_vault.naming import Investigations, Naming
from noren_vault.peer import Peer
from noren_vault.proofs import Proofs
from noren_vault.protocol import Params
from noren_vault.record import Path
from noren_vault.rights import PLATFORM, What
from noren_vault.signin_methods import visit_of

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
# In the record in place of a person when nobody of the shop has the address: all else goes as ever.
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


class MyDataMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(
        self,
        *,
        grants: Grants,
        database: Database,
        keys: Keys,
        proofs: Proofs,
        defence: Defence,
        mydata: MyData,
        naming: Naming,
        investigations: Investigations,
        looks: Looks,
        now: Now,
    ) -> None:
        """Keep the acts."""
        self._grants = grants
        self._database = database
        self._keys = keys
        self._proofs = proofs
        self._defence = defence
        self._mydata = mydata
        self._naming = naming
        self._investigations = investigations
        self._of_members = looks
        self._now = now
        self.table: dict[str, Method] = {
            "own_begin": self._own_begin,
            "own_finish": self._own_finish,
            "lookups": self._lookups,
            "lookup_proof": self._lookup_proof,
            "who_looked": self._who_looked,
            "looks": self._looks,
            "naming": self._named,
            "name_staff": self._name_staff,
            "open_investigation": self._open,
            "close_investigation": self._close,
        }

    async def _own_begin(self, params: Params, peer: Peer) -> Wire:
        """Mail a code to who has this address in the shop. The answer is the same for everybody."""
        shop, visit = params.shop(), visit_of(params)
        await self._defence.asked(shop, params.text("mail", most=300), visit)
        path = peer.path(visit.session)
        await self._proofs.begin(shop, await self._whose(shop, params), path)
        return {}

    async def _own_finish(self, params: Params, _: Peer) -> Wire:
        shop, visit, code = params.shop(), visit_of(params), params.text("code", most=20)
        standing = await self._defence.before_code(shop, params.text("mail", most=300), visit)
        person = await self._whose(shop, params)
        signed = await self._proofs.finish(shop, person, code, visit)
        self._defence.right(standing)
        return signed

    async def _whose(self, shop: int, params: Params) -> str:
        """Whose address it is: one person, at however many records it stands. What is none is nobody's."""
        values, _ = fields.check({"mail": params.text("mail", most=300)})
        mail = values["mail"].text if "mail" in values else ""
        return await own_records.whose(self._database, self._keys, shop, mail) or NOBODY

    async def _lookups(self, params: Params, _: Peer) -> Wire:
        before = params.number("before") if "before" in params.raw else None
        return await self._mydata.page(await self._grant(params), before, self._now())

    async def _looks(self, params: Params, _: Peer) -> Wire:
        grant, person, before = (
            await self._grant(params),
            params.person("person"),
            params.maybe_number("before"),
        )
        return await self._mydata.of_customer(grant, person, before, self._now())

    async def _lookup_proof(self, params: Params, _: Peer) -> Wire:
        grant, entry = await self._grant(params), params.number("entry")
        return {"proof": await self._mydata.proof(grant, entry, self._now())}

    async def _who_looked(self, params: Params, _: Peer) -> Wire:
        return await self._of_members.of_shop(await self._grant(params))

    async def _named(self, params: Params, _: Peer) -> Wire:
        return {"named": await self._naming.of(await self._grant(params))}

    async def _name_staff(self, params: Params, _: Peer) -> Wire:
        await self._naming.change(await self._grant(params), named=params.flag("named"))
        return {}

    async def _open(self, params: Params, peer: Peer) -> Wire:
        shop = params.number("shop")
        path = await self._investigator(params, peer, shop)
        await self._investigations.open(_name(params), max(shop, PLATFORM), path)
        return {}

    async def _close(self, params: Params, peer: Peer) -> Wire:
        name = _name(params)
        # Who may not ask is not even told whether there is one of this name.
        await self._grants.may(params.raw.get("grant"), peer, What.READ_INCIDENT)
        shop = await self._investigations.shop_of(name)
        await self._investigations.close(name, await self._investigator(params, peer, shop))
        return {}

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))

    async def _investigator(self, params: Params, peer: Peer, shop: int) -> Path:
        """An operator who reads an incident of this shop, or an administrator's process."""
        token = params.raw.get("grant")
        path = await self._grants.may(token, peer, What.READ_INCIDENT)
        if token is not None and (await self._grants.check(token)).shop != shop:
            raise PowerNeeded("the power is over another shop")
        return path


def _name(params: Params) -> str:
    name = params.text("name", most=63)
    if not _NAME.fullmatch(name):
        raise InvestigationRefused("an investigation's name is a short code")
    return name
