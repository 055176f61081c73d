"""The protocol's methods about lists: asking, agreeing, taking, bringing in, tracing."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from noren_vault import fields
from noren_vault.exporting import Exporting
from noren_vault.grants import Grant, Grants
from noren_vault.importing import Importing
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.records import Told
from noren_vault.rights import What
from noren_vault.telling_letters import TellingLetters
from noren_vault.trace import Trace
from noren_vault.transfers import MOST_PERSONS, Kind, Transfers, Wanted
from noren_vault.undoing import Undoing

Wire = dict[str, Any]
Answered = tuple[Wire, Told | None]
Method = Callable[[Params, Peer], Awaitable[Answered]]
_ID: Final = 40


class ExportMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(
        self,
        *,
        grants: Grants,
        transfers: Transfers,
        exporting: Exporting,
        importing: Importing,
        undoing: Undoing,
        trace: Trace,
        letters: TellingLetters,
    ) -> None:
        """Keep the acts."""
        self._grants = grants
        self._transfers = transfers
        self._exporting = exporting
        self._importing = importing
        self._undoing = undoing
        self._trace = trace
        self._letters = letters
        self.table: dict[str, Method] = {
            "transfers": self._all,
            "ask_export": self._ask_export,
            "ask_import": self._ask_import,
            "agree_begin": self._agree_begin,
            "agree_finish": self._agree_finish,
            "decline_transfer": self._decline,
            "cancel_transfer": self._cancel,
            "open_export": self._open,
            "export_piece": self._piece,
            "look_import": self._look,
            "take_import": self._take,
            "leave_import": self._leave,
            "step_import": self._step,
            "import_brought": self._brought,
            "undo_import": self._undo,
            "trace": self._find,
            "telling_letters": self._not_reached,
        }

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))

    async def _all(self, params: Params, _: Peer) -> Answered:
        return {"transfers": await self._transfers.all(await self._grant(params))}, None

    # -- asking, and the second person

    async def _ask_export(self, params: Params, _: Peer) -> Answered:
        """Without `persons` all of the shop's customers; with `telling` whom its mails did not reach."""
        grant, names = await self._grant(params), fields.known(params.raw.get("fields"))
        persons = None
        if params.raw.get("persons") is not None:
            persons = [Params({"person": one}).person("person") for one in params.items("persons")]
        if params.raw.get("telling") is not None:
            persons = await self._letters.persons(grant, params.text("telling", most=_ID))
        reason, words = params.text("reason", most=_ID), params.text("words", most=300)
        return {"transfer": await self._exporting.ask(grant, reason, words, names, persons)}, None

    async def _not_reached(self, params: Params, _: Peer) -> Answered:
        return {"letters": await self._letters.of_shop(await self._grant(params))}, None

    async def _ask_import(self, params: Params, _: Peer) -> Answered:
        wanted = Wanted(
            Kind.IMPORT,
            params.text("reason", most=_ID),
            params.text("words", most=300),
            fields.known(params.raw.get("fields")),
            params.number("rows", most=MOST_PERSONS),
            params.text("about", "", most=64),
        )
        return {"transfer": await self._importing.ask(await self._grant(params), wanted)}, None

    async def _agree_begin(self, params: Params, _: Peer) -> Answered:
        grant = await self._grant(params)
        return {"options": await self._transfers.decide_begin(grant, params.text("transfer", most=_ID))}, None

    async def _agree_finish(self, params: Params, _: Peer) -> Answered:
        grant, transfer = await self._grant(params), params.text("transfer", most=_ID)
        await self._transfers.approve(grant, transfer, params.mapping("response"))
        return {}, None

    async def _decline(self, params: Params, _: Peer) -> Answered:
        await self._transfers.decline(await self._grant(params), params.text("transfer", most=_ID))
        return {}, None

    async def _cancel(self, params: Params, _: Peer) -> Answered:
        await self._transfers.cancel(await self._grant(params), params.text("transfer", most=_ID))
        return {}, None

    # -- what moves

    async def _open(self, params: Params, _: Peer) -> Answered:
        grant = await self._grant(params)
        return await self._exporting.open(grant, params.text("transfer", most=_ID)), None

    async def _piece(self, params: Params, _: Peer) -> Answered:
        grant, number = await self._grant(params), params.number("piece", most=MOST_PERSONS)
        piece = await self._exporting.piece(grant, params.text("transfer", most=_ID), number)
        return piece.to_wire(), piece.told

    async def _take(self, params: Params, _: Peer) -> Answered:
        done = await self._importing.take(
            await self._grant(params),
            params.text("transfer", most=_ID),
            params.number("first", most=MOST_PERSONS),
            params.items("rows"),
            check=params.flag("check"),
            join=params.flag("join"),
        )
        return {"persons": done.persons, "bad": done.bad}, None

    async def _leave(self, params: Params, _: Peer) -> Answered:
        bad = await self._importing.leave(
            await self._grant(params),
            params.text("transfer", most=_ID),
            params.number("first", most=MOST_PERSONS),
            params.items("rows"),
            join=params.flag("join"),
        )
        return {"bad": bad}, None

    async def _step(self, params: Params, peer: Peer) -> Answered:
        transfer, first = params.text("transfer", most=_ID), params.number("first", most=MOST_PERSONS)
        came = await self._importing.step(params.shop(), transfer, first, peer.path())
        return {"came": None if came is None else {"persons": came.persons, "place": came.place}}, None

    async def _look(self, params: Params, _: Peer) -> Answered:
        bad, known = await self._importing.look(await self._grant(params), params.items("rows"))
        return {"bad": bad, "known": known}, None

    async def _brought(self, params: Params, _: Peer) -> Answered:
        after = params.text("after", str(UUID(int=0)), most=_ID)
        found = await self._undoing.brought(
            await self._grant(params),
            params.text("transfer", most=_ID),
            Params({"person": after}).person("person"),
        )
        return {"persons": [[one.person, one.fresh] for one in found]}, None

    async def _undo(self, params: Params, _: Peer) -> Answered:
        persons = [Params({"person": one}).person("person") for one in params.items("persons")]
        grant, transfer = await self._grant(params), params.text("transfer", most=_ID)
        return {"erased": await self._undoing.undo(grant, transfer, persons)}, None

    # -- a list that turned up

    async def _find(self, params: Params, peer: Peer) -> Answered:
        path = await self._grants.may(params.raw.get("grant"), peer, What.READ_LEDGER_ENTRIES)
        return await self._trace.find(params.items("texts"), path), None
