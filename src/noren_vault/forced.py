"""Forced resets: after a leak the passwords of many accounts are over at once, and their people are told.

First the accounts' grants end; then, in one transaction, their passwords sign in no more
(`Passwords.require_reset`) and what was opened by one in between ends as well. Who has a passkey signs in by
it, anew. The mails follow at a pace, so that no mail server takes them for
spam; they hold no link that could be lost or grow old, only the page where one is asked for. What was mailed
is a row of its own and the courier sends a key once: a kill at any point leaves a reset that goes on by
itself.
"""

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    BadRequest,
    GrantRefused,
    LedgerUnavailable,
    NoSuchPerson,
    NoSuchReset,
    VaultError,
)
from noren_vault.grants import Grants, shop_mark
from noren_vault.known_devices import KnownDevices
from noren_vault.letter import Letter
from noren_vault.pace import Pace
from noren_vault.passwords import Passwords
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import What

A_MINUTE: Final = 300
MOST_A_MINUTE: Final = 6_000
MOST_TRIES: Final = 8
_TRY_AGAIN_MS: Final = 60_000
_EVERY_SECONDS: Final = 1.0
_AT_ONCE: Final = 8
_MOST_PERSONS: Final = 200_000
# What stands in the record: whatever else was typed does not get into it.
_HANDLE: Final = re.compile(r"[A-Za-z0-9._-]{1,120}", re.ASCII)
_ID: Final = 16
_log = structlog.get_logger("forced")

# Everybody who can sign in, by any way, or is signed in.
_WHO: Final = """
SELECT a.actor::text FROM vault.actor a
WHERE CASE %(whose)s WHEN 'everybody' THEN true WHEN 'shop' THEN a.shop_id::text = %(name)s
      WHEN 'actor' THEN a.handle = %(name)s ELSE a.person = ANY(%(persons)s::uuid[]) END
  AND (%(platform)s OR a.shop_id > 0)
  AND (EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)
    OR EXISTS (SELECT 1 FROM vault.passkey p WHERE p.actor = a.actor)
    OR EXISTS (SELECT 1 FROM vault.access_grant g
               WHERE g.actor = a.actor AND g.revoked_at IS NULL AND g.expires_at > %(now)s))
"""
# How many accounts and passwords that are, and living sign-ins.
_WEIGH: Final = f"""
WITH who AS ({_WHO})
SELECT (SELECT count(*) FROM who),
    (SELECT count(*) FROM vault.password w JOIN who ON who.actor = w.actor::text),
    (SELECT count(*) FROM vault.access_grant g JOIN who ON who.actor = g.actor::text
     WHERE g.revoked_at IS NULL AND g.expires_at > %(now)s)
"""  # noqa: S608 - no value is in it
_END: Final = """
UPDATE vault.access_grant SET revoked_at = %s
WHERE actor = ANY(%s::uuid[]) AND revoked_at IS NULL AND expires_at > %s RETURNING shop_id
"""
_MAKE: Final = b"""
INSERT INTO vault.forced_reset (reset, whose, a_minute, ended, asked_at) VALUES (%s, %s, %s, %s, %s)
"""
_LIST: Final = b"""
INSERT INTO vault.forced_account (reset, actor, state, due_at)
SELECT %s, w.actor, 'waiting', %s FROM vault.password w WHERE w.actor = ANY(%s::uuid[])
"""
_STANDING: Final = """
SELECT r.reset, r.whose, r.a_minute, r.ended, r.asked_at, r.stopped_at,
       count(*) FILTER (WHERE f.actor IS NOT NULL),
       count(*) FILTER (WHERE f.state = 'waiting'), count(*) FILTER (WHERE f.state = 'told'),
       count(*) FILTER (WHERE f.state = 'failed'), count(*) FILTER (WHERE f.state = 'unknown'),
       count(*) FILTER (WHERE f.actor IS NOT NULL AND s.must_reset_since IS NULL)
FROM vault.forced_reset r
LEFT JOIN vault.forced_account f USING (reset) LEFT JOIN vault.account_state s ON s.actor = f.actor
GROUP BY r.reset ORDER BY r.asked_at DESC, r.reset
"""
# Those that still have somebody to tell: asked each second, it must not grow with every reset there ever was.
_RUNNING: Final = """
SELECT reset, a_minute FROM vault.forced_reset WHERE stopped_at IS NULL
  AND reset IN (SELECT reset FROM vault.forced_account WHERE state = 'waiting')
ORDER BY asked_at
"""
_DUE: Final = """
SELECT f.actor::text, f.tries, a.shop_id, a.person::text, coalesce(h.slug, ''),
       s.must_reset_since IS NOT NULL
FROM vault.forced_account f JOIN vault.actor a USING (actor)
LEFT JOIN vault.shop h ON h.shop_id = a.shop_id LEFT JOIN vault.account_state s ON s.actor = f.actor
WHERE f.reset = %s AND f.state = 'waiting' AND f.due_at <= %s ORDER BY f.due_at, f.actor LIMIT %s
"""
_MOVE: Final = """
UPDATE vault.forced_account SET state = %s, tries = tries + 1, due_at = %s
WHERE reset = %s AND actor = %s AND state = 'waiting'
"""
# What the courier says -> what an account's row says. The others are tried again.
_STATES: Final = {
    "sent": "told",
    "already": "told",
    "unknown": "unknown",
    "failed": "failed",
    "bounced": "failed",
}
_SUBJECT: Final = "新しいパスワードの設定をお願いします / Please set a new password"
_TEXT: Final = """\
安全のため、サインイン用のパスワードを無効にし、すべての端末でサインアウトしました。
次のページで、新しいパスワードを設定してください。以前のものや、ほかで使っているものは避けてください。

{link}

パスキーをお持ちの方は、そのままサインインできます。

----

To keep your account safe, its password does not work any more, and you have been signed out everywhere.
Please set a new one on the page above: not the old one, and not one you use elsewhere.

If you have a passkey, it goes on working.
"""


class Whose(StrEnum):
    """Which accounts. PERSONS: those of the people whom a scope named."""

    EVERYBODY = "everybody"
    SHOP = "shop"
    ACTOR = "actor"
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class _Due:
    actor: str
    tries: int
    shop: int
    person: str | None
    slug: str
    standing: bool


class Forced:
    """Weighs, begins, stops and resumes forced resets, and mails. `acts` names the methods; stopping and
    resuming are an administrator's, the first two an operator's under a power, too, `forced_resets` any's.
    """

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        grants: Grants,
        passwords: Passwords,
        courier: Courier,
        origin: str,
        now: Now,
    ) -> None:
        """Keep the parts; the page's address begins with `origin`."""
        self._database = database
        self._record = record
        self._grants = grants
        self._passwords = passwords
        self._courier = courier
        self._origin = origin
        self._now = now
        self._pace = Pace()
        self.acts = {
            "forced_weigh": self._weigh,
            "forced_begin": self._begin,
            "forced_resets": self._resets,
            "forced_stop": self._stop,
            "forced_resume": self._resume,
        }

    async def mail_forever(self) -> None:
        """Tell who is to be told, each reset at its pace."""
        while True:
            try:
                await self.mail(_EVERY_SECONDS)
            except (psycopg.Error, PoolTimeout, LedgerUnavailable) as fault:
                _log.error("cannot_mail", fault=type(fault).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def mail(self, seconds: float) -> int:
        """Send what is due in so many seconds; gives how many were tried."""
        tried = 0
        running = await self._database.rows(_RUNNING)
        self._pace.of([str(row[0]) for row in running])
        for reset, a_minute in running:
            most = self._pace.most(str(reset), int(a_minute), seconds)
            due = [_Due(*row) for row in await self._database.rows(_DUE, [reset, self._now(), most])]
            some = asyncio.Semaphore(_AT_ONCE)
            ended = await asyncio.gather(
                *(self._tell(reset, one, some) for one in due), return_exceptions=True
            )
            for fault in ended:
                if fault is not None:
                    raise fault
            tried += len(due)
        return tried

    # -- methods

    async def _weigh(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Say how many accounts it would end, before it does. On record."""
        token = params.raw.get("grant")
        path = await self._grants.may(token, peer, What.END_GRANTS)
        whose, name, persons = _asked(params)
        await self._record.write("incident", path, ref=_words(whose, name), note="weighed:reset")
        wanted = self._wanted(whose, name, persons, own=token is None)
        accounts, passwords, living = await self._database.row(_WEIGH, wanted) or (0, 0, 0)
        return {"accounts": accounts, "passwords": passwords, "living": living}

    async def _begin(self, params: Params, peer: Peer) -> dict[str, Any]:
        """End the grants and passwords of these accounts: the entry first, then all of it or nothing."""
        token = params.raw.get("grant")
        path = await self._grants.may(token, peer, What.END_GRANTS)
        whose, name, persons = _asked(params)
        a_minute = params.number("a_minute", most=MOST_A_MINUTE) if "a_minute" in params.raw else A_MINUTE
        if not a_minute:
            raise BadRequest("at least one mail a minute")
        reset, words = secrets.token_hex(_ID // 2), _words(whose, name)
        entry = await self._record.write("signout", path, ref=f"reset:{reset}/{words}", note="forced_reset")
        wanted = self._wanted(whose, name, persons, own=token is None)
        actors = [row[0] for row in await self._database.rows(_WHO, wanted)]
        if not actors:
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise BadRequest("nobody among them can sign in")
        # On their own: they are out in the time of one statement, whatever the rest takes.
        ended = [row[0] for row in await self._database.rows(_END, self._ending(actors))]
        self._grants.changed(*{shop_mark(shop) for shop in ended})
        async with self._database.transaction() as connection:
            late, told = await self._over(connection, reset, actors)
            row = [reset, words, a_minute, len(ended) + len(late), self._now()]
            await connection.execute(_MAKE, row)
        self._grants.changed(*{shop_mark(shop) for shop in late})
        shops = ended + late
        await self._record.outcome(entry, Outcome.DONE, path)
        _log.warning("forced_reset", reset=reset, whose=words, accounts=len(actors), grants=len(shops))
        return {"reset": reset, "accounts": len(actors), "passwords": told, "ended": len(shops)}

    async def _over(self, connection: Connection, reset: str, actors: Sequence[str]) -> tuple[list[int], int]:
        """In one transaction: give the shop of each grant that still ended, and how many are to be told."""
        now = self._now()
        await self._passwords.require_reset(connection, *actors)
        await KnownDevices.forget(connection, *actors)
        cursor = await connection.execute(_END.encode(), self._ending(actors))
        shops = [row[0] for row in await cursor.fetchall()]
        cursor = await connection.execute(_LIST, [reset, now, actors])
        return shops, cursor.rowcount

    def _ending(self, actors: Sequence[str]) -> list[Any]:
        now = self._now()
        return [now, list(actors), now]

    async def _resets(self, params: Params, peer: Peer) -> dict[str, Any]:
        """How each stands, in numbers: for an operator, or an administrator's process."""
        if (token := params.raw.get("grant")) is not None:
            await self._grants.of_platform(token)
        elif not peer.admin:
            raise GrantRefused("an operator, or an administrator's process, may ask this")
        names = ("reset", "whose", "a_minute", "ended", "asked", "stopped")
        counts = ("passwords", "waiting", "told", "failed", "unknown", "set_anew")
        rows = await self._database.rows(_STANDING)
        return {"resets": [dict(zip(names + counts, row, strict=True)) for row in rows]}

    async def _stop(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Hold the mails back. Raises NoSuchReset."""
        return await self._hold(params, peer, "forced_reset_stopped", self._now())

    async def _resume(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Let them go on. Raises NoSuchReset."""
        return await self._hold(params, peer, "forced_reset_resumed", None)

    async def _hold(self, params: Params, peer: Peer, note: str, at: int | None) -> dict[str, Any]:
        reset = params.text("reset", most=_ID)
        there = await self._database.row("SELECT 1 FROM vault.forced_reset WHERE reset = %s", [reset])
        if there is None:
            raise NoSuchReset
        await self._record.write("signout", peer.admin_path, ref=f"reset:{reset}", note=note)
        await self._database.run(
            "UPDATE vault.forced_reset SET stopped_at = %s WHERE reset = %s", [at, reset]
        )
        return {"reset": reset}

    # -- inside

    def _wanted(self, whose: Whose, name: str, persons: list[str], *, own: bool) -> dict[str, Any]:
        """What the question needs. `own`: the platform's accounts, too. They have no passwords: who asks from
        a page does not end the sign-ins of those who contain.
        """
        told = {"whose": str(whose), "name": name, "persons": persons}
        return told | {"now": self._now(), "platform": own}

    async def _tell(self, reset: str, one: _Due, some: asyncio.Semaphore) -> None:
        async with some:
            state = "spared" if not one.standing else await self._sent(reset, one)
        if state is None and one.tries + 1 >= MOST_TRIES:
            state = "failed"
        due = self._now() + (_TRY_AGAIN_MS << one.tries if state is None else 0)
        await self._database.run(_MOVE, [state or "waiting", due, reset, one.actor])

    async def _sent(self, reset: str, one: _Due) -> str | None:
        """Send one; None: it is to be tried again."""
        if one.person is None:
            return "failed"
        link = f"{self._origin}/password/forgot?shop={one.slug}"
        letter = Letter(f"forced:{reset}:{one.actor}", _SUBJECT, _TEXT, {"link": link})
        try:
            return _STATES.get(await self._courier.send(one.shop, one.person, letter, Path("vault")))
        except NoSuchPerson:
            return "failed"
        except LedgerUnavailable:
            raise
        except VaultError as fault:
            _log.error("not_told", reset=reset, fault=type(fault).__name__)
            return None


def _words(whose: Whose, name: str) -> str:
    """How the record names whose accounts."""
    return f"{whose}:{name}".rstrip(":")


def _asked(params: Params) -> tuple[Whose, str, list[str]]:
    """Whose accounts. Raises BadRequest."""
    try:
        whose = Whose(params.text("whose"))
    except ValueError:
        raise BadRequest(f"whose is one of {', '.join(Whose)}") from None
    if whose is Whose.PERSONS:
        return whose, "", params.persons("persons", most=_MOST_PERSONS)
    if whose is Whose.SHOP:
        return whose, str(params.number("name")), []
    if whose is Whose.EVERYBODY:
        return whose, "", []
    name = params.text("name")
    if not _HANDLE.fullmatch(name):
        raise BadRequest("an actor's handle as the record has it")
    return whose, name, []
