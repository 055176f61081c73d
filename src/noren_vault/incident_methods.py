"""The protocol's methods about incidents: an operator's who is a member, or an administrator's process."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.errors import BadRequest, GrantRefused
from noren_vault.grants import Grants
from noren_vault.incidents import LONGEST, Asker, Incidents, Standing
from noren_vault.index import Index
from noren_vault.peer import Peer
from noren_vault.protocol import Params

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID = 40


class IncidentMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(self, grants: Grants, incidents: Incidents, index: Index) -> None:
        """Keep the acts."""
        self._grants = grants
        self._index = index
        self._incidents = incidents
        self.table: dict[str, Method] = {
            "open_incident": self._open,
            "incidents": self._all,
            "incident": self._read,
            "add_to_incident": self._add,
            "incident_member": self._member,
            "incident_places": self._places,
        }

    async def _open(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return {"incident": await self._incidents.open(asker, params.text("words", most=LONGEST))}

    async def _all(self, params: Params, peer: Peer) -> Wire:
        return {"incidents": await self._incidents.all(await asker_of(self._grants, params, peer))}

    async def _read(self, params: Params, peer: Peer) -> Wire:
        return await self._incidents.read(await asker_of(self._grants, params, peer), _id(params))

    async def _add(self, params: Params, peer: Peer) -> Wire:
        asker, words = await asker_of(self._grants, params, peer), params.text("words", most=LONGEST)
        kind = params.text("kind", most=20)
        return {"number": await self._incidents.add(asker, _id(params), kind, words)}

    async def _places(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return await self._incidents.places(asker, _id(params), self._index)

    async def _member(self, params: Params, peer: Peer) -> Wire:
        asker, handle = await asker_of(self._grants, params, peer), params.text("handle", most=60)
        try:
            standing = Standing(params.text("standing", most=10))
        except ValueError:
            raise BadRequest("a standing is in, out or barred") from None
        return {"number": await self._incidents.change_member(asker, _id(params), handle, standing)}


async def asker_of(grants: Grants, params: Params, peer: Peer) -> Asker:
    """An operator, by her grant; without one an administrator's shell, which may be all that is left."""
    token = params.raw.get("grant")
    if token is None:
        if not peer.admin:
            raise GrantRefused("an operator, or an administrator's process, may ask this")
        return Asker("", "admin", peer.admin_path)
    grant = await grants.of_platform(token)
    return Asker(grant.actor, grant.path.actor, grant.path)


def _id(params: Params) -> str:
    return params.text("incident", most=_ID)
