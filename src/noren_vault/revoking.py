"""Revoking what somebody else signs in with: one passkey, password or API key, or all of an account's.

What it opened ends with it. A passkey is gone; a password signs in no more until another one is set by mail;
an API key is over. Who has no way in left is invited anew, by mail; a customer comes by a mailed code, an
operator by another one's invitation only: nothing weaker may let her in. The last operator who can sign in
stays, but for broken glass and an administrator's shell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.alerts import Alerts
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import BadRequest, GrantRefused, LastOperator, NoSuchCredential
from noren_vault.grants import Grants
from noren_vault.invites import Invites
from noren_vault.known_devices import KnownDevices
from noren_vault.own_passkeys import own_names, remove_passkeys
from noren_vault.passwords import Passwords
from noren_vault.peer import Peer
from noren_vault.platform import MEMBER
from noren_vault.protocol import Params
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM, SHOP_ROLES, Role, What

CREDENTIAL: Final = "credential"
ACTOR: Final = "actor"
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,120}", re.ASCII)
_BY_HANDLE: Final = """
SELECT a.actor::text, a.handle, a.shop_id, a.kind, m.role, a.person::text,
    EXISTS (SELECT 1 FROM keystore.sso_subject s WHERE s.actor = a.actor), w.credential
FROM vault.actor a LEFT JOIN vault.password w USING (actor)
LEFT JOIN vault.membership m ON m.shop_id = a.shop_id AND m.actor = a.actor AND m.ended_at IS NULL
WHERE a.handle = %(name)s
"""
_BY_CREDENTIAL: Final = _BY_HANDLE.replace(
    "a.handle = %(name)s",
    "w.credential = %(name)s OR a.actor = (SELECT actor FROM vault.passkey WHERE name = %(name)s)",
)
_KEYS: Final = b"""
SELECT name, shop_id FROM vault.api_key WHERE revoked_at IS NULL AND expires_at > %(now)s
AND CASE WHEN %(actor)s::text = '' THEN name = %(name)s ELSE made_by::text = %(actor)s END ORDER BY name
"""
_END_KEYS: Final = b"UPDATE vault.api_key SET revoked_at = %s WHERE name = ANY(%s) AND revoked_at IS NULL"
_END: Final = b"""
UPDATE vault.access_grant SET revoked_at = %(now)s
WHERE actor = %(actor)s AND revoked_at IS NULL AND (%(all)s OR credential = %(name)s)
"""
_NO_INVITE: Final = (
    b"UPDATE vault.invite SET expires_at = %s WHERE actor = %s AND used_at IS NULL AND expires_at > %s"
)


@dataclass(frozen=True, slots=True)
class _Account:
    actor: str
    handle: str
    shop: int
    kind: str
    role: str | None
    person: str | None
    sso: bool
    password: str | None


@dataclass(frozen=True, slots=True)
class _Done:
    """What was ended: passkeys, whether the password, API keys; and how many passkeys are left."""

    passkeys: Sequence[str]
    password: bool
    keys: Sequence[str]
    left: int


class Revoking:
    """Ends credentials. `acts` names the method."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        grants: Grants,
        passwords: Passwords,
        invites: Invites,
        alerts: Alerts,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._passwords = passwords
        self._invites = invites
        self._alerts = alerts
        self._now = now
        self.acts = {"revoke": self.revoke}

    async def revoke(self, params: Params, peer: Peer) -> dict[str, Any]:
        """End them, on record first; tell how many there were, and how their holder comes in again.

        Raises PowerNeeded, NoSuchCredential, LastOperator; GrantRefused for one's own.
        """
        path = await self._grants.may(params.raw.get("grant"), peer, What.END_GRANTS)
        own, glass = await self._asker(params.raw.get("grant"))
        whose, name = _asked(params)
        if whose == CREDENTIAL and name.startswith("key-"):
            return await self._revoke_key(name, path)
        asked = _BY_HANDLE if whose == ACTOR else _BY_CREDENTIAL
        row = await self._database.row(asked, {"name": name})
        if row is None:
            raise NoSuchCredential
        account = _Account(*row)
        if account.actor == own:
            raise GrantRefused("one's own are ended in one's settings")
        entry = await self._record.write(
            "register", path, shop=account.shop, ref=f"{whose}:{name}", note="revoked"
        )
        async with self._database.transaction() as connection:
            done = await self._over(connection, account, name if whose == CREDENTIAL else "", path, glass)
        self._grants.changed(account.actor, *done.keys)
        await self._record.outcome(entry, Outcome.DONE, path)
        return {
            "ended": len(done.passkeys) + done.password + len(done.keys),
            "back": await self._tell(account, done, path),
        }

    # -- inside

    async def _asker(self, token: object) -> tuple[str, bool]:
        """Who asks, and whether it is by broken glass; a shell may what broken glass may."""
        if token is None:
            return "", True
        grant = await self._grants.check(token)
        row = await self._database.row("SELECT glass FROM vault.power WHERE power = %s", [grant.power])
        return grant.actor, row is not None and bool(row[0])

    async def _over(
        self, connection: Connection, account: _Account, name: str, path: Path, glass: bool
    ) -> _Done:
        """End one by its name, or without one all of the account's, in one transaction."""
        operators = await connection.execute(MEMBER.encode() + b"FOR UPDATE OF m", [self._now()])
        others = any(
            row[0] != account.actor and row[1] == Role.OPERATOR and row[2]
            for row in await operators.fetchall()
        )
        there = await own_names(connection, account.actor)
        passkeys = [one for one in there if name in ("", one)]
        if account.role == Role.OPERATOR and len(passkeys) == len(there) and not (others or glass):
            raise LastOperator
        password = account.password is not None and name in ("", account.password)
        if name and not passkeys and not password:
            raise NoSuchCredential  # gone meanwhile
        if password:
            await self._passwords.require_reset(connection, account.actor)
        await remove_passkeys(connection, account.actor, passkeys)
        keys: list[Row] = []
        if not name:
            cursor = await connection.execute(_KEYS, {"now": self._now(), "actor": account.actor, "name": ""})
            keys = await cursor.fetchall()
            await self._end_keys(connection, keys, path)
            await connection.execute(_NO_INVITE, [self._now(), account.actor, self._now()])
        if password or not name:
            await KnownDevices.forget(connection, account.actor)
        # After what they sign in with: a sign-in that was under way has its grant by now, or gets none.
        ending = {"now": self._now(), "actor": account.actor, "all": not name, "name": name}
        await connection.execute(_END, ending)
        return _Done(passkeys, password, [row[0] for row in keys], len(there) - len(passkeys))

    async def _revoke_key(self, name: str, path: Path) -> dict[str, Any]:
        """End an API key; its shop sees it ended, and makes another."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(_KEYS, {"now": self._now(), "actor": "", "name": name})
            keys = await cursor.fetchall()
            if not keys:
                raise NoSuchCredential
            await self._end_keys(connection, keys, path)
        self._grants.changed(name)
        return {"ended": 1, "back": ["key"]}

    async def _end_keys(self, connection: Connection, keys: Sequence[Row], path: Path) -> None:
        for key, shop in keys:
            by = Path(path.actor, key, path.session)
            await self._record.write("register", by, shop=shop, note="api_key_ended")
        await connection.execute(_END_KEYS, [self._now(), [key for key, _ in keys]])

    async def _tell(self, account: _Account, done: _Done, path: Path) -> list[str]:
        """Mail the holder; gives the ways by which she comes in again."""
        back = [
            way
            for way, there in (
                ("passkey", done.left > 0),
                ("password", account.password is not None),
                ("sso", account.sso and account.shop != PLATFORM),
                ("code", account.kind == "customer"),
            )
            if there
        ]
        invite = None
        if not back and account.role in SHOP_ROLES:
            persons = [account.person] if account.person else []
            await self._record.write("invite", path, shop=account.shop, persons=persons, ref=account.handle)
            invite = await self._invites.make(account.actor, Role(account.role))
            back = ["invited"]
        elif not back and account.shop == PLATFORM:
            back = ["operator"]
        if done.passkeys or done.password or invite is not None:
            await self._alerts.revoked(account.actor, invite=invite, back=back)
        return back


def _asked(params: Params) -> tuple[str, str]:
    """Whose, and the name by which the table knows them. Raises BadRequest."""
    whose, name = params.text("whose", most=20), params.text("name", most=120)
    if whose not in (CREDENTIAL, ACTOR) or not _NAME.fullmatch(name):
        raise BadRequest("a credential's or an actor's name as the record has it")
    return whose, name
