"""Packs: what a shop is told of an incident, handed over into its own console, and that it was read there.

A pack is a record of the incident's book. Its words are the app side's; beside them stand the shop and the
question by which its persons are had again. Who may change the shop reads what was handed to it, and nothing
else of the book.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from noren_vault.database import Database, Row
from noren_vault.errors import BadRequest, NoSuchIncident, RecordDamaged
from noren_vault.grants import Grant
from noren_vault.incidents import HANDED, READ, Asker, Incidents
from noren_vault.permissions import Permission
from noren_vault.question import Question
from noren_vault.record import Record
from noren_vault.rights import PLATFORM
from noren_vault.scope import Scope

_FIND: Final = """
SELECT incident, number, at, by, kind, sealed FROM vault.incident_record
WHERE kind = ANY(%s) AND (%s::text = '' OR incident = %s) ORDER BY incident, number
"""
# Beside a pack's words: the question, as the vault reads it.
_ASKED: Final = "asked"


class Packs:
    """Hands them over, and reads them for their shop."""

    def __init__(self, *, database: Database, record: Record, incidents: Incidents, scope: Scope) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._scope = scope

    async def hand(
        self, asker: Asker, incident: str, shop: int, said: Mapping[str, Any], raw: Mapping[str, Any]
    ) -> int:
        """Hand a shop its pack and give the record's number. `raw`: the question as it is asked of a scope.

        Raises NoSuchIncident, BadRequest.
        """
        question = Question.of({**raw, "shop": shop})
        if shop == PLATFORM or question.size is None:
            raise BadRequest("a shop's pack has a question as of a size")
        words = json.dumps({**said, "shop": shop, _ASKED: {**raw, "shop": shop}}, ensure_ascii=False)
        return await self._incidents.written(asker, incident, HANDED, words)

    async def of_shop(self, grant: Grant) -> list[dict[str, Any]]:
        """Give the newest pack of each incident that was handed to the shop, the newest first. On record."""
        grant.needs(Permission.SHOP_CHANGE)
        await self._record.write("incident", grant.path, shop=grant.shop, note="packs")
        packs = sorted(await self._found(grant.shop), key=lambda pack: pack["at"], reverse=True)
        # By what it was asked names whoever is suspected: that stays in the book.
        shown = [
            (pack, {name: said for name, said in pack["words"].items() if name != _ASKED}) for pack in packs
        ]
        return [{**pack, "words": json.dumps(words)} for pack, words in shown]

    async def people(self, grant: Grant, incident: str) -> dict[str, Any]:
        """Give the persons of the shop's newest pack, by ids, as of when it was asked. On record.

        Raises NoSuchIncident, and what a scope raises.
        """
        grant.needs(Permission.SHOP_CHANGE)
        pack = await self._one(grant, incident)
        told = await self._scope.answer(Question.of(pack["words"][_ASKED]), grant.path)
        return {"persons": told["persons"], "head": told["head"]}

    async def confirm(self, grant: Grant, incident: str, number: int) -> int:
        """Write into the book that the shop has read its newest pack; once. Gives the record's number.

        Raises NoSuchIncident; also where another pack came since.
        """
        grant.needs(Permission.SHOP_CHANGE)
        pack = await self._one(grant, incident)
        if pack["number"] != number:
            raise NoSuchIncident
        if pack["read"] is not None:
            return int(pack["read"]["number"])
        words = json.dumps({"shop": grant.shop, "of": number})
        # Without an actor nobody asks whether she is a member: she is none, and the pack is hers.
        asker = Asker("", grant.handle, grant.path)
        return await self._incidents.written(asker, incident, READ, words)

    # -- inside

    async def _one(self, grant: Grant, incident: str) -> dict[str, Any]:
        for pack in await self._found(grant.shop, incident) if incident else ():
            return pack
        raise NoSuchIncident

    async def _found(self, shop: int, incident: str = "") -> list[dict[str, Any]]:
        """The newest pack of each incident that was handed to the shop, with who has read it and when."""
        found: dict[str, dict[str, Any]] = {}
        for row in await self._database.rows(_FIND, [[HANDED, READ], incident, incident]):
            place, number, at, by, kind, _ = row
            try:
                words = self._words(row)
            except RecordDamaged:  # the doctor names it; the other shops read theirs
                continue
            if words["shop"] != shop:
                continue
            if kind == HANDED:
                found[place] = {"incident": place, "number": number, "at": at, "words": words, "read": None}
            elif place in found and found[place]["number"] == words["of"] and found[place]["read"] is None:
                found[place]["read"] = {"number": number, "at": at, "by": by}
        return list(found.values())

    def _words(self, row: Row) -> dict[str, Any]:
        incident, number, _, _, _, sealed = row
        told: dict[str, Any] = json.loads(self._incidents.opened(incident, number, bytes(sealed))["words"])
        return told
