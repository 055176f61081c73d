"""The protocol's methods about what is done for an incident: facts, snapshots, holds, freezes, blocks."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.blocked import Place
from noren_vault.containment import Containment
from noren_vault.erasure import Erasure
from noren_vault.facts import MOST_PAGES, Facts
from noren_vault.freezes import Freezes
from noren_vault.holds import MOST_DAYS, MOST_PERSONS, Holds
from noren_vault.incidents import Asker, Incidents
from noren_vault.lifting import BLOCK, FREEZE, HOLD, Lifting
from noren_vault.path_blocks import LONGEST, MOST_HOURS, PathBlocks, place_of
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.question import Question
from noren_vault.signin_methods import visit_of

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID = 40


class ContainmentMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(
        self,
        asker: Callable[[Params, Peer], Awaitable[Asker]],
        *,
        incidents: Incidents,
        containment: Containment,
        facts: Facts,
        holds: Holds,
        freezes: Freezes,
        blocks: PathBlocks,
        lifting: Lifting,
        erasure: Erasure,
    ) -> None:
        """Keep the acts; `asker` says who asks."""
        self._asker = asker
        self._incidents = incidents
        self._containment = containment
        self._all_facts = facts
        self._holds = holds
        self._freezes = freezes
        self._blocks = blocks
        self._lifting = lifting
        self._erasure = erasure
        self.table: dict[str, Method] = {
            "incident_facts": self._facts,
            "incident_snapshot": self._snapshot,
            "incident_contained": self._contained,
            "hold": self._hold,
            "release_hold": self._release,
            "freeze_exports": self._freeze,
            "thaw_exports": self._thaw,
            "path_blocks": self._blocks_of,
            "weigh_block": self._weigh,
            "block_path": self._block,
            "open_path": self._open,
        }

    async def _facts(self, params: Params, peer: Peer) -> Wire:
        asker = await self._asker(params, peer)
        await self._incidents.check(asker, _incident(params))
        page = params.number("page", most=MOST_PAGES) if "page" in params.raw else 0
        return await self._all_facts.read(Question.of(params.raw), page, asker.path)

    async def _snapshot(self, params: Params, peer: Peer) -> Wire:
        return await self._containment.snapshot(await self._asker(params, peer), _incident(params))

    async def _contained(self, params: Params, peer: Peer) -> Wire:
        """What is held and frozen for an incident."""
        asker, incident = await self._asker(params, peer), _incident(params)
        await self._incidents.check(asker, incident)
        return {"holds": await self._holds.all(incident), "freezes": await self._freezes.all(incident)}

    async def _hold(self, params: Params, peer: Peer) -> Wire:
        asker, shop = await self._asker(params, peer), params.number("shop")
        named = params.raw.get("persons") is not None
        persons = params.persons("persons", most=MOST_PERSONS) if named else None
        days = params.number("days", most=MOST_DAYS)
        return await self._holds.set(asker, _incident(params), shop, persons, days)

    async def _release(self, params: Params, peer: Peer) -> Wire:
        """End a hold, and do what waited for it."""
        asker = await self._asker(params, peer)
        await self._lifting.lift(HOLD, asker, _incident(params), params.text("hold", most=_ID))
        return {"erased": await self._erasure.erase_waiting()}

    async def _freeze(self, params: Params, peer: Peer) -> Wire:
        asker, shop = await self._asker(params, peer), params.number("shop")
        return {"freeze": await self._freezes.freeze(asker, _incident(params), shop)}

    async def _thaw(self, params: Params, peer: Peer) -> Wire:
        asker = await self._asker(params, peer)
        await self._lifting.lift(FREEZE, asker, _incident(params), params.text("freeze", most=_ID))
        return {}

    async def _blocks_of(self, params: Params, peer: Peer) -> Wire:
        return {"blocks": await self._blocks.all(await self._asker(params, peer), _incident(params))}

    async def _weigh(self, params: Params, peer: Peer) -> Wire:
        """Where the asker herself is (`address`, `device`) is weighed, too."""
        asker = await self._asker(params, peer)
        return await self._blocks.weigh(asker, _incident(params), _place(params), visit_of(params))

    async def _block(self, params: Params, peer: Peer) -> Wire:
        asker, hours = await self._asker(params, peer), params.number("hours", most=MOST_HOURS)
        own, here = params.flag("own"), visit_of(params)
        return await self._blocks.block(asker, _incident(params), _place(params), hours, here, own=own)

    async def _open(self, params: Params, peer: Peer) -> Wire:
        asker = await self._asker(params, peer)
        await self._lifting.lift(BLOCK, asker, _incident(params), params.text("block", most=_ID))
        return {}


def _place(params: Params) -> Place:
    return place_of(params.text("kind", most=20), params.text("name", most=LONGEST))


def _incident(params: Params) -> str:
    return params.text("incident", most=_ID)
