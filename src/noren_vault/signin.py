"""The two ways to a grant: enrolling by invitation, and signing in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog

from noren_vault.blocked import Blocked
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import CodeRefused, GrantRefused, PasskeyRefused, PasswordRefused, VaultError
from noren_vault.grants import Grant, Grants, life_ms
from noren_vault.invites import Invited, Invites
from noren_vault.keys import Keys
from noren_vault.known_devices import KnownDevices
from noren_vault.passkey_words import PasskeyWords
from noren_vault.passkeys import Asserted, Ceremonies, Enrolled, Known, credential_id, credential_name, refuse
from noren_vault.permissions import left, named
from noren_vault.record import Path, Record, session_name
from noren_vault.rights import PLATFORM, Role
from noren_vault.sso_required import Required
from noren_vault.tickets import Ticket, Tickets
from noren_vault.visits import Visit, Visits

_log = structlog.get_logger("signin")
_MEMBERSHIPS: Final = """
SELECT m.shop_id, coalesce(s.slug, ''), m.role, m.staff,
    ARRAY(SELECT t.permission FROM vault.taken t WHERE t.shop_id = m.shop_id AND t.role = m.role)
FROM vault.membership m LEFT JOIN vault.shop s USING (shop_id)
WHERE m.actor = %(actor)s AND m.ended_at IS NULL AND (m.ends_at IS NULL OR m.ends_at > %(now)s)
UNION ALL
SELECT a.shop_id, coalesce(s.slug, ''), 'customer', NULL, '{}'::text[]
FROM vault.actor a JOIN vault.person p USING (shop_id, person) LEFT JOIN vault.shop s USING (shop_id)
WHERE a.actor = %(actor)s AND a.kind = 'customer' AND p.kind = 'customer' AND p.state <> 'erased'
ORDER BY 1
"""
# Who sets another password, or requires one, waits for this sign-in, and ends it then. The second is a
# statement of its own: what was committed while the first waited is seen.
_STILL: Final = b"SELECT 1 FROM vault.password WHERE actor = %s AND credential = %s FOR SHARE"
_OVER: Final = b"SELECT 1 FROM vault.account_state WHERE actor = %s AND must_reset_since IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey's answer that was checked, and by which path it came."""

    path: Path
    known: Known
    asserted: Asserted

    @property
    def actor(self) -> str:
        """Whose passkey it is."""
        return self.known.actor


# A sign-in by a mailed code has no credential that lasts.
CODE: Final = "code"


class SignIn:
    """Checks passkeys and issues grants. The entry is durable before a grant is told."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        ceremonies: Ceremonies,
        invites: Invites,
        grants: Grants,
        visits: Visits,
        keys: Keys,
        required: Required,
        blocked: Blocked,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._ceremonies = ceremonies
        self._invites = invites
        self._grants = grants
        self._visits = visits
        self._keys = keys
        self.required = required
        self.blocked = blocked
        self._firsts = Tickets(now)
        self._now = now
        self._devices = KnownDevices(database)

    def begin(self) -> dict[str, Any]:
        """Options for signing in."""
        return self._ceremonies.request_options()

    async def finish(
        self, challenge: str, response: Mapping[str, Any], visit: Visit, shop: int | None, first: str = ""
    ) -> dict[str, Any]:
        """Check the passkey's answer and issue a grant for the shop, or the actor's first one.

        `first`: the ticket of an operator for whom a provider has vouched. Raises CodeRefused for another's.
        """
        known = await self._known(credential_id(response))
        name = credential_name(known.credential_id)
        handle = await self._handle(known.actor)
        session = session_name(visit.session)
        asserted = await self._asserted(Path(handle, name, session), response, known, challenge=challenge)
        memberships = await self._memberships(known.actor)
        chosen = await self._chosen(memberships, shop, Path(handle, name, session))
        ticket = self._first(first, known.actor, session)
        note = "counter_regression" if asserted.regressed else "" if ticket is None else "sso"
        if asserted.regressed:
            _log.error("passkey_counter_regression", credential=name)
        await self._record.write("signin", Path(handle, name, session), shop=chosen["shop"], note=note)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._used(connection, known, asserted)
            grant = await self.issue(
                connection,
                chosen["shop"],
                known.actor,
                name,
                visit,
                role=chosen["role"],
                first=ticket is not None,
            )
        return self._answer(grant, known.actor, handle, chosen, memberships)

    async def admit(
        self,
        actor: str,
        credential: str,
        visit: Visit,
        shop: int,
        *,
        note: str,
        still: tuple[bytes, type[VaultError]] = (_STILL, PasswordRefused),
    ) -> dict[str, Any]:
        """Sign in by what was checked: on record first, then the grant.

        Raises GrantRefused (does not work there), and what `still` says, as PasswordRefused: another one was
        set since, or must be, which ends every sign-in by this one, and so an open one, too.
        """
        handle = await self._handle(actor)
        memberships = await self._memberships(actor)
        path = Path(handle, credential, session_name(visit.session))
        chosen = await self._chosen(memberships, shop, path)
        await self._record.write("signin", path, shop=shop, note=note)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            if credential != CODE and not await self._holds(connection, actor, credential, still[0]):
                await self._record.write("refused", path, shop=shop, note=note.partition("_")[0])
                raise still[1]
            grant = await self.issue(connection, shop, actor, credential, visit, role=chosen["role"])
        return self._answer(grant, actor, handle, chosen, memberships)

    async def enrol_begin(self, token: object) -> dict[str, Any]:
        """Options for enrolling; the invitation stays unused."""
        invited = await self._invites.check(token)
        rows = await self._database.rows(
            "SELECT credential_id FROM vault.passkey WHERE actor = %s", [invited.actor]
        )
        return self._ceremonies.creation_options(
            _ceremony(invited),
            actor=UUID(invited.actor).bytes,
            handle=invited.handle,
            existing=[bytes(row[0]) for row in rows],
        )

    async def enrol_finish(self, token: object, response: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
        """Enrol the passkey, use the invitation up, and sign in."""
        invited = await self._invites.check(token)
        enrolled = self._ceremonies.enrol(_ceremony(invited), response)
        path = Path(invited.handle, enrolled.name, session_name(visit.session))
        memberships = await self._memberships(invited.actor)
        chosen = _choose(memberships, invited.shop)
        await self._record.write("register", path, shop=invited.shop)
        await self._record.write("signin", path, shop=invited.shop)
        try:
            async with self._keys.steady.hold(), self._database.transaction() as connection:
                await self._invites.use(connection, invited)
                await self._store(connection, invited.actor, enrolled)
                words = PasskeyWords.of("", visit.device, response.get("authenticatorAttachment"))
                await words.store(connection, self._keys, invited.actor, enrolled.name)
                # An operator who joins has no account at the provider's yet that she could be known by.
                grant = await self.issue(
                    connection, invited.shop, invited.actor, enrolled.name, visit, first=True
                )
        except psycopg.errors.UniqueViolation:
            raise PasskeyRefused("enrolled already") from None
        return self._answer(grant, invited.actor, invited.handle, chosen, memberships)

    async def vouched(self, actor: str, credential: str, visit: Visit) -> str:
        """Give the ticket of an operator for whom a provider has vouched; her passkey is asked for now."""
        handle, session = await self._handle(actor), session_name(visit.session)
        await self._record.write("refused", Path(handle, credential, session), note="second_factor")
        return self._firsts.make(
            actor=actor, handle=handle, credential=credential, shop=PLATFORM, session=session
        )

    async def who(self, grant: Grant) -> dict[str, Any]:
        """Say whose grant it is."""
        return {
            "actor": {"id": grant.actor, "handle": grant.handle},
            "shop": grant.shop or None,
            "role": grant.role,
            "staff": grant.staff,
            "permissions": named(grant.permissions),
            "person": grant.person,
            "expires": grant.expires_at / 1000,
            "memberships": _shops(await self._memberships(grant.actor)),
        }

    async def out(self, grant: Grant) -> None:
        """End the grant, on record."""
        await self._record.write("signout", grant.path, shop=grant.shop)
        await self._grants.end(grant)

    async def fresh_begin(self, grant: Grant, *, deed: str = "") -> dict[str, Any]:
        """Options for showing one of the grant's own actor's passkeys again; `deed` binds it to one deed."""
        rows = await self._database.rows(
            "SELECT credential_id FROM vault.passkey WHERE actor = %s", [grant.actor]
        )
        return self._ceremonies.request_options(_fresh(grant, deed), allowed=[bytes(row[0]) for row in rows])

    async def fresh_finish(self, grant: Grant, response: Mapping[str, Any], *, deed: str = "") -> Path:
        """Check that answer: a passkey of the grant's own actor. Gives the path by that passkey."""
        known = await self._known(credential_id(response))
        path = Path(grant.handle, credential_name(known.credential_id), grant.session)
        if known.actor != grant.actor:
            await self._record.write("refused", grant.path, shop=grant.shop, note="passkey")
            refuse("passkey_of_another")
        asserted = await self._asserted(path, response, known, kind=_fresh(grant, deed))
        async with self._database.transaction() as connection:
            await self._used(connection, known, asserted)
        return path

    # -- for who enters a shop in another way

    def options(self, kind: str) -> dict[str, Any]:
        """Options for showing any passkey of this origin, bound to one ceremony."""
        return self._ceremonies.request_options(kind)

    async def shown(self, response: Mapping[str, Any], kind: str, session: str) -> Shown:
        """Check that answer. Raises PasskeyRefused, on record."""
        known = await self._known(credential_id(response))
        handle = await self._handle(known.actor)
        path = Path(handle, credential_name(known.credential_id), session_name(session))
        return Shown(path, known, await self._asserted(path, response, known, kind=kind))

    async def used(self, connection: Connection, shown: Shown) -> None:
        """Keep in the caller's transaction that the passkey was used."""
        await self._used(connection, shown.known, shown.asserted)

    async def entered(
        self, grant: str, actor: str, path: Path, shop: int, until: int | None = None
    ) -> dict[str, Any]:
        """Give the answer of every way to sign in. Raises GrantRefused."""
        memberships = await self._memberships(actor)
        return self._answer(grant, actor, path.actor, _choose(memberships, shop), memberships, until=until)

    async def membership(self, actor: str, shop: int, path: Path) -> None:
        """Raise GrantRefused, on record, unless the actor works for the shop."""
        await self._chosen(await self._memberships(actor), shop, path)

    # -- inside

    async def _holds(self, connection: Connection, actor: str, credential: str, statement: bytes) -> bool:
        """Whether it signs in, from here to the end of the transaction; no password that is to be reset."""
        held = await connection.execute(statement, [actor, credential])
        if await held.fetchone() is None:
            return False
        over = await connection.execute(_OVER, [actor]) if statement is _STILL else None
        return over is None or await over.fetchone() is None

    def _first(self, text: str, actor: str, session: str) -> Ticket | None:
        """Read and use the ticket of who was vouched for. Raises CodeRefused: over, or somebody else's."""
        if not text:
            return None
        ticket = self._firsts.read(text, session)
        if ticket.actor != actor:
            raise CodeRefused("another one was vouched for")
        self._firsts.use(ticket)
        return ticket

    async def _chosen(
        self, memberships: list[dict[str, Any]], shop: int | None, path: Path
    ) -> dict[str, Any]:
        """Give the membership to sign in to; who was right and has none is on record."""
        try:
            return _choose(memberships, shop)
        except GrantRefused:
            await self._record.write("refused", path, shop=shop or PLATFORM, note="membership")
            raise

    async def _asserted(
        self,
        path: Path,
        response: Mapping[str, Any],
        known: Known,
        *,
        challenge: str | None = None,
        kind: str = "signin",
    ) -> Asserted:
        try:
            return self._ceremonies.assertion(challenge, response, known, kind=kind)
        except PasskeyRefused:
            await self._record.write("refused", path, note="passkey")
            raise

    async def _used(self, connection: Connection, known: Known, asserted: Asserted) -> None:
        """Note its use in the caller's transaction. Raises PasskeyRefused: it was removed meanwhile."""
        cursor = await connection.execute(
            b"UPDATE vault.passkey SET sign_count = %s, backed_up = %s, used_at = %s, "
            b"flagged_at = CASE WHEN %s THEN %s ELSE flagged_at END WHERE credential_id = %s",
            [
                asserted.sign_count,
                asserted.backed_up,
                self._now(),
                asserted.regressed,
                self._now(),
                known.credential_id,
            ],
        )
        if cursor.rowcount != 1:
            refuse("removed")

    async def _known(self, asked: bytes) -> Known:
        row = await self._database.row(
            "SELECT credential_id, public_key, sign_count, actor::text "
            "FROM vault.passkey WHERE credential_id = %s",
            [asked],
        )
        if row is None:
            refuse("credential_unknown")
        return Known(bytes(row[0]), bytes(row[1]), row[2], row[3])

    async def _handle(self, actor: str) -> str:
        row = await self._database.row("SELECT handle FROM vault.actor WHERE actor = %s", [actor])
        if row is None:
            refuse("actor_unknown")
        return str(row[0])

    async def _memberships(self, actor: str) -> list[dict[str, Any]]:
        rows = await self._database.rows(_MEMBERSHIPS, {"actor": actor, "now": self._now()})
        return [
            {
                "shop": shop,
                "slug": slug,
                "role": role,
                "staff": staff,
                "permissions": named(left(Role(role), taken)),
            }
            for shop, slug, role, staff, taken in rows
        ]

    async def _store(self, connection: Connection, actor: str, enrolled: Enrolled) -> None:
        await connection.execute(
            b"INSERT INTO vault.passkey "
            b"(credential_id, name, actor, public_key, sign_count, backed_up, added_at) "
            b"VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                enrolled.credential_id,
                enrolled.name,
                actor,
                enrolled.public_key,
                enrolled.sign_count,
                enrolled.backed_up,
                self._now(),
            ],
        )

    async def issue(
        self,
        connection: Connection,
        shop: int,
        actor: str,
        credential: str,
        visit: Visit,
        *,
        until: int | None = None,
        role: str = "",
        first: bool = False,
    ) -> str:
        """Issue a grant in the caller's transaction; keep from where its session came, and its browser.

        Raises, on record, PathBlocked, and SsoRequired where the shop's people come by their provider only.
        """
        session = session_name(visit.session)
        await self.blocked.hold(connection, visit, shop, actor=actor, credential=credential)
        await self.required.check(connection, shop, actor, credential, session, first=first)
        if session:
            await self._visits.add(connection, session, visit, self._now())
        await self._devices.note(connection, actor, shop, visit.known, self._now())
        return await self._grants.issue(
            connection,
            shop=shop,
            actor=actor,
            credential=credential,
            session=session,
            until=until,
            role=Role(role) if role else None,
        )

    def _answer(
        self,
        grant: str,
        actor: str,
        handle: str,
        chosen: dict[str, Any],
        memberships: list[dict[str, Any]],
        *,
        until: int | None = None,
    ) -> dict[str, Any]:
        return {
            "grant": grant,
            "actor": {"id": actor, "handle": handle},
            "shop": chosen["shop"] or None,
            "role": chosen["role"],
            "staff": chosen["staff"],
            "permissions": chosen["permissions"],
            "expires": (until or self._now() + life_ms(Role(chosen["role"]))) / 1000,
            "memberships": _shops(memberships),
        }


def _shops(memberships: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The shops one works for: not an operator's place on the platform, nor where one is a customer."""
    return [one for one in memberships if one["shop"] != PLATFORM and one["role"] != Role.CUSTOMER]


def _ceremony(invited: Invited) -> str:
    """Binds the challenge to one invitation."""
    return f"enrol:{invited.token_hash.hex()}"


def _fresh(grant: Grant, deed: str) -> str:
    """Binds the challenge to one grant, and to one deed where there is one."""
    return f"fresh:{grant.grant_id}:{deed}" if deed else f"fresh:{grant.grant_id}"


def _choose(memberships: list[dict[str, Any]], shop: int | None) -> dict[str, Any]:
    """Give the membership for the shop asked for, or the first one. Raises GrantRefused."""
    for one in memberships:
        if shop is None or one["shop"] == shop:
            return one
    raise GrantRefused("does not work there")
