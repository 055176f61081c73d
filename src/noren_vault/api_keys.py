"""Keys by which a shop's programs come in: made, shown once, used, ended. Decision 29 says why so.

What is kept of a key is its hash. What it may do is read here at each use and kept nowhere else, so that an
end holds from the next use on; a reveal that is under way stops within one person. A key is a spender of its
own (its name is its lineage), with the desk's limits and without a way to widen them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

from noren_vault import api_key_text, fields
from noren_vault import rights as rules
from noren_vault.clock import Now
from noren_vault.database import Database, Row
from noren_vault.errors import (
    ApiKeyRefused,
    BadRequest,
    FreshSignInNeeded,
    NoSuchApiKey,
    ScopeNeeded,
    TooManyApiKeys,
)
from noren_vault.freshness import FRESH_MS
from noren_vault.grants import LIFE_MS, Grant, Grants
from noren_vault.keys import Keys
from noren_vault.peer import Peer
from noren_vault.permissions import Permission
from noren_vault.protocol import Params
from noren_vault.record import Path, Record
from noren_vault.records import Records, Told
from noren_vault.rights import Role

# What a key may be good for, and what its maker must be permitted: nobody gives a program more than she has.
# A new one needs an act that asks for it.
_NEEDED: Final[Mapping[str, Permission]] = {
    "bookings:read": Permission.BOOKINGS_SEE,
    "bookings:write": Permission.BOOKINGS_CHANGE,
    "people:read": Permission.CUSTOMERS_SEE,
}
SCOPES: Final = tuple(_NEEDED)
MOST: Final = 20
MOST_DAYS: Final = 366
LONGEST_LABEL: Final = 60
DAY_MS: Final = 86_400_000
_SHOWN_MS: Final = 90 * DAY_MS
# Reading the bookings again within a minute is the same look; a key that is refused writes no oftener.
_AGAIN_MS: Final = 60_000
_SEEN_EVERY_MS: Final = 30_000
_FIND: Final = """
SELECT k.name, k.shop_id, k.scopes, k.made_by::text, k.expires_at, k.used_at, k.revoked_at
FROM vault.api_key k WHERE k.hash = %s
"""
_BY_NAME: Final = _FIND.replace("k.hash = %s", "k.name = %s")
_LIST: Final = """
SELECT k.name, k.sealed, k.scopes, a.handle, k.made_at, k.expires_at, k.used_at, k.revoked_at
FROM vault.api_key k JOIN vault.actor a ON a.actor = k.made_by
WHERE k.shop_id = %s AND coalesce(k.revoked_at, k.expires_at) > %s ORDER BY k.made_at DESC, k.name
"""
_END: Final = """
UPDATE vault.api_key SET revoked_at = %s WHERE name = %s AND shop_id = %s AND revoked_at IS NULL
"""
_ADD: Final = b"""
INSERT INTO vault.api_key (name, shop_id, hash, scopes, sealed, made_by, made_at, expires_at)
SELECT %(name)s, %(shop)s, %(hash)s, %(scopes)s, %(sealed)s, %(actor)s, %(now)s, %(expires)s
WHERE (SELECT count(*) FROM vault.api_key
    WHERE shop_id = %(shop)s AND revoked_at IS NULL AND expires_at > %(now)s) < %(most)s
"""
Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]
Telling = Callable[[Params, Peer], Awaitable[tuple[Wire, Told | None]]]


def place(name: str) -> str:
    """Binds what a key is called to the key."""
    return f"api-key:{name}"


class ApiKeys:
    """`acts` and `telling` name the methods; those in `telling` may give a person's data."""

    def __init__(
        self, *, database: Database, record: Record, grants: Grants, records: Records, keys: Keys, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._records = records
        self._keys = keys
        self._now = now
        self._said: dict[tuple[str, str], int] = {}
        grants.also[Role.KEY] = self._again
        self.acts: dict[str, Act] = {
            "api_keys": self._list,
            "make_api_key": self._make,
            "end_api_key": self._end,
            "use_api_key": self._use,
        }
        self.telling: dict[str, Telling] = {"reveal_by_key": self._reveal}

    # -- the shop's own

    async def _list(self, params: Params, _: Peer) -> Wire:
        grant = await self._deciding(params)
        rows = await self._database.rows(_LIST, [grant.shop, self._now() - _SHOWN_MS])
        return {"keys": [self._told(row) for row in rows], "scopes": list(SCOPES)}

    async def _make(self, params: Params, _: Peer) -> Wire:
        """Make a key and tell it, this once. Raises FreshSignInNeeded, TooManyApiKeys."""
        grant = await self._deciding(params)
        if self._now() >= grant.expires_at - LIFE_MS + FRESH_MS:
            raise FreshSignInNeeded("signed in too long ago")
        label, scopes = params.text("label", most=LONGEST_LABEL).strip(), _scopes(params.items("scopes"))
        days = params.number("days", most=MOST_DAYS)
        if not label or not days:
            raise BadRequest("a key has a label, and lasts at least a day")
        for scope in scopes:
            grant.needs(_NEEDED[scope])
        key, name, now = api_key_text.make(grant.shop), f"key-{token_hex(12)}", self._now()
        path = Path(grant.handle, name, grant.session)
        await self._record.write("register", path, shop=grant.shop, ref="+".join(scopes), note="api_key")
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            # One of a shop at a time, so that the number holds.
            await connection.execute(b"SELECT 1 FROM vault.shop WHERE shop_id = %s FOR UPDATE", [grant.shop])
            added = await connection.execute(
                _ADD,
                {
                    "name": name,
                    "shop": grant.shop,
                    "hash": api_key_text.read(key)[1],
                    "scopes": scopes,
                    "sealed": self._keys.addresses.seal(label.encode(), place(name)),
                    "actor": grant.actor,
                    "now": now,
                    "expires": now + days * DAY_MS,
                    "most": MOST,
                },
            )
            if not added.rowcount:
                raise TooManyApiKeys(most=MOST)
        return {"key": key, "name": name, "expires": (now + days * DAY_MS) / 1000}

    async def _end(self, params: Params, _: Peer) -> Wire:
        """End a key for good; again it changes nothing. Raises NoSuchApiKey."""
        grant, name = await self._deciding(params), params.text("name", most=40)
        row = await self._database.row(
            "SELECT revoked_at FROM vault.api_key WHERE name = %s AND shop_id = %s", [name, grant.shop]
        )
        if row is None:
            raise NoSuchApiKey
        if row[0] is None:
            path = Path(grant.handle, name, grant.session)
            await self._record.write("register", path, shop=grant.shop, note="api_key_ended")
            await self._database.run(_END, [self._now(), name, grant.shop])
            self._grants.changed(name)
        return {}

    # -- the program's

    async def _use(self, params: Params, _: Peer) -> Wire:
        """Say whether a key may do this now; on record first. Raises ApiKeyRefused, ScopeNeeded."""
        scope = params.text("scope", most=40)
        grant = await self._held(params, scope)
        if not scope.endswith(":read") or self._new(grant.credential, scope):
            await self._record.write("signin", grant.path, shop=grant.shop, purpose=scope, note="api_key")
            self._said[grant.credential, scope] = self._now()
        return {"name": grant.credential, "expires": grant.expires_at / 1000}

    async def _reveal(self, params: Params, _: Peer) -> tuple[Wire, Told | None]:
        grant = await self._held(params, "people:read")
        purpose = rules.purpose_of(params.raw.get("purpose"))
        names = fields.known(params.raw.get("fields"))
        nonce = params.text("nonce", most=100)
        told = await self._records.reveal(grant, purpose, params.persons("persons"), names, nonce)
        return {"persons": told.persons, "entry": told.entry, "budget": told.budget.to_wire()}, told

    # -- inside

    async def _deciding(self, params: Params) -> Grant:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        grant.needs(Permission.SHOP_CHANGE)
        return grant

    async def _held(self, params: Params, scope: str) -> Grant:
        """Give what a key gives. One refusal for all that makes it none here; a known one is on record."""
        shop, digest = api_key_text.read(params.raw.get("key"))
        turn = self._grants.turn
        row = await self._database.row(_FIND, [digest])
        if row is None:
            raise ApiKeyRefused("no such key")
        why = self._wrong(row, shop, params.shop())
        if why or scope not in row[2]:
            await self._refused(row, why or "scope")
            raise ApiKeyRefused(why) if why else ScopeNeeded(scope=scope)
        if row[5] is None or self._now() >= row[5] + _SEEN_EVERY_MS:
            await self._database.run(
                "UPDATE vault.api_key SET used_at = %s WHERE name = %s", [self._now(), row[0]]
            )
        return _grant(row, turn)

    async def _again(self, grant: Grant) -> Grant:
        turn = self._grants.turn
        row = await self._database.row(_BY_NAME, [grant.credential])
        if row is None or self._wrong(row, grant.shop, grant.shop) or "people:read" not in row[2]:
            raise ApiKeyRefused("ended meanwhile")
        return _grant(row, turn)

    def _wrong(self, row: Row, written: int, asked: int) -> str:
        if row[6] is not None:
            return "ended"
        if self._now() >= row[4]:
            return "expired"
        return "" if row[1] == written == asked else "shop"

    async def _refused(self, row: Row, why: str) -> None:
        """Somebody has a key that is no good here: that is worth a line, once a minute."""
        name, shop = row[0], row[1]
        if self._new(name, why):
            await self._record.write("refused", Path(name, name), shop=shop, note=f"api_key:{why}")
            self._said[name, why] = self._now()

    def _new(self, name: str, what: str) -> bool:
        last = self._said.get((name, what))
        return last is None or self._now() >= last + _AGAIN_MS

    def _told(self, row: Row) -> Wire:
        name, sealed, scopes, handle, made, expires, used, revoked = row
        sealed = bytes(sealed)
        return {
            "name": name,
            "label": self._keys.opens(sealed).open(sealed, place(name)).decode(),
            "scopes": scopes,
            "by": handle,
            "made": made / 1000,
            "expires": expires / 1000,
            "used": None if used is None else used / 1000,
            "ended": None if revoked is None else revoked / 1000,
            "holds": revoked is None and self._now() < expires,
        }


async def end_again(database: Database, names: Sequence[str], now: int) -> int:
    """End the keys whose end is on record and which an older database brought back; gives their number."""
    return await database.run(
        "UPDATE vault.api_key SET revoked_at = %s WHERE name = ANY(%s) AND revoked_at IS NULL",
        [now, list(names)],
    )


def _grant(row: Row, turn: int) -> Grant:
    name = row[0]
    return Grant(
        grant_id=name,
        shop=row[1],
        actor=row[3],
        handle=name,
        person=None,
        role=Role.KEY,
        staff=None,
        credential=name,
        session="",
        expires_at=row[4],
        turn=turn,
    )


def _scopes(given: Sequence[object]) -> list[str]:
    scopes = [one for one in SCOPES if one in given]
    if not scopes or len(scopes) != len(given):
        raise BadRequest(f"scopes are some of {', '.join(SCOPES)}")
    return scopes
