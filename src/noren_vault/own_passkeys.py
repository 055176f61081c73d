"""One's own passkeys: seen, added, given a name, removed. Whoever asks has a grant; another's is not there.

The last way in stays. Operators, who have passkeys only, keep two once they have two.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import psycopg

from noren_vault.alerts import Alerts
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import LastWayIn, NoSuchPasskey, PasskeyRefused, TooManyPasskeys
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.keys import Keys
from noren_vault.passkey_words import PasskeyWords, opened
from noren_vault.passkeys import Ceremonies
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Role

MOST: Final = 20
OPERATORS_KEEP: Final = 2
_ALL: Final = """
SELECT k.name, k.credential_id, k.added_at, k.used_at, k.backed_up, k.flagged_at, w.sealed
FROM vault.passkey k LEFT JOIN vault.passkey_word w USING (name)
WHERE k.actor = %s ORDER BY k.added_at, k.name
"""
_ADD: Final = b"""
INSERT INTO vault.passkey (credential_id, name, actor, public_key, sign_count, backed_up, added_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def least_of(role: Role) -> int:
    """How many passkeys somebody of this role has to have."""
    return OPERATORS_KEEP if role is Role.OPERATOR else 1


class OwnPasskeys:
    """Lists, adds, names, removes."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        grants: Grants,
        ceremonies: Ceremonies,
        freshness: Freshness,
        alerts: Alerts,
        now: Now,
    ) -> None:
        """Keep the parts; `ceremonies` are those that signing in uses."""
        self._database = database
        self._keys = keys
        self._record = record
        self._grants = grants
        self._ceremonies = ceremonies
        self._freshness = freshness
        self._alerts = alerts
        self._now = now

    async def all(self, grant: Grant) -> list[dict[str, Any]]:
        """Give them in the order in which they were added; the caller has written down that she looks."""
        return [
            {
                "name": name,
                **opened(self._keys, name, sealed).to_wire(),
                "added": added / 1000,
                "used": None if used is None else used / 1000,
                "synced": synced,
                "flagged": None if flagged is None else flagged / 1000,
                "this": name == grant.credential,
            }
            for name, _, added, used, synced, flagged, sealed in await self._database.rows(
                _ALL, [grant.actor]
            )
        ]

    async def begin(self, grant: Grant) -> dict[str, Any]:
        """Options for one more, good for this grant alone. Raises FreshSignInNeeded, TooManyPasskeys."""
        await self._freshness.check(grant)
        rows = await self._database.rows(_ALL, [grant.actor])
        if len(rows) >= MOST:
            raise TooManyPasskeys(most=MOST)
        return self._ceremonies.creation_options(
            _adding(grant),
            actor=UUID(grant.actor).bytes,
            handle=await self._called(grant),
            existing=[bytes(row[1]) for row in rows],
        )

    async def finish(self, grant: Grant, response: Mapping[str, Any], label: str, device: str) -> str:
        """Add the passkey that answers; gives its name in the record. Raises PasskeyRefused.

        That it was she was asked when it began: the challenge is this grant's, and good for five minutes.
        """
        words = PasskeyWords.of(label, device, response.get("authenticatorAttachment"))
        made = self._ceremonies.enrol(_adding(grant), response)
        entry = await self._record.write(
            "register", grant.path, shop=grant.shop, ref=made.name, note="passkey_added"
        )
        try:
            async with self._keys.steady.hold(), self._database.transaction() as connection:
                await connection.execute(
                    _ADD,
                    [
                        made.credential_id,
                        made.name,
                        grant.actor,
                        made.public_key,
                        made.sign_count,
                        made.backed_up,
                        self._now(),
                    ],
                )
                await words.store(connection, self._keys, grant.actor, made.name)
        except psycopg.errors.UniqueViolation:
            await self._record.outcome(entry, Outcome.FAILED, grant.path)
            raise PasskeyRefused("enrolled already") from None
        await self._record.outcome(entry, Outcome.DONE, grant.path)
        await self._alerts.changed(grant.actor, "passkey_added")
        return made.name

    async def rename(self, grant: Grant, name: str, label: str) -> None:
        """Call it by another name; an empty one is none. Raises NoSuchPasskey."""
        row = await self._database.row(
            "SELECT k.name, w.sealed FROM vault.passkey k LEFT JOIN vault.passkey_word w USING (name) "
            "WHERE k.actor = %s AND k.name = %s",
            [grant.actor, name],
        )
        if row is None:
            raise NoSuchPasskey
        old = opened(self._keys, name, row[1])
        words = PasskeyWords.of(label, old.device, old.attached)
        await self._record.write("register", grant.path, shop=grant.shop, ref=name, note="passkey_named")
        try:
            async with self._keys.steady.hold(), self._database.transaction() as connection:
                await words.store(connection, self._keys, grant.actor, name)
        except psycopg.errors.ForeignKeyViolation:
            raise NoSuchPasskey from None  # removed meanwhile

    async def remove(self, grant: Grant, name: str) -> None:
        """Remove it, and end what it opened. Raises FreshSignInNeeded, NoSuchPasskey, LastWayIn."""
        await self._freshness.check(grant)
        async with self._database.transaction() as connection:
            there = await own_names(connection, grant.actor)
            if name not in there:
                raise NoSuchPasskey
            await self._may_lose(connection, grant, len(there) - 1)
            entry = await self._record.write(
                "register", grant.path, shop=grant.shop, ref=name, note="passkey_removed"
            )
            await remove_passkeys(connection, grant.actor, [name])
            # After the passkey: a sign-in by it that was under way has its grant by now, or gets none.
            await connection.execute(
                b"UPDATE vault.access_grant SET revoked_at = %s "
                b"WHERE actor = %s AND credential = %s AND revoked_at IS NULL",
                [self._now(), grant.actor, name],
            )
        self._grants.changed(grant.actor)
        await self._record.outcome(entry, Outcome.DONE, grant.path)
        await self._alerts.changed(grant.actor, "passkey_removed")

    async def _called(self, grant: Grant) -> str:
        """What the device lists it by: a customer, whose handle says nothing to her, by her shop."""
        if grant.role is not Role.CUSTOMER:
            return grant.handle
        row = await self._database.row("SELECT slug FROM vault.shop WHERE shop_id = %s", [grant.shop])
        return grant.handle if row is None else str(row[0])

    async def _may_lose(self, connection: Connection, grant: Grant, left: int) -> None:
        least = least_of(grant.role)
        if left >= least or grant.role is Role.CUSTOMER:
            return
        if grant.role is not Role.OPERATOR and await has_password(connection, grant.actor):
            return
        raise LastWayIn(least=least)


async def own_names(connection: Connection, actor: str) -> list[str]:
    """Give the names of an account's passkeys; one change of them at a time.

    Not `FOR UPDATE`: a sign-in that holds a passkey's row needs the actor's for its grant.
    """
    await connection.execute(b"SELECT 1 FROM vault.actor WHERE actor = %s FOR NO KEY UPDATE", [actor])
    cursor = await connection.execute(b"SELECT name FROM vault.passkey WHERE actor = %s", [actor])
    return [row[0] for row in await cursor.fetchall()]


async def has_password(connection: Connection, actor: str) -> bool:
    """Whether the account has one."""
    cursor = await connection.execute(b"SELECT 1 FROM vault.password WHERE actor = %s", [actor])
    return await cursor.fetchone() is not None


async def remove_passkeys(connection: Connection, actor: str, names: list[str]) -> None:
    """Remove passkeys of an account in the caller's transaction, with what they are called."""
    await connection.execute(b"DELETE FROM vault.passkey WHERE actor = %s AND name = ANY(%s)", [actor, names])


def path_of(grant: Grant, credential: str) -> Path:
    """The grant's way, by another credential of the same person."""
    return Path(grant.handle, credential, grant.session)


def _adding(grant: Grant) -> str:
    """Binds the challenge to one grant."""
    return f"add:{grant.grant_id}"
