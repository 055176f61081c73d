"""Ending grants at once: the way to shut out whoever has stolen one, from an administrator's shell or
by an operator under a power.

It takes what sign-ins gave, not the power to sign in: whose passkey is stolen is ended as a member, too. An
API key that is named by its credential is ended for good.
"""

import re
from enum import StrEnum
from typing import Any, Final

from noren_vault.api_keys import end_again
from noren_vault.clock import Now
from noren_vault.database import Database, Row
from noren_vault.errors import BadRequest
from noren_vault.grants import Grants, shop_mark
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Outcome, Path, Record, session_name
from noren_vault.rights import PLATFORM, What


class Whose(StrEnum):
    """Which grants."""

    EVERYBODY = "everybody"
    OPERATORS = "operators"
    SHOP = "shop"
    ACTOR = "actor"
    CREDENTIAL = "credential"
    SESSION = "session"


# Names that stand in the record: whatever else was typed does not get into it.
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,120}", re.ASCII)
_END: Final = """
UPDATE vault.access_grant g SET revoked_at = n.now
FROM vault.actor a, (SELECT %s::bigint AS now, %s::text AS whose, %s::text AS name) n
WHERE a.actor = g.actor AND g.revoked_at IS NULL AND g.expires_at > n.now
  AND CASE n.whose WHEN 'everybody' THEN true
      WHEN 'actor' THEN a.handle = n.name
      WHEN 'credential' THEN g.credential = n.name
      WHEN 'session' THEN g.session = n.name
      ELSE g.shop_id::text = n.name END
RETURNING g.shop_id
"""


class Ending:
    """Ends grants of somebody, of a shop, or all."""

    def __init__(self, *, database: Database, record: Record, grants: Grants, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._now = now
        self.acts = {"end_grants": self.end}

    async def end(self, params: Params, peer: Peer) -> dict[str, Any]:
        """End them and tell how many there were. On record first; a reveal under way stops within one person.

        What is not to be had while the ledger takes no entry: nothing is revealed then either.
        """
        path = await self._grants.may(params.raw.get("grant"), peer, What.END_GRANTS)
        whose, name = _asked(params)
        ref = f"{whose}:{name}" if name else str(whose)
        entry = await self._record.write("signout", path, ref=ref, note="ended")
        ended = await self._database.rows(_END, [self._now(), str(whose), name])
        if whose is Whose.CREDENTIAL:
            ended += await self._end_key(name, path)
        # All of a shop's are read again: those that were not ended go on.
        self._grants.changed(*{shop_mark(shop) for (shop,) in ended})
        await self._record.outcome(entry, Outcome.DONE, path)
        return {"ended": len(ended), "entry": entry}

    async def _end_key(self, name: str, path: Path) -> list[Row]:
        """End an API key that is named: nothing else of it could be ended."""
        row = await self._database.row(
            "SELECT shop_id FROM vault.api_key WHERE name = %s AND revoked_at IS NULL", [name]
        )
        if row is None:
            return []
        note = Path(path.actor, name, path.session)
        await self._record.write("register", note, shop=row[0], note="api_key_ended")
        await end_again(self._database, [name], self._now())
        self._grants.changed(name)
        return [row]


def _asked(params: Params) -> tuple[Whose, str]:
    """Whose grants, and the name by which the table knows them. Raises BadRequest."""
    try:
        whose = Whose(params.text("whose"))
    except ValueError:
        raise BadRequest(f"whose is one of {', '.join(Whose)}") from None
    if whose is Whose.EVERYBODY:
        return whose, ""
    if whose is Whose.OPERATORS:
        return whose, str(PLATFORM)
    if whose is Whose.SHOP:
        return whose, str(params.number("name"))
    name = params.text("name", most=500)
    if whose is Whose.SESSION:
        name = session_name(name)
    if not _NAME.fullmatch(name):
        raise BadRequest("an actor's handle, a credential's or a session's name as the record has it")
    return whose, name
