"""The mails of a telling: one for each person in it, at a pace, once; how one looks; one to try.

The code that opens a person's own page is made anew for each attempt, and only its hash is kept. An attempt
that surely did not arrive took its code with it; the courier sends a key once, and one of which nobody knows
whether it arrived is not sent again. So a kill at any point leaves each told once, or `unknown`.
"""

import asyncio
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import LedgerUnavailable, NoSuchPerson, RecordDamaged, VaultError
from noren_vault.grants import Grant
from noren_vault.incidents import Asker
from noren_vault.letter import Letter
from noren_vault.pace import Pace
from noren_vault.record import Path
from noren_vault.rights import PLATFORM
from noren_vault.telling_words import Exposed, Places, letter
from noren_vault.tellings import Telling, Tellings

MOST_TRIES: Final = 8
_TRY_AGAIN_MS: Final = 60_000
_EVERY_SECONDS: Final = 1.0
_AT_ONCE: Final = 32
_LETTERS: Final = 16
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# How a code looks in a preview and in a mail to try: it is nobody's.
SAMPLE: Final = "XXXX-XXXX-XXXX-XXXX"
_log = structlog.get_logger("telling_mails")

# Those that still have somebody to tell: asked each second, it must not grow with all there ever were.
_RUNNING: Final = """
SELECT t.telling FROM vault.telling t WHERE t.state = 'agreed' AND t.stopped_at IS NULL
  AND EXISTS (SELECT FROM vault.told w WHERE w.telling = t.telling AND w.state = 'waiting')
ORDER BY t.decided_at
"""
_ONE: Final = """
SELECT w.shop_id, w.person::text, w.kind, w.language, w.fields, w.since, w.until, w.tries,
       coalesce(s.slug, '')
FROM vault.told w LEFT JOIN vault.shop s USING (shop_id) WHERE w.telling = %(telling)s
"""
_DUE: Final = (
    _ONE + "AND w.state = 'waiting' AND w.due_at <= %(now)s ORDER BY w.due_at, w.person LIMIT %(most)s"
)
_NAMED: Final = _ONE + "AND w.person = %(person)s::uuid"
_CODE: Final = """
UPDATE vault.told SET code_hash = %s
WHERE telling = %s AND shop_id = %s AND person = %s AND state = 'waiting'
"""
_MOVE: Final = """
UPDATE vault.told SET state = %s, tries = tries + 1, due_at = %s, changed_at = %s
WHERE telling = %s AND shop_id = %s AND person = %s AND state = 'waiting'
"""
# What the courier says -> what a row says. The others are tried again.
_STATES: Final = {
    "sent": "told",
    "already": "told",
    "unknown": "unknown",
    "failed": "failed",
    "bounced": "told",
}


@dataclass(frozen=True, slots=True)
class _Due:
    shop: int
    person: str
    kind: str
    language: str
    fields: list[str]
    since: int
    until: int
    tries: int
    slug: str


@dataclass(frozen=True, slots=True)
class _Running:
    """A telling that is sent, opened once a round."""

    telling: Telling
    words: dict[str, Any]
    shops: dict[str, str]


class TellingMails:
    """Sends, and shows what would be sent."""

    def __init__(
        self, *, database: Database, tellings: Tellings, courier: Courier, origin: str, now: Now
    ) -> None:
        """Keep the parts; the addresses to type in are those of `origin`, without its scheme."""
        self._database = database
        self._tellings = tellings
        self._courier = courier
        self._place = urlsplit(origin).netloc
        self._now = now
        self._pace = Pace()

    async def send_forever(self) -> None:
        """Tell who is to be told, each telling at its pace."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self.send(_EVERY_SECONDS)
            except (psycopg.Error, PoolTimeout, LedgerUnavailable) as fault:
                _log.error("cannot_tell", fault=type(fault).__name__)
            await asyncio.sleep(max(0.05, began + _EVERY_SECONDS - loop.time()))

    async def send(self, seconds: float) -> int:
        """Send what is due in so many seconds; gives how many were tried."""
        tried = 0
        running_now = [str(row[0]) for row in await self._database.rows(_RUNNING)]
        self._pace.of(running_now)
        for telling in running_now:
            found = await self._tellings.running(telling)
            if found is None:
                continue
            try:
                running = _Running(found, **self._opened(found))
            except RecordDamaged:
                _log.error("telling_damaged", telling=telling)
                await self._tellings.damaged(found)
                continue
            most = self._pace.most(telling, found.a_minute, seconds)
            wanted = {"telling": telling, "now": self._now(), "most": most}
            due = [_Due(*row) for row in await self._database.rows(_DUE, wanted)]
            some = asyncio.Semaphore(_AT_ONCE)
            ended = await asyncio.gather(
                *(self._tell(running, one, some) for one in due), return_exceptions=True
            )
            for fault in ended:
                if fault is not None:
                    raise fault
            tried += len(due)
        return tried

    async def preview(self, asker: Asker, telling: str, person: str) -> dict[str, str]:
        """Give one person's mail as it would be, without her name and her code. Raises NoSuchPerson."""
        one = await self._tellings.note(asker, telling, "telling:preview")
        made = self._letter(_Running(one, **self._opened(one)), await self._named(telling, person), SAMPLE)
        made = made.unnamed()
        return {"subject": made.fill(made.subject, {}), "text": made.fill(made.text, {})}

    async def try_out(self, grant: Grant, telling: str, person: str) -> str:
        """Mail one person's mail to the operator who asks, named as herself; gives what the courier says."""
        asker = Asker(grant.actor, grant.handle, grant.path)
        one = await self._tellings.note(asker, telling, "telling:tried")
        row = await self._database.row(
            "SELECT a.shop_id, a.person::text FROM vault.actor a WHERE a.actor = %s AND a.person IS NOT NULL",
            [grant.actor],
        )
        if row is None:
            raise NoSuchPerson("nobody to send to")
        made = self._letter(_Running(one, **self._opened(one)), await self._named(telling, person), SAMPLE)
        key = f"telling:{telling}/try:{secrets.token_hex(8)}"
        again = Letter(key, made.subject, made.text, made.values, neutral=made.neutral)
        return await self._courier.send(PLATFORM, row[1], again, grant.path)

    # -- inside

    def _opened(self, one: Telling) -> dict[str, Any]:
        told = self._tellings.opened(one)
        return {"words": told["words"], "shops": told["shops"]}

    async def _named(self, telling: str, person: str) -> _Due:
        rows = await self._database.rows(_NAMED, {"telling": telling, "person": person})
        if not rows:
            raise NoSuchPerson("not in it")
        return _Due(*rows[0])

    def _letter(self, running: _Running, one: _Due, code: str) -> Letter:
        name = running.shops.get(str(one.shop)) or one.slug or self._place
        exposed = Exposed(name, one.fields, one.since, one.until)
        notice = f"{self._place}/news/{running.telling.notice}"
        places = Places(notice, f"{self._place}/exposed", code)
        key = f"telling:{running.telling.id}/{one.person}"
        return letter(key, running.words, one.kind, one.language, (exposed, places))

    async def _tell(self, running: _Running, one: _Due, some: asyncio.Semaphore) -> None:
        async with some:
            state = await self._sent(running, one)
            if state is None and one.tries + 1 >= MOST_TRIES:
                state = "failed"
            now = self._now()
            due = now + (_TRY_AGAIN_MS << one.tries if state is None else 0)
            place = [running.telling.id, one.shop, one.person]
            await self._database.run(_MOVE, [state or "waiting", due, now, *place])

    async def _sent(self, running: _Running, one: _Due) -> str | None:
        """Send one; None: it is to be tried again."""
        made = self._letter(running, one, code := new_code())
        place = [running.telling.id, one.shop, one.person]
        # Of a key that the courier has sent before, the code that went out is the one that counts.
        if not await self._courier.is_settled(one.shop, made.key):
            await self._database.run(_CODE, [code_hash(code), *place])
        try:
            return _STATES.get(await self._courier.send(one.shop, one.person, made, Path("vault")))
        except NoSuchPerson:
            return "erased"
        except LedgerUnavailable:
            raise
        except VaultError as fault:
            _log.error("not_told", telling=running.telling.id, fault=type(fault).__name__)
            return None


def new_code() -> str:
    """Make a code of 80 random bits, to be typed."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    return "-".join(text[at : at + 4] for at in range(0, _LETTERS, 4))


def code_hash(typed: str) -> bytes:
    """Hash a code, however it was typed: small, wide, without hyphens, with an O for a 0."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    plain = plain.translate({ord("O"): "0", ord("I"): "1", ord("L"): "1"})
    kept = "".join(one for one in plain if one in _ALPHABET)
    return hashlib.sha256(f"noren-exposed/{kept}".encode()).digest()
