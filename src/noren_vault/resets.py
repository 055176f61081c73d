"""Another password by a mailed link, and the other mails about what one signs in with.

A link holds 256 random bits, of which the SHA-256 is kept; it is good once, for an hour, and goes to the mail
by which the account signs in, never to one that was typed or that a field says. It sets a password and signs
in nobody: every grant of the account ends, its second factor stays and is asked for at the next sign-in.
`begin` answers the same, as soon, for a known mail, an unknown one, and one that was asked for too often: all
that tells them apart is done after the answer.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault import reset_letters
from noren_vault.choosing import Choosing
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import ResetRefused, VaultUnavailable
from noren_vault.grants import Grants
from noren_vault.invites import Invites
from noren_vault.keys import Keys
from noren_vault.known_devices import KnownDevices
from noren_vault.letter import Letter
from noren_vault.passwords import Passwords, credential_name
from noren_vault.record import Path, Record, session_name
from noren_vault.rights import Role
from noren_vault.signin_mails import SigninMails
from noren_vault.tasks import Afterwards
from noren_vault.visits import Visit

LIFE_MS: Final = 3_600_000
APART_MS: Final = 60_000
AN_HOUR: Final = 5
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_MOST_OPEN: Final = 200
# A notice that the mail server does not take now is tried again so many seconds later.
_AGAIN: Final = (5.0, 60.0, 600.0)
_log = structlog.get_logger("resets")

_ACCOUNT: Final = """
SELECT a.actor::text, a.shop_id, a.person::text, a.handle, a.kind,
       EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)
FROM vault.actor a JOIN vault.person p USING (shop_id, person)
WHERE a.actor = %s AND a.shop_id > 0 AND p.state <> 'erased'
  AND (a.kind = 'customer' OR EXISTS (SELECT 1 FROM vault.membership m
       WHERE m.shop_id = a.shop_id AND m.actor = a.actor AND m.ended_at IS NULL))
"""
# The lock makes the pace exact: two requests at once make one link.
_TURN: Final = b"SELECT 1 FROM vault.actor WHERE actor = %s FOR NO KEY UPDATE"
_MAKE: Final = b"""
INSERT INTO vault.reset (token_hash, actor, kind, made_at, expires_at)
SELECT %(hash)s, %(actor)s, %(kind)s, %(now)s, %(until)s
FROM (SELECT count(*) AS hour, count(*) FILTER (WHERE made_at > %(now)s - %(apart)s) AS minute
      FROM vault.reset
      WHERE actor = %(actor)s AND kind = %(kind)s AND made_at > %(now)s - %(hour)s) lately
WHERE lately.minute = 0 AND lately.hour < %(most)s
"""
_USE: Final = b"""
UPDATE vault.reset SET used_at = %(now)s
WHERE token_hash = %(hash)s AND used_at IS NULL AND expires_at > %(now)s
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose password it is: somebody who works for a shop, or one of its customers."""

    actor: str
    shop: int
    person: str
    handle: str
    kind: str
    has_password: bool


class Resets:
    """Takes the asking, mails, takes the link."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        grants: Grants,
        invites: Invites,
        courier: Courier,
        mails: SigninMails,
        passwords: Passwords,
        choosing: Choosing,
        origin: str,
        now: Now,
    ) -> None:
        """Keep the parts; links begin with `origin`."""
        self._database = database
        self._keys = keys
        self._record = record
        self._grants = grants
        self._invites = invites
        self._courier = courier
        self._mails = mails
        self._passwords = passwords
        self._choosing = choosing
        self._origin = origin
        self._now = now
        self._after = Afterwards("mail_not_sent")
        self._ending = asyncio.Event()

    async def begin(self, shop: int, mail: str, path: Path) -> None:
        """Have a link mailed to who signs in with this mail, if anybody does. Raises LedgerUnavailable."""
        if len(self._after) >= _MOST_OPEN:
            raise VaultUnavailable("too many links are being mailed")
        await self._record.write("prove", path, shop=shop, note="reset_asked")
        self._after.begin(self._asked(shop, mail, path))

    async def finish(self, token: object, text: str, words: Sequence[str], visit: Visit) -> dict[str, Any]:
        """Set another password by a link. Raises ResetRefused, BadPassword (the link stays good), Busy."""
        session = session_name(visit.session)
        hashed, account = await self._check(token, session)
        await self._choosing.check(account.actor, text, words)
        fresh, credential = await self._passwords.hashed(account.actor, text), credential_name()
        path = Path(account.handle, credential, session)
        await self._record.write("register", path, shop=account.shop, note="password_reset")
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._passwords.hold(connection, account.actor)
            used = await connection.execute(_USE, {"hash": hashed, "now": self._now()})
            if used.rowcount != 1:
                raise ResetRefused("unknown, used or over")
            await self._passwords.store(connection, fresh, credential)
            # After it: a sign-in by the old password is over, or its grant is there to be ended.
            await self._grants.end_all(connection, account.actor)
            await KnownDevices.forget(connection, account.actor)
        self._grants.changed(account.actor)
        self.tell_changed(account.actor, path)
        return {"actor": account.actor, "shop": account.shop, "kind": account.kind}

    def mail_link(self, actor: str, path: Path) -> None:
        """Mail the account a link, after the caller's answer and within its pace."""
        self._after.begin(self._link(actor, path))

    def mail_passkey(self, actor: str, path: Path) -> None:
        """Mail a member a link by which a passkey is added, in the same way."""
        self._after.begin(self._passkey(actor, path))

    def tell_changed(self, actor: str, path: Path) -> None:
        """Tell every address of the account that its password was changed, in the same way."""
        self._after.begin(self._changed(actor, path))

    async def tidy(self) -> None:
        """Let go of links and former addresses whose time is over."""
        await self._database.run("DELETE FROM vault.reset WHERE made_at <= %s", [self._now() - _DAY_MS])
        await self._mails.tidy()

    async def stop(self) -> None:
        """Wait for the mails that are being sent, and no longer for what waits to be tried again."""
        self._ending.set()
        await self._after.settle()

    # -- inside

    async def _asked(self, shop: int, mail: str, path: Path) -> None:
        actor = await self._mails.find(shop, mail)
        if actor is not None:
            await self._link(actor, path)

    async def _link(self, actor: str, path: Path) -> None:
        account = await self._account(actor)
        if account is None:
            return
        token = secrets.token_urlsafe(32)
        life = LIFE_MS if account.has_password else 0
        if not await self._make(account, token, path, kind="password", life=life):
            return
        if account.has_password:
            letter = reset_letters.link(f"{self._origin}/password/reset#{token}")
        else:
            letter = reset_letters.no_password(f"{self._origin}/console/sign-in")
        await self._record.write(
            "prove",
            path,
            shop=account.shop,
            persons=[account.person],
            ref=account.handle,
            note="reset_mailed",
        )
        await self._send(account, letter, path, await self._mails.address(actor))

    async def _passkey(self, actor: str, path: Path) -> None:
        account = await self._account(actor)
        if account is None:
            return
        # For the pace alone: a token of which nobody is told, and that is over, opens nothing.
        if not await self._make(account, secrets.token_urlsafe(32), path, kind="passkey", life=0):
            return
        await self._record.write(
            "invite", path, shop=account.shop, persons=[account.person], ref=account.handle, note="passkey"
        )
        # A shop's, whichever role: only an operator's takes the place of others'.
        token = await self._invites.make(actor, Role.STAFF, passkey_ms=LIFE_MS)
        letter = reset_letters.passkey(f"{self._origin}/console/join#{token}")
        await self._send(account, letter, path, await self._mails.address(actor))

    async def _changed(self, actor: str, path: Path) -> None:
        account = await self._account(actor)
        if account is None:
            return
        page = f"{self._origin}/password/forgot"
        for address in await self._mails.told(actor):
            await self._send_in_time(account, reset_letters.changed(page), path, address)

    async def _send(self, account: Account, letter: Letter, path: Path, to: str) -> str:
        if not to:
            return "failed"
        return await self._courier.send(account.shop, account.person, letter, path, to=to)

    async def _send_in_time(self, account: Account, letter: Letter, path: Path, to: str) -> None:
        """Send what nobody asks for again if it does not come."""
        for seconds in (*_AGAIN, 0.0):
            if await self._send(account, letter, path, to) != "deferred":
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), seconds)
                break
        _log.error("notice_not_sent", shop=account.shop, message_key=letter.key)

    async def _make(self, account: Account, token: str, path: Path, *, kind: str, life: int) -> bool:
        """Keep a new link beside those that are still good; false, and on record, when it is too soon."""
        now = self._now()
        words = {"hash": _hash(token), "actor": account.actor, "kind": kind, "now": now, "until": now + life}
        async with self._database.transaction() as connection:
            await connection.execute(_TURN, [account.actor])
            made = await connection.execute(
                _MAKE, {**words, "apart": APART_MS, "hour": _HOUR_MS, "most": AN_HOUR}
            )
        if made.rowcount != 1:
            await self._record.write(
                "refused",
                path,
                shop=account.shop,
                persons=[account.person],
                ref=account.handle,
                note="reset_pace",
            )
        return made.rowcount == 1

    async def _check(self, token: object, session: str) -> tuple[bytes, Account]:
        """Give whose link it is, without using it. Raises ResetRefused."""
        row, hashed = None, b""
        if isinstance(token, str) and len(token) <= 200:
            hashed = _hash(token)
            row = await self._database.row(
                "SELECT actor::text FROM vault.reset "
                "WHERE token_hash = %s AND used_at IS NULL AND expires_at > %s",
                [hashed, self._now()],
            )
        account = None if row is None else await self._account(row[0])
        if account is None:
            await self._record.write("refused", Path("unknown", "", session), note="reset")
            raise ResetRefused("unknown, used or over")
        return hashed, account

    async def _account(self, actor: str) -> Account | None:
        row = await self._database.row(_ACCOUNT, [actor])
        return None if row is None else Account(*row)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
