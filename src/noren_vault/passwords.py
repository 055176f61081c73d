"""Passwords as they are stored: Argon2id, keyed layers over the hash, sealed. Decision 21 says why so.

    h = Argon2id(UTF-8 of the NFC, salt)                    32 bytes, the cost stored beside it
    m = HMAC(pepper n, ... HMAC(pepper 1, h))               the peppers' ids stored, from the innermost out
    stored = AES-256-GCM under the newest pepper's own key, bound to account, salt, cost and layers

Without the peppers no password can be tried against what is stored. A new pepper is laid over the old ones
without the password (`peppers`); whoever signs in next is hashed anew, under the newest alone.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault import password_rules as rules
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import BadPassword, Busy, RecordDamaged
from noren_vault.hashing import COST, HASH_BYTES, SALT_BYTES, Cost, Hashing
from noren_vault.keys import Keys
from noren_vault.signin_mails import SigninMails

_STORED: Final = """
SELECT a.actor::text, a.handle, p.credential, p.memory_kib, p.passes, p.lanes, p.salt, p.alone, p.sealed,
       p.pepper,
       (SELECT array_agg(l.pepper ORDER BY l.place) FROM vault.password_layer l WHERE l.actor = p.actor),
       EXISTS (SELECT 1 FROM vault.totp t WHERE t.actor = a.actor AND t.state = 'on'),
       EXISTS (SELECT 1 FROM vault.account_state s WHERE s.actor = a.actor AND s.must_reset_since IS NOT NULL)
FROM vault.actor a JOIN vault.password p USING (actor)
"""
_FIND: Final = (
    f"{_STORED} JOIN keystore.signin_mail m USING (actor) "
    "WHERE m.shop_id = %s AND m.kind = %s AND m.token = ANY(%s)"
)
_FIND_OF: Final = f"{_STORED} WHERE a.actor = %s"
_SET: Final = b"""
INSERT INTO vault.password
    (actor, credential, scheme, memory_kib, passes, lanes, salt, alone, sealed, pepper, set_at)
VALUES (%(actor)s, %(credential)s, 'argon2id', %(memory)s, %(passes)s, %(lanes)s, %(salt)s, %(alone)s,
    %(sealed)s, %(pepper)s, %(now)s)
ON CONFLICT (actor) DO UPDATE SET credential = excluded.credential, memory_kib = excluded.memory_kib,
    passes = excluded.passes, lanes = excluded.lanes, salt = excluded.salt, alone = excluded.alone,
    sealed = excluded.sealed, pepper = excluded.pepper, set_at = excluded.set_at
"""
# Only the very hash that the password was checked against: who sets another one meanwhile has the last word.
_RENEW: Final = b"""
UPDATE vault.password SET memory_kib = %(memory)s, passes = %(passes)s, lanes = %(lanes)s, salt = %(salt)s,
    sealed = %(sealed)s, pepper = %(pepper)s
WHERE actor = %(actor)s AND salt = %(old)s
"""
# The first waits for sign-ins under way, which hold the row (`signin`): the grants they give are there to be
# ended when the second is done. In order, so that two of these do not wait for each other.
_HOLD: Final = b"SELECT 1 FROM vault.password WHERE actor = ANY(%s::uuid[]) ORDER BY actor FOR UPDATE"
_REQUIRE: Final = b"""
INSERT INTO vault.account_state (actor, must_reset_since)
SELECT p.actor, %s FROM vault.password p WHERE p.actor = ANY(%s::uuid[]) ORDER BY p.actor
ON CONFLICT (actor) DO UPDATE
    SET must_reset_since = coalesce(vault.account_state.must_reset_since, excluded.must_reset_since)
"""
# What another password makes of no account any more: that it must be reset, and the links to do so.
_SETTLED: Final = (
    b"UPDATE vault.account_state SET must_reset_since = NULL WHERE actor = %(actor)s",
    b"UPDATE vault.reset SET expires_at = %(now)s WHERE actor = %(actor)s AND expires_at > %(now)s",
)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_log = structlog.get_logger("passwords")


@dataclass(frozen=True, slots=True)
class Stored:
    """An account's password as its row has it. `layers`: the peppers' ids, from the innermost out."""

    actor: str
    cost: Cost
    salt: bytes
    alone: bool
    sealed: bytes
    pepper: bytes
    layers: tuple[bytes, ...]

    def place(self, layers: Sequence[bytes]) -> str:
        """Where it belongs, under these layers: nothing of it can be changed for another's."""
        cost, over = self.cost, "+".join(one.hex() for one in layers)
        return (
            f"password:{self.actor}:argon2id:{cost.memory_kib}:{cost.passes}:{cost.lanes}:{self.salt.hex()}:"
            f"{'alone' if self.alone else 'with-second'}:{over}"
        )

    def opened(self, keys: Keys) -> bytes:
        """The hash under its layers: 32 bytes. Raises RecordDamaged."""
        key = keys.peppers.get(self.pepper)
        if key is None:
            raise RecordDamaged("decryption failed")
        return key.open(self.sealed, self.place(self.layers))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. Without `right` the rest says only what goes on record."""

    right: bool
    actor: str = ""
    handle: str = "unknown"
    credential: str = ""
    alone: bool = False
    second_factor: bool = False
    must_reset: bool = False


class Passwords:
    """Sets, checks, brings up to date."""

    def __init__(
        self, *, database: Database, keys: Keys, mails: SigninMails, hashing: Hashing, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._mails = mails
        self._hashing = hashing
        self._now = now

    async def hashed(self, actor: str, text: str) -> "Fresh":
        """Hash a new password. Raises BadPassword (broken text), Busy."""
        return await self._fresh(actor, text, alone=rules.stands_alone(text))

    async def store(self, connection: Connection, fresh: "Fresh", credential: str) -> None:
        """Store it in place of the account's, in the caller's transaction, which holds the keys steady.

        A reset that was asked for, or required, is done with it.
        """
        words = self._words(fresh) | {"credential": credential, "now": self._now()}
        await connection.execute(_SET, words)
        await self._only_layer(connection, fresh.actor)
        for statement in _SETTLED:
            await connection.execute(statement, {"actor": fresh.actor, "now": self._now()})

    async def hold(self, connection: Connection, *actors: str) -> None:
        """Lock these accounts' passwords in the caller's transaction, before whatever else it changes."""
        await connection.execute(_HOLD, [list(actors)])

    async def require_reset(self, connection: Connection, *actors: str) -> None:
        """Let these accounts' passwords sign in no more until others are set, in the caller's transaction.

        Who has a passkey still signs in by it. Whoever ends their grants does so after this, in the same
        transaction: no sign-in comes between. An account without a password has nothing to reset.
        """
        await self.hold(connection, *actors)
        await connection.execute(_REQUIRE, [self._now(), list(actors)])

    async def check(self, shop: int, mail: str, text: str, kind: str = "member") -> Checked:
        """Check mail and password. Who is unknown costs as much as who is known. Raises Busy."""
        row = await self._database.row(_FIND, [shop, kind, self._mails.tokens(shop, mail)])
        return await self._checked(row, text)

    async def check_of(self, actor: str, text: str) -> Checked:
        """Check the password of an account that is known already. Raises Busy."""
        return await self._checked(await self._database.row(_FIND_OF, [actor]), text)

    async def alone(self, actor: str) -> bool:
        """Whether the account's password is long enough by itself; true where there is none."""
        row = await self._database.row("SELECT alone FROM vault.password WHERE actor = %s", [actor])
        return row is None or bool(row[0])

    # -- inside

    async def _checked(self, row: Row | None, text: str) -> Checked:
        stored = self._nobodys() if row is None else _stored(row)
        try:
            password = rules.prepared(text)
        except BadPassword:
            password = b""
        hashed = await self._hashing.run(password, stored.salt, stored.cost)
        right = hmac.compare_digest(self._layered(hashed, stored.layers), stored.opened(self._keys))
        if row is None:
            return Checked(right=False)
        if right:
            await self._renew(stored, text)
        return Checked(right, row[0], row[1], row[2], alone=row[7], second_factor=row[11], must_reset=row[12])

    def _layered(self, hashed: bytes, layers: Sequence[bytes]) -> bytes:
        for layer in layers:
            if layer not in self._keys.peppers:
                raise RecordDamaged("decryption failed")
            hashed = self._keys.peppers[layer].layer(hashed)
        return hashed

    def _nobodys(self) -> Stored:
        """What nobody's password is checked against, in the same steps as somebody's."""
        fresh = Fresh(
            _NOBODY, COST, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES), alone=True
        )
        return self._sealed(fresh)

    async def _fresh(self, actor: str, text: str, *, alone: bool) -> "Fresh":
        salt = secrets.token_bytes(SALT_BYTES)
        hashed = await self._hashing.run(rules.prepared(text), salt, COST)
        return Fresh(actor, COST, salt, hashed, alone=alone)

    def _sealed(self, fresh: "Fresh") -> Stored:
        key = self._keys.pepper
        bare = Stored(fresh.actor, fresh.cost, fresh.salt, fresh.alone, b"", key.id, (key.id,))
        sealed = key.seal(key.layer(fresh.hashed), bare.place(bare.layers))
        return Stored(bare.actor, bare.cost, bare.salt, bare.alone, sealed, bare.pepper, bare.layers)

    def _words(self, fresh: "Fresh") -> dict[str, Any]:
        stored = self._sealed(fresh)
        return {
            "actor": stored.actor,
            "memory": stored.cost.memory_kib,
            "passes": stored.cost.passes,
            "lanes": stored.cost.lanes,
            "salt": stored.salt,
            "alone": stored.alone,
            "sealed": stored.sealed,
            "pepper": stored.pepper,
        }

    async def _only_layer(self, connection: Connection, actor: str) -> None:
        await connection.execute(b"DELETE FROM vault.password_layer WHERE actor = %s", [actor])
        await connection.execute(
            b"INSERT INTO vault.password_layer (actor, place, pepper) VALUES (%s, 0, %s)",
            [actor, self._keys.pepper.id],
        )

    async def _renew(self, stored: Stored, text: str) -> None:
        """Hash anew at today's cost under the newest pepper alone, where it is not so already."""
        if stored.cost == COST and stored.layers == (self._keys.pepper.id,):
            return
        try:
            fresh = await self._fresh(stored.actor, text, alone=stored.alone)
        except Busy:
            return
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            cursor = await connection.execute(_RENEW, self._words(fresh) | {"old": stored.salt})
            if cursor.rowcount:
                await self._only_layer(connection, stored.actor)
        _log.info("password_renewed")


@dataclass(frozen=True, slots=True)
class Fresh:
    """A password just hashed, without a layer yet; it lives for one request."""

    actor: str
    cost: Cost
    salt: bytes
    hashed: bytes
    alone: bool


def credential_name() -> str:
    """Make a password's name in the record: of chance, nothing of it can be told from it."""
    return f"pw-{secrets.token_hex(12)}"


def _stored(row: Sequence[Any]) -> Stored:
    layers = tuple(bytes(one) for one in row[10] or ())
    return Stored(row[0], Cost(*row[3:6]), bytes(row[6]), row[7], bytes(row[8]), bytes(row[9]), layers)
