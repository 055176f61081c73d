"""Who works where: the truth of it. Shops are founded by an administrator, changed by their owners."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final
from uuid import uuid4

import structlog

from noren_vault import fields
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import (
    AlreadyJoined,
    BadRequest,
    GrantRefused,
    InviteRefused,
    LedgerUnavailable,
    NoSuchMember,
    ShopFounded,
)
from noren_vault.grants import Grant
from noren_vault.invites import Invites
from noren_vault.keys import Keys
from noren_vault.letter import Letter
from noren_vault.people import NewPerson, People
from noren_vault.permissions import Permission
from noren_vault.record import Path, Record
from noren_vault.rights import PLATFORM, PLATFORM_ROLES, SHOP_ROLES, Role

_STAFF_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_LONGEST_STAFF: Final = 200
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
# The platform's own: a handle there ends in its role.
_NO_SLUG: Final = (Role.OPERATOR, Role.AUDITOR)
_SUBJECT: Final = "暖簾 サインインのご招待 / Your invitation to Noren"
_TEXT: Final = """\
{name} 様

予約システム「暖簾」へのご招待です。次のリンクを開いて、パスキーを登録してください。
リンクは一度だけ使えます。期限は{days}日です。

{link}

----

Hello {name},

You are invited to Noren. Open the link above to add your passkey.
It can be used once, within {days} day(s).
"""
_INVITED: Final = """
SELECT a.actor::text, coalesce(m.person, a.person)::text, m.role,
    EXISTS (SELECT 1 FROM vault.passkey p WHERE p.actor = a.actor)
    OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s AND a.handle = %s AND m.ended_at IS NULL AND coalesce(m.person, a.person) IS NOT NULL
"""
_log = structlog.get_logger("members")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is to work for a shop. `handle` is whole: `aoi.salon`."""

    handle: str
    role: Role
    staff: str | None
    name: str
    mail: str

    @classmethod
    def of(cls, given: Mapping[str, Any], slug: str) -> "Member":
        """Read it from the wire; a handle without its shop gets it. Raises BadRequest."""
        key, dot, shop = str(given.get("handle", "")).partition(".")
        role, staff = given.get("role"), given.get("staff")
        if not _STAFF_KEY.fullmatch(key) or (dot and shop != slug):
            raise BadRequest("a handle is <staff key>.<shop slug>")
        fits = isinstance(staff, str) and len(staff) <= _LONGEST_STAFF and "\x00" not in staff
        if role not in SHOP_ROLES or not (staff is None or fits):
            raise BadRequest("a member has a role of a shop and a staff key or none")
        return cls(f"{key}.{slug}", Role(role), staff, str(given.get("name", "")), str(given.get("mail", "")))


class Members:
    """Founds shops, adds members, invites."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        keys: Keys,
        record: Record,
        invites: Invites,
        courier: Courier,
        origin: str,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._keys = keys
        self._record = record
        self._invites = invites
        self._courier = courier
        self._origin = origin
        self._now = now

    async def found(
        self, shop: int, slug: str, given: Sequence[Any], path: Path, *, told: bool = False
    ) -> list[dict[str, str]]:
        """Found a shop with its members and invite them; the same list again only sends what was not.

        With `told` the links' tokens are given, too: who has not joined is invited anew each time.
        """
        if shop <= PLATFORM or not _SLUG.fullmatch(slug) or slug in _NO_SLUG:
            raise BadRequest("a shop has a number above 0 and a short name")
        members = [Member.of(one, slug) for one in given if isinstance(one, dict)]
        if len(members) != len(given) or len({one.handle for one in members}) != len(members):
            raise BadRequest("members have different handles")
        for one in members:
            fields.checked({"name": one.name, "mail": one.mail}, required=("name", "mail"))
        await self._found_once(shop, slug, _digest(slug, members))
        return [await self._join(shop, one, path, told=told) for one in members]

    async def add(self, grant: Grant, given: Mapping[str, Any]) -> dict[str, str]:
        """Add one member to the grant's shop; an owner's act."""
        grant.needs(Permission.MEMBERS_CHANGE)
        row = await self._database.row("SELECT slug FROM vault.shop WHERE shop_id = %s", [grant.shop])
        if row is None:
            raise GrantRefused("no such shop")
        return await self._join(grant.shop, Member.of(given, row[0]), grant.path, again=True)

    async def resend(self, grant: Grant, handle: str) -> dict[str, str]:
        """Invite somebody anew who has not joined yet: the earlier link is worth nothing from then on.

        Raises GrantRefused, NoSuchMember, AlreadyJoined.
        """
        grant.needs(Permission.MEMBERS_CHANGE)
        row = await self._database.row(_INVITED, [grant.shop, handle])
        if row is None:
            raise NoSuchMember
        actor, person, role, joined = row
        if joined:
            raise AlreadyJoined
        await self._record.write("invite", grant.path, shop=grant.shop, persons=[person], ref=handle)
        token = await self._invites.make(actor, Role(role))
        return {"handle": handle, "mail": await self.mail(grant.shop, person, token, Role(role), grant.path)}

    async def arrive(self, shop: int, role: Role, name: str, mail: str, credential: Path) -> tuple[str, str]:
        """Add somebody whom the shop's provider vouches for; gives actor and handle. Raises BadField.

        The handle is of chance: it stands in the record, and what a provider calls somebody may be her name.
        """
        row = await self._database.row("SELECT slug FROM vault.shop WHERE shop_id = %s", [shop])
        if row is None or role is Role.OWNER or role not in SHOP_ROLES:
            raise GrantRefused("no such shop, or no role that a provider gives")
        handle = f"sso-{token_hex(5)}.{row[0]}"
        path = Path(handle, credential.credential, credential.session)
        person = await self._person(shop, handle, {"name": name, "mail": mail}, path)
        return await self._actor(shop, handle, person, role, None), handle

    async def owners(self, shop: int) -> list[str]:
        """Give the persons, by their ids, who own the shop and have joined."""
        rows = await self._database.rows(
            "SELECT coalesce(m.person, a.person)::text "
            "FROM vault.membership m JOIN vault.actor a USING (actor) "
            "WHERE m.shop_id = %s AND m.role = 'owner' AND m.ended_at IS NULL "
            "AND coalesce(m.person, a.person) IS NOT NULL "
            "AND (EXISTS (SELECT 1 FROM vault.passkey p WHERE p.actor = a.actor) "
            "OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor) "
            "OR EXISTS (SELECT 1 FROM keystore.sso_subject o WHERE o.actor = a.actor)) ORDER BY 1",
            [shop],
        )
        return [row[0] for row in rows]

    async def invite_operator(self, name: str, mail: str | None, path: Path) -> str:
        """Invite the first operator; gives the token. Raises InviteRefused once one has enrolled."""
        if not _STAFF_KEY.fullmatch(name):
            raise BadRequest("an operator's name is a short key")
        there = await self._database.row(
            "SELECT 1 FROM vault.passkey JOIN vault.membership USING (actor) "
            "WHERE shop_id = %s AND role = 'operator' LIMIT 1",
            [PLATFORM],
        )
        if there is not None:
            raise InviteRefused("there is an operator; operators invite further ones")
        handle, person = f"{name}.operator", None
        if mail is not None:
            person = await self._person(PLATFORM, handle, {"name": name, "mail": mail}, path)
        actor = await self._actor(PLATFORM, handle, person, Role.OPERATOR, None)
        await self._record.write("invite", path, shop=PLATFORM, ref=handle)
        token = await self._invites.make(actor, Role.OPERATOR, first=True)
        if person is not None:
            await self.mail(PLATFORM, person, token, Role.OPERATOR, path)
        return token

    async def seat(self, handle: str, mail: str, role: Role, ends: int | None, path: Path) -> tuple[str, str]:
        """Invite somebody to the platform; gives person and token. The caller holds the keys, and mails it.

        Who was there before is invited under the address that is known of her.
        """
        given = {"name": handle.partition(".")[0], "mail": mail}
        person = await self._store(PLATFORM, handle, given, path)
        actor = await self._actor(PLATFORM, handle, person, role, None, ends=ends)
        await self._record.write("invite", path, shop=PLATFORM, persons=[person], ref=handle)
        return person, await self._invites.make(actor, role)

    # -- inside

    async def _found_once(self, shop: int, slug: str, digest: bytes) -> None:
        await self._database.run(
            "INSERT INTO vault.shop (shop_id, slug, members, founded_at) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [shop, slug, digest, self._now()],
        )
        row = await self._database.row("SELECT slug, members FROM vault.shop WHERE shop_id = %s", [shop])
        if row is None:
            raise GrantRefused("the slug is another shop's")
        if row[0] != slug or bytes(row[1]) != digest:
            raise ShopFounded

    async def _join(
        self, shop: int, member: Member, path: Path, *, again: bool = False, told: bool = False
    ) -> dict[str, str]:
        """Make the member known if need be, and invite whom no invitation has reached yet.

        Whose membership has ended comes `again` by an owner's act only.
        """
        given = {"name": member.name, "mail": member.mail}
        row = await self._database.row(
            "SELECT EXISTS (SELECT 1 FROM vault.passkey p WHERE p.actor = a.actor) "
            "OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor) "
            "OR EXISTS (SELECT 1 FROM keystore.sso_subject o WHERE o.actor = a.actor), "
            "EXISTS (SELECT 1 FROM vault.invite i WHERE i.actor = a.actor AND i.expires_at > %s) "
            "AND EXISTS (SELECT 1 FROM vault.message m WHERE m.shop_id = a.shop_id AND m.person = a.person "
            "AND m.state IN ('sent', 'unknown')), EXISTS (SELECT 1 FROM vault.membership s "
            "WHERE s.shop_id = a.shop_id AND s.actor = a.actor AND s.ended_at IS NOT NULL) "
            "FROM vault.actor a WHERE a.handle = %s AND a.shop_id = %s",
            [self._now(), member.handle, shop],
        )
        joined, invited, ended = row or (False, False, False)
        if ended and not again:
            return {"handle": member.handle, "mail": "ended"}
        if (joined or (invited and not told)) and not ended:
            return {"handle": member.handle, "mail": "joined" if joined else "already"}
        person = await self._person(shop, member.handle, given, path)
        actor = await self._actor(shop, member.handle, person, member.role, member.staff)
        if joined:
            return {"handle": member.handle, "mail": "joined"}
        await self._record.write("invite", path, shop=shop, persons=[person], ref=member.handle)
        token = await self._invites.make(actor, member.role, told=told)
        state = await self.mail(shop, person, token, member.role, path)
        return {"handle": member.handle, "mail": state, **({"invite": token} if told else {})}

    async def _person(self, shop: int, handle: str, given: Mapping[str, str], path: Path) -> str:
        """Store the member's name and mail as a person of the shop that no search finds."""
        async with self._keys.steady.hold():
            return await self._store(shop, handle, given, path)

    async def _store(self, shop: int, handle: str, given: Mapping[str, str], path: Path) -> str:
        key = f"member:{handle}"
        values = fields.checked(given, required=("name", "mail"))
        new = NewPerson.of(key, values)
        found = await self._people.by_key(shop, [key])
        person = found.get(key, new.person)
        await self._record.write(
            "member", path, shop=shop, persons=[person], fields=sorted(values), ref=handle
        )
        if not found:
            await self._people.insert(
                shop, [new], kind="member", state="kept", searched=False, now=self._now()
            )
        return person

    async def _actor(
        self,
        shop: int,
        handle: str,
        person: str | None,
        role: Role,
        staff: str | None,
        *,
        ends: int | None = None,
    ) -> str:
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"INSERT INTO vault.actor (actor, handle, shop_id, person, made_at) "
                b"VALUES (%s, %s, %s, %s, %s) "
                b"ON CONFLICT (handle) DO UPDATE SET person = coalesce(excluded.person, vault.actor.person) "
                b"WHERE vault.actor.shop_id = excluded.shop_id RETURNING actor::text",
                [str(uuid4()), handle, shop, person, self._now()],
            )
            row = await cursor.fetchone()
            if row is None:
                raise GrantRefused("the handle is another shop's")
            await connection.execute(
                b"INSERT INTO vault.membership (shop_id, actor, role, staff, since, ends_at) "
                b"VALUES (%s, %s, %s, %s, %s, %s) "
                b"ON CONFLICT (shop_id, actor) DO UPDATE SET role = excluded.role, staff = excluded.staff, "
                b"since = excluded.since, ends_at = excluded.ends_at, ended_at = NULL "
                b"WHERE vault.membership.ended_at IS NOT NULL OR vault.membership.ends_at IS NOT NULL",
                [shop, row[0], role, staff, self._now(), ends],
            )
            return str(row[0])

    async def mail(self, shop: int, person: str, token: str, role: Role, path: Path) -> str:
        """Mail an invitation; says how the letter stands."""
        place = "operations" if role in PLATFORM_ROLES else "console"
        letter = Letter(
            key=f"invite:{uuid4()}",
            subject=_SUBJECT,
            text=_TEXT,
            values={
                "link": f"{self._origin}/{place}/join#{token}",
                "days": "7" if role is Role.OWNER else "1",
            },
        )
        try:
            return await self._courier.send(shop, person, letter, path)
        except LedgerUnavailable:
            _log.error("invitation_not_sent", shop=shop)
            return "failed"


def _digest(slug: str, members: Sequence[Member]) -> bytes:
    """Tell whether two lists are the same: by who works in which role, not by how they spell their names."""
    told = sorted([one.handle, one.role, one.staff] for one in members)
    return hashlib.sha256(json.dumps([slug, told]).encode()).digest()
