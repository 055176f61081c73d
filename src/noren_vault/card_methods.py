"""The protocol's methods of a customer's card, and of joining two of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault import merges
from noren_vault.card import Card
from noren_vault.database import Database
from noren_vault.doubles import Doubles
from noren_vault.errors import BadRequest
from noren_vault.grants import Grant, Grants
from noren_vault.joining import CHOSEN
from noren_vault.merging import Merging
from noren_vault.peer import Peer
from noren_vault.protocol import Params

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]
_LINE: Final = re.compile(r"[A-Za-z0-9_-]{8,32}", re.ASCII)
_MOST_NUMBERS: Final = 10_000
_STATE: Final = """
SELECT state, into_person::text, until FROM vault.merge WHERE shop_id = %s AND person = %s
"""
_ENTRY_OF: Final = "SELECT person::text, into_person::text, state FROM vault.merge WHERE shop_id = %s"


class CardMethods:
    """Read the params, check who asks, call one act, shape the answer. `acts` names them."""

    def __init__(
        self, database: Database, grants: Grants, card: Card, doubles: Doubles, merging: Merging
    ) -> None:
        """Keep the acts."""
        self._database = database
        self._grants = grants
        self._card = card
        self._doubles = doubles
        self._merging = merging
        self.acts: dict[str, Act] = {
            "write_line": self._write_line,
            "tag": self._tag,
            "alike": self._alike,
            "compare": self._compare,
            "merge": self._merge,
            "unmerge": self._unmerge,
            "merge_state": self._state,
            "merges": self._merges,
            "same_persons": self._same,
        }

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))

    async def _write_line(self, params: Params, _: Peer) -> Wire:
        grant, line = await self._grant(params), params.text("line", most=32)
        if not _LINE.fullmatch(line):
            raise BadRequest("a line has a name of 8 to 32 letters and digits")
        wording = (line, params.number("booking"), params.text("text", "", most=50_000))
        await self._card.write(grant, params.person("person"), params.text("field", most=20), wording)
        return {}

    async def _tag(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        add, take = (_numbers(params, name) for name in ("add", "take"))
        await self._card.tag(grant, params.person("person"), add, take)
        return {}

    async def _alike(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        return await self._doubles.alike(grant, params.person("person"), wait=params.flag("wait"))

    async def _compare(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        return await self._doubles.compare(grant, params.person("person"), params.person("into"))

    async def _merge(self, params: Params, _: Peer) -> Wire:
        grant, take = await self._grant(params), params.raw.get("take") or []
        if not isinstance(take, list) or not all(name in CHOSEN for name in take):
            raise BadRequest(f"of {', '.join(CHOSEN)} some may be taken")
        until = await self._merging.merge(grant, params.person("person"), params.person("into"), take)
        return {"until": until / 1000}

    async def _unmerge(self, params: Params, _: Peer) -> Wire:
        grant = await self._grant(params)
        await self._merging.undo(grant, params.person("person"), _numbers(params, "bookings"))
        return {}

    async def _state(self, params: Params, _: Peer) -> Wire:
        """What became of a record: asked by who has to finish the app's half, and tells ids alone."""
        row = await self._database.row(_STATE, [params.shop(), params.person("person")])
        if row is None:
            return {"state": "none", "into": None, "until": None}
        return {"state": row[0], "into": row[1], "until": row[2] / 1000}

    async def _merges(self, params: Params, peer: Peer) -> Wire:
        """All of a shop, for who examines both sides."""
        await self._grants.may_ask(params.raw.get("grant"), peer)
        rows = await self._database.rows(_ENTRY_OF, [params.number("shop")])
        return {"merges": [{"person": row[0], "into": row[1], "state": row[2]} for row in rows]}

    async def _same(self, params: Params, peer: Peer) -> Wire:
        """Which records went into which, of all that are one with the persons who are asked about."""
        await self._grants.may_ask(params.raw.get("grant"), peer)
        shop = params.maybe_number("shop")
        return {"into": await merges.pairs(self._database, shop, params.persons("persons"))}


def _numbers(params: Params, name: str) -> list[int]:
    given = params.raw.get(name) or []
    fine = isinstance(given, list) and all(type(one) is int and 0 < one < 1 << 53 for one in given)
    if not fine or len(given) > _MOST_NUMBERS:
        raise BadRequest(f"{name} is a list of numbers")
    return list(given)
