"""Grants: what a sign-in gives, and what each reveal presents.

A token is `<shop>.<grant id>.<secret>`; only the secret's SHA-256 is kept. Whose it is, which role they have
and whether they still work there is read from the vault's own tables at each use, never from a request.

An operator's token is followed by `.<power>` where she acts under a power that was lent to her: the grant is
then one of the power's shop, as long as the power runs and she has entered it.

Between that reading and the last person's opening some milliseconds pass. Whatever changes somebody's rights
says so here (`changed`), and who opens persons asks before each one whether the grant is `stale`, and if so
has it read `again`. All of it happens in this one process, which alone writes those tables.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from noren_vault.budgets import Spender
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import GrantExpired, GrantRefused, PowerNeeded, PowerOver
from noren_vault.peer import Peer
from noren_vault.permissions import OF_ROLE, Permission, left, narrowed_by
from noren_vault.record import Path
from noren_vault.rights import DECIDING, PLATFORM, PLATFORM_ROLES, Narrowed, Role, What
from noren_vault.together import Together

HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * HOUR_MS
LIFE_MS: Final = 12 * HOUR_MS
IDLE_MS: Final = HOUR_MS
OPERATOR_IDLE_MS: Final = HOUR_MS // 4
# A customer's opens nobody but herself: on her own phone it lasts (SP 800-63B-4, AAL1: 30 days at most).
CUSTOMER_LIFE_MS: Final = 30 * _DAY_MS
CUSTOMER_IDLE_MS: Final = 7 * _DAY_MS
# What one signs in with is changed only so soon after signing in, a customer's own data a little longer.
LONGEST_LIFE_MS: Final = max(LIFE_MS, CUSTOMER_LIFE_MS)
# How exactly the last use is kept: a write for each use would cost more than the reveal.
_SEEN_EVERY_MS: Final = 30_000
_MOST_CHANGES: Final = 10_000
_IDLES: Final[Mapping[str, int]] = {
    **dict.fromkeys(PLATFORM_ROLES, OPERATOR_IDLE_MS),
    Role.CUSTOMER: CUSTOMER_IDLE_MS,
}
_NUMBER: Final = re.compile(r"[0-9]{1,16}", re.ASCII)
# Of a grant, and of a power.
_GRANT_ID: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)

_FIND: Final = """
SELECT g.grant_id, g.secret_hash, g.shop_id, g.credential, g.session, g.expires_at, g.seen_at, g.revoked_at,
       a.actor::text, a.handle, coalesce(m.person, a.person)::text,
       CASE WHEN a.kind = 'member' THEN m.role WHEN p.state <> 'erased' THEN 'customer' END AS role, m.staff,
       (SELECT jsonb_object_agg(n.purpose, n.fields) FROM vault.narrowed n
        WHERE n.shop_id = g.shop_id AND n.role = m.role), m.ends_at,
       ARRAY(SELECT t.permission FROM vault.taken t WHERE t.shop_id = g.shop_id AND t.role = m.role)
FROM vault.access_grant g
JOIN vault.actor a USING (actor)
LEFT JOIN vault.membership m ON m.shop_id = g.shop_id AND m.actor = g.actor AND m.ended_at IS NULL
LEFT JOIN vault.person p ON a.kind = 'customer' AND p.shop_id = a.shop_id AND p.person = a.person
WHERE g.grant_id = """
# PostgreSQL keeps one plan for an id, but makes a new one for each list: that takes longer than the reading.
_FIND_ONE: Final = _FIND + "%s"
_FIND_SOME: Final = _FIND + "ANY(%s)"
_POWER: Final = (
    "SELECT what, shop_id, actor::text, state, until, entered_at FROM vault.power WHERE power = %s"
)
_ANOTHER: Final = """
SELECT 1 FROM vault.membership m
WHERE m.shop_id = %s AND m.actor <> %s AND m.ended_at IS NULL AND m.role = ANY(%s)
  AND (EXISTS (SELECT 1 FROM vault.passkey k WHERE k.actor = m.actor)
    OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = m.actor)
    OR EXISTS (SELECT 1 FROM keystore.sso_subject s WHERE s.actor = m.actor))
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant that holds now. `shop` 0 is the platform's. Instants in milliseconds."""

    grant_id: str
    shop: int
    actor: str
    handle: str
    person: str | None
    role: Role
    staff: str | None
    credential: str
    session: str
    expires_at: int
    narrowed: Narrowed = field(default_factory=dict)
    permissions: frozenset[Permission] = frozenset()
    turn: int = 0
    # The power under which an operator acts, and what it is for.
    power: str = ""
    lent: What | None = None

    @property
    def path(self) -> Path:
        """The entries' "who"."""
        return Path(self.handle, self.credential, self.session)

    def needs(self, *any_of: Permission) -> None:
        """Raise GrantRefused unless it gives one of these."""
        if not self.permissions.intersection(any_of):
            raise GrantRefused(f"the {self.role} has no {' or '.join(any_of)}")

    @property
    def lineage(self) -> str:
        """Whose budget is debited: the actor's, whichever passkey or grant it is."""
        return self.handle

    @property
    def spender(self) -> Spender:
        """Who is debited. A grant that no passkey gave cannot be stepped up by one."""
        return Spender(self.lineage, self.shop, self.role, passkey=self.credential.startswith("pk-"))


class Grants:
    """Issues, checks and ends grants."""

    def __init__(self, database: Database, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._now = now
        self._rows = Together(self._fetch)
        # Actor, grant id or "shop:<number>" -> the turn in which its rights were changed last.
        self._changes: dict[str, int] = {}
        self._turn = 0
        # By role: how a grant that is not one of these rows is read anew.
        self.also: dict[Role, Callable[[Grant], Awaitable[Grant]]] = {}
        self._forgotten = 0

    async def issue(
        self,
        connection: Connection,
        *,
        shop: int,
        actor: str,
        credential: str,
        session: str,
        until: int | None = None,
        role: Role | None = None,
    ) -> str:
        """Make a grant in the caller's transaction, for its role's life or `until` then; it is told once."""
        grant_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._now()
        await connection.execute(
            b"INSERT INTO vault.access_grant (grant_id, secret_hash, shop_id, actor, credential, session, "
            b"issued_at, expires_at, seen_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                grant_id,
                _hash(secret),
                shop,
                actor,
                credential,
                session,
                now,
                until or now + life_ms(role),
                now,
            ],
        )
        return f"{shop}.{grant_id}.{secret}"

    async def check(self, token: object) -> Grant:
        """Give the grant behind a token. Raises GrantExpired (unknown, ended), GrantRefused (not there).

        Under a power: PowerOver, PowerNeeded as well.
        """
        shop, grant_id, secret, power = _parts(token)
        turn = self._turn
        row = await self._rows.get(grant_id)
        if row is None or not hmac.compare_digest(bytes(row[0]), _hash(secret)):
            raise GrantExpired("no such grant")
        if row[1] != shop:
            raise GrantRefused("the grant is another shop's")
        held = await self._held(grant_id, row, turn)
        return await self._under(held, power) if power else held

    def changed(self, *whose: str) -> None:
        """Say that the rights of an actor, a grant or a shop (`shop_mark`) are not what they were."""
        if len(self._changes) >= _MOST_CHANGES:
            # Every grant read before now counts as stale instead, and is read again.
            self._changes.clear()
            self._forgotten = self._turn + 1
        self._turn += 1
        self._changes.update(dict.fromkeys(whose, self._turn))

    def stale(self, grant: Grant) -> bool:
        """Whether the grant's time is over, or something about it was changed since it was read."""
        marks = (grant.actor, grant.grant_id, shop_mark(grant.shop), power_mark(grant.power))
        changed = any(self._changes.get(mark, self._forgotten) > grant.turn for mark in marks)
        return changed or self._now() >= grant.expires_at

    @property
    def turn(self) -> int:
        """How many changes there were: to be taken before a right is read."""
        return self._turn

    async def again(self, grant: Grant) -> Grant:
        """Read a grant anew that was good a moment ago. Raises GrantExpired, GrantRefused."""
        if grant.role in self.also:
            return await self.also[grant.role](grant)
        turn = self._turn
        row = await self._rows.get(grant.grant_id)
        if row is None:
            raise GrantExpired("no such grant")
        held = await self._held(grant.grant_id, row, turn)
        return await self._under(held, grant.power) if grant.power else held

    async def another_decides(self, grant: Grant) -> bool:
        """Whether the grant's shop has another owner or manager, who can sign in."""
        row = await self._database.row(_ANOTHER, [grant.shop, grant.actor, list(DECIDING)])
        return row is not None

    async def of_shop(self, token: object, *, lent: bool = False) -> Grant:
        """Give a grant of a shop: an operator has no shop. Raises GrantRefused.

        `lent`: what is asked for may be done under a power that was lent, too.
        """
        grant = await self.check(token)
        if grant.shop == PLATFORM or (grant.power and not lent):
            raise GrantRefused("an operator enters no shop without a lent power")
        return grant

    async def may_ask(self, token: object, peer: Peer) -> Path:
        """Give the path of who may question the record by ids, as `may` does; an auditor may by standing."""
        if token is not None:
            grant = await self.check(token)
            if grant.role is Role.AUDITOR:
                return grant.path
        return await self.may(token, peer, What.READ_LEDGER_ENTRIES)

    async def may(self, token: object, peer: Peer, what: What) -> Path:
        """Give the path of an operator who acts under this power, or without a grant of an administrator's
        process. Raises GrantExpired, GrantRefused, PowerNeeded, PowerOver.
        """
        if token is None:
            if not peer.admin:
                raise GrantRefused("an administrator's process, or an operator under a power, may ask this")
            return peer.admin_path
        grant = await self.of_platform(token)
        if grant.lent is not what:
            raise PowerNeeded(f"{what} is needed")
        return grant.path

    async def of_platform(self, token: object) -> Grant:
        """Give an operator's grant, under a power or not. Raises GrantRefused."""
        grant = await self.check(token)
        if grant.role is not Role.OPERATOR:
            raise GrantRefused("an operator may ask this")
        return grant

    async def end(self, grant: Grant) -> None:
        """End a grant."""
        await self._database.run(
            "UPDATE vault.access_grant SET revoked_at = %s WHERE grant_id = %s AND revoked_at IS NULL",
            [self._now(), grant.grant_id],
        )
        self.changed(grant.grant_id)

    async def end_all(self, connection: Connection, actor: str) -> None:
        """End an actor's grants for every shop in the caller's transaction, who then says `changed`."""
        await connection.execute(
            b"UPDATE vault.access_grant SET revoked_at = %s WHERE actor = %s AND revoked_at IS NULL",
            [self._now(), actor],
        )

    async def end_of(self, connection: Connection, actor: str, shop: int, *, but: str = "") -> None:
        """End an actor's grants for a shop in the caller's transaction, all or all but one.

        The caller says `changed` once it is committed.
        """
        await connection.execute(
            b"UPDATE vault.access_grant SET revoked_at = %s "
            b"WHERE actor = %s AND shop_id = %s AND grant_id <> %s AND revoked_at IS NULL",
            [self._now(), actor, shop, but],
        )

    async def _held(self, grant_id: str, row: Row, turn: int) -> Grant:
        """Make the grant of a row, if it is in its time and its holder is still there."""
        expires = row[4] if row[13] is None else min(row[4], row[13])
        await self._in_time(grant_id, row[10], expires=expires, seen=row[5], revoked=row[6])
        if row[10] is None:
            raise GrantRefused("is not there any more")
        role = Role(row[10])
        permissions = left(role, row[14])
        return Grant(
            grant_id=grant_id,
            shop=row[1],
            actor=row[7],
            handle=row[8],
            person=row[9],
            role=role,
            staff=row[11],
            credential=row[2],
            session=row[3],
            expires_at=expires,
            narrowed=narrowed_by(permissions, _narrowed(row[12])) if role in OF_ROLE else {},
            permissions=permissions,
            turn=turn,
        )

    async def _under(self, grant: Grant, power: str) -> Grant:
        """Make it one of the power's shop. Whom the power was lent to is no person there."""
        if grant.role is not Role.OPERATOR:
            raise GrantRefused("powers are lent to operators")
        row = await self._database.row(_POWER, [power])
        if row is None or row[2] != grant.actor:
            raise PowerNeeded("not lent to her")
        what, shop, _, state, until, entered = row
        if state != "running" or self._now() >= until:
            raise PowerOver(state)
        if entered is None:
            raise PowerNeeded("not entered")
        lent = What(what)
        expires = min(grant.expires_at, until)
        return replace(grant, shop=shop, person=None, power=power, lent=lent, expires_at=expires)

    async def _fetch(self, grant_ids: Sequence[str]) -> dict[str, Row]:
        one = len(grant_ids) == 1
        wanted = grant_ids[0] if one else list(grant_ids)
        rows = await self._database.rows(_FIND_ONE if one else _FIND_SOME, [wanted], binary=True)
        return {row[0]: row[1:] for row in rows}

    async def _in_time(
        self, grant_id: str, role: str | None, *, expires: int, seen: int, revoked: int | None
    ) -> None:
        now = self._now()
        if revoked is not None or now >= expires or now >= seen + idle_ms(role):
            raise GrantExpired("the grant has ended")
        if now >= seen + _SEEN_EVERY_MS:
            await self._database.run(
                "UPDATE vault.access_grant SET seen_at = %s WHERE grant_id = %s AND seen_at < %s",
                [now, grant_id, now],
            )


def life_ms(role: Role | None) -> int:
    """How long a grant of this role lives at most."""
    return CUSTOMER_LIFE_MS if role is Role.CUSTOMER else LIFE_MS


def shop_mark(shop: int) -> str:
    """Give the mark of a change that touches everybody of a shop."""
    return f"shop:{shop}"


def power_mark(power: str) -> str:
    """Give the mark of a change of a power."""
    return f"power:{power}"


def _narrowed(stored: Mapping[str, Any] | None) -> Narrowed:
    return {purpose: frozenset(fields) for purpose, fields in (stored or {}).items()}


def idle_ms(role: str | None) -> int:
    """How long a grant of this role holds unused."""
    return _IDLES.get(role or "", IDLE_MS)


def shop_of(token: object) -> int | None:
    """Give the shop that a token names, whether it holds or not."""
    try:
        return _parts(token)[0]
    except GrantExpired:
        return None


def _parts(token: object) -> tuple[int, str, str, str]:
    parts = token.split(".") if isinstance(token, str) and len(token) <= 200 else []
    power = parts.pop() if len(parts) == 4 else ""
    if power and not _GRANT_ID.fullmatch(power):
        raise GrantExpired("not a grant")
    # Ids are read together: one that PostgreSQL cannot even take would be everybody's fault at once.
    if len(parts) != 3 or not _NUMBER.fullmatch(parts[0]) or not _GRANT_ID.fullmatch(parts[1]):
        raise GrantExpired("not a grant")
    return int(parts[0]), parts[1], parts[2], power


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
