"""The protocol's methods about sessions at the databases, beside this door."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.doors import Doors, Report
from noren_vault.grants import Grants
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.rights import What

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]


class DoorMethods:
    """Read the params, call one act. `table` names them; all but two are an administrator's."""

    def __init__(self, grants: Grants, doors: Doors) -> None:
        """Keep the acts."""
        self._grants = grants
        self._doors = doors
        self.table: dict[str, Method] = {
            "report_doors": self._report,
            "digests": self._digests,
            "doors": self._list,
            "explain_door": self._explain,
            "doors_state": self._state,
        }

    async def _report(self, params: Params, peer: Peer) -> Wire:
        await self._doors.report(Report.of(params), peer.admin_path)
        return {}

    async def _digests(self, _params: Params, _: Peer) -> Wire:
        return {"digests": await self._doors.digests()}

    async def _list(self, params: Params, peer: Peer) -> Wire:
        # It opens what is sealed about a session: under a power, and to no auditor.
        path = await self._grants.may(params.raw.get("grant"), peer, What.READ_LEDGER_ENTRIES)
        since, until = params.number("since"), params.number("until")
        return {"doors": await self._doors.listed(since, until, path)}

    async def _explain(self, params: Params, peer: Peer) -> Wire:
        because = params.text("because", most=500)
        await self._doors.explain(params.text("session", most=150), because, peer.admin_path)
        return {}

    async def _state(self, _params: Params, _: Peer) -> Wire:
        return await self._doors.state()
