"""Proved addresses: a code by mail makes a customer's grant, and a changed address is unproved until then.

The rule: the address somebody gave at booking is her own word, and letters to it may name her. As soon as a
mail field is changed (by anybody, under any grant), letters there hold no other field of hers until a code
that was mailed there came back: who typed the new address need not be she. A proof is of one version of the
field; the next change makes it worth nothing, and ends the grants that the old address had given.

So whoever reads the new mailbox and comes in by it anew (`finish`) begins with it alone: what had been set up
to sign in with before is ended, or somebody could make an account, write another's address into it and wait.
Who is signed in while she proves it (`confirm`) keeps what she has.

The code: 6 digits, 10 minutes, once, five tries, at most one a minute and five an hour for a person. It is
kept as an HMAC under a key of this process, so no copy of the database tells it; a restart ends open codes.
`begin` answers the same, as soon, for a person, for one without an address and for nobody.
"""

import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

from noren_vault import own_records
from noren_vault.addresses import Addresses, AddressState, Place
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    CodeRefused,
    LedgerUnavailable,
    MailTaken,
    NoSuchPerson,
    VaultUnavailable,
)
from noren_vault.grants import CUSTOMER_LIFE_MS, Grant, Grants
from noren_vault.keys import Keys
from noren_vault.letter import Letter
from noren_vault.people import CUSTOMER, People, Sealed
from noren_vault.record import Path, Record, session_name
from noren_vault.rights import Role
from noren_vault.second_factors import SecondFactors
from noren_vault.signin import CODE, SignIn
from noren_vault.signin_mails import SigninMails
from noren_vault.tasks import Afterwards
from noren_vault.tickets import Tickets
from noren_vault.visits import Visit

CODE_LIFE_MS: Final = 600_000
TRIES: Final = 5
_APART_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_AN_HOUR: Final = 5
_MOST_OPEN: Final = 200
_SUBJECT: Final = "確認コード / Your code"
_TEXT: Final = """\
ご本人確認のコードです: {code}

10分以内に、お手続きのページに入力してください。お心当たりがなければ、このメールは破棄してください。

やさしい日本語：6つの数字（すうじ）は {code} です。10分のあいだに、ページに かいてください。
しらない メールのときは、なにも しないでください。

----

Your code is {code}

Please type it on the page within 10 minutes. If you did not ask for it, please ignore this mail.
"""

# The row's lock makes the pace exact: two requests at once make one code.
_MAKE: Final = """
INSERT INTO vault.code AS c (shop_id, person, hash, version, made_at, expires_at, since, codes)
VALUES (%(shop)s, %(person)s, %(hash)s, %(version)s, %(now)s, %(now)s + %(life)s, %(now)s, 1)
ON CONFLICT (shop_id, person) DO UPDATE SET hash = excluded.hash, version = excluded.version,
    made_at = excluded.made_at, expires_at = excluded.expires_at, tries = 0, used_at = NULL,
    since = CASE WHEN c.since <= excluded.made_at - %(hour)s THEN excluded.made_at ELSE c.since END,
    codes = CASE WHEN c.since <= excluded.made_at - %(hour)s THEN 1 ELSE c.codes + 1 END
WHERE c.made_at <= excluded.made_at - %(apart)s
  AND (c.codes < %(most)s OR c.since <= excluded.made_at - %(hour)s)
RETURNING person
"""
_TRY: Final = """
UPDATE vault.code SET tries = tries + 1
WHERE shop_id = %s AND person = %s AND used_at IS NULL AND expires_at > %s AND tries < %s
RETURNING hash, version
"""


async def readdressed(
    connection: Connection, grants: Grants, shop: int, person: str, version: int, *, but: str
) -> list[str]:
    """Take down, in the caller's transaction, that a person's address was changed.

    Ends the person's own grants (all but the one that changes it); gives whose rights are changed.
    """
    await connection.execute(
        b"INSERT INTO vault.proof (shop_id, person, version, proved_at) VALUES (%s, %s, %s, NULL) "
        b"ON CONFLICT (shop_id, person) DO UPDATE SET version = excluded.version, proved_at = NULL",
        [shop, person, version],
    )
    cursor = await connection.execute(
        b"SELECT actor::text FROM vault.actor WHERE kind = 'customer' AND shop_id = %s AND person = %s",
        [shop, person],
    )
    actors = [row[0] for row in await cursor.fetchall()]
    for actor in actors:
        await grants.end_of(connection, actor, shop, but=but)
    return actors


class Proofs:
    """Mails codes, and takes them."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        courier: Courier,
        signin: SignIn,
        keys: Keys,
        addresses: Addresses,
        grants: Grants,
        mails: SigninMails,
        factors: SecondFactors,
        tickets: Tickets,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._courier = courier
        self._signin = signin
        self._keys = keys
        self._addresses = addresses
        self._grants = grants
        self._mails = mails
        self._factors = factors
        self._tickets = tickets
        self._now = now
        self._key = secrets.token_bytes(32)
        self._after = Afterwards("code_not_mailed")

    async def begin(self, shop: int, person: str, path: Path) -> None:
        """Mail a code to the person's address, if there is one. The answer waits for nothing that tells."""
        if len(self._after) >= _MOST_OPEN:
            raise VaultUnavailable("too many codes are being mailed")
        await self._record.write("prove", path, shop=shop, persons=[person], note="asked")
        self._after.begin(self._mail(shop, person, path))

    async def finish(self, shop: int, person: str, code: str, visit: Visit) -> dict[str, Any]:
        """Take a code: the address is proved, and the person has a grant. Raises CodeRefused.

        Where the account asks for a second factor it is a ticket `second` instead, as after a password.
        """
        path = Path(f"person:{person}", CODE, session_name(visit.session))
        version = await self._taken(shop, person, code, path)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._lock(connection, shop, person, version, path)
            actor = await self._actor(connection, shop, person)
            anew = await self._is_changed(connection, shop, person)
            if anew:
                await SigninMails.forget(connection, shop, [person])
                await self._grants.end_of(connection, actor, shop)
            await self._prove(connection, shop, person, version, path)
            if anew or not await self._factors.is_on(actor):
                await self._record.write("signin", path, shop=shop)
                grant = await self._signin.issue(connection, shop, actor, CODE, visit, role=Role.CUSTOMER)
            else:
                await self._record.write("refused", path, shop=shop, note="second_factor")
                grant = ""
        if anew:
            self._grants.changed(actor)
        await self._mark(Place(shop, person, "mail", version), path)
        if not grant:
            ticket = self._tickets.make(
                actor=actor, handle=path.actor, credential=CODE, shop=shop, session=path.session
            )
            return {"second": ticket}
        return {
            "grant": grant,
            "actor": {"id": actor, "handle": path.actor},
            "shop": shop,
            "role": Role.CUSTOMER,
            "permissions": [],
            "staff": None,
            "expires": (self._now() + CUSTOMER_LIFE_MS) / 1000,
            "memberships": [],
        }

    async def confirm(self, grant: Grant, person: str, code: str) -> None:
        """Take a code of who is signed in: the address that she wrote is proved, and she signs in with it.

        Raises CodeRefused; MailTaken: another account of the shop has proved the same.
        """
        shop, path = grant.shop, grant.path
        version = await self._taken(shop, person, code, path)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._lock(connection, shop, person, version, path)
            if await own_records.another_account(connection, shop, person):
                await self._record.write("refused", path, shop=shop, persons=[person], note="mail_taken")
                raise MailTaken
            await self._prove(connection, shop, person, version, path)
        await self._mark(Place(shop, person, "mail", version), path)
        if await self._mails.signs_in(grant.actor):
            await self._mails.note_if_free(grant.actor)

    async def stop(self) -> None:
        """Wait for the codes that are being mailed."""
        await self._after.settle()

    # -- inside

    async def _mail(self, shop: int, person: str, path: Path) -> None:
        code = f"{secrets.randbelow(10**6):06d}"
        if await self._make(shop, person, code):
            letter = Letter(key=f"code:{uuid4()}", subject=_SUBJECT, text=_TEXT, values={"code": code})
            await self._courier.send(shop, person, letter, path)

    async def _make(self, shop: int, person: str, code: str) -> bool:
        """Keep a new code in place of the old one; false when there is no address, or it is too soon."""
        sealed = await self._addressed(shop, person)
        if sealed is None:
            return False
        made = await self._database.row(
            _MAKE,
            {
                "shop": shop,
                "person": person,
                "hash": self._hash(shop, person, code),
                "version": sealed.versions["mail"],
                "now": self._now(),
                "life": CODE_LIFE_MS,
                "hour": _HOUR_MS,
                "apart": _APART_MS,
                "most": _AN_HOUR,
            },
        )
        return made is not None

    async def _addressed(self, shop: int, person: str) -> Sealed | None:
        found = await self._people.read(shop, [person], ("mail",), kinds=CUSTOMER)
        return found[0] if found and "mail" in found[0].versions else None

    async def _taken(self, shop: int, person: str, code: str, path: Path) -> int:
        """Take the code; gives the version of the address it was mailed to. Raises CodeRefused, on record."""
        version = await self._take(shop, person, code)
        if version is None:
            await self._record.write("refused", path, shop=shop, persons=[person], note="code")
            raise CodeRefused
        return version

    async def _lock(self, connection: Connection, shop: int, person: str, version: int, path: Path) -> None:
        """Lock the person, whose address is still the one the code was mailed to. Raises CodeRefused."""
        sealed = await self._people.lock(connection, shop, person, ("provisional", "kept"))
        if sealed is None or sealed.versions.get("mail") != version:
            await self._record.write("refused", path, shop=shop, persons=[person], note="code")
            raise CodeRefused("the address is another one now")

    async def _is_changed(self, connection: Connection, shop: int, person: str) -> bool:
        """Whether the address was written into the record later, and never proved."""
        cursor = await connection.execute(
            b"SELECT 1 FROM vault.proof WHERE shop_id = %s AND person = %s AND proved_at IS NULL",
            [shop, person],
        )
        return await cursor.fetchone() is not None

    async def _prove(self, connection: Connection, shop: int, person: str, version: int, path: Path) -> None:
        """Take down that the address is hers, on record first."""
        await self._record.write("prove", path, shop=shop, persons=[person], fields=["mail"], note="proved")
        await connection.execute(
            b"INSERT INTO vault.proof (shop_id, person, version, proved_at) VALUES (%s, %s, %s, %s) "
            b"ON CONFLICT (shop_id, person) DO UPDATE SET version = excluded.version, "
            b"proved_at = excluded.proved_at",
            [shop, person, version, self._now()],
        )

    async def _mark(self, place: Place, path: Path) -> None:
        """Nothing depends on it: only that letters arrive would not be known."""
        with suppress(LedgerUnavailable):
            await self._addresses.mark(place, AddressState.GOOD, "", path)

    async def _take(self, shop: int, person: str, code: str) -> int | None:
        """Use up a try, and the code if it is the one; gives the version of the address it was mailed to."""
        row = await self._database.row(_TRY, [shop, person, self._now(), TRIES])
        if row is None or not hmac.compare_digest(bytes(row[0]), self._hash(shop, person, code)):
            return None
        used = await self._database.run(
            "UPDATE vault.code SET used_at = %s WHERE shop_id = %s AND person = %s AND hash = %s "
            "AND used_at IS NULL",
            [self._now(), shop, person, bytes(row[0])],
        )
        return int(row[1]) if used else None

    async def _actor(self, connection: Connection, shop: int, person: str) -> str:
        cursor = await connection.execute(
            b"INSERT INTO vault.actor (actor, handle, shop_id, person, made_at, kind) "
            b"VALUES (%s, %s, %s, %s, %s, 'customer') "
            b"ON CONFLICT (handle) DO UPDATE SET person = excluded.person "
            b"WHERE vault.actor.shop_id = excluded.shop_id RETURNING actor::text",
            [str(uuid4()), f"person:{person}", shop, person, self._now()],
        )
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchPerson("the id is another shop's")
        return str(row[0])

    def _hash(self, shop: int, person: str, code: str) -> bytes:
        text = f"{shop}\x00{person}\x00{code}".encode()
        return hmac.new(self._key, text, hashlib.sha256).digest()
